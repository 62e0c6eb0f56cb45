//! How long the services take: one model, stated in figures, and the way to state another.
//!
//! A request takes its way there and back, the operations in it take theirs, and rows and mailboxes come on top. Where a
//! figure follows from a published one its page is named; the others are guesses on the slow side, and say so. What a
//! service does with its times is its own module's business.

use std::fmt;
use std::time::Duration;

use crate::faults::Service;

/// How long requests take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Latency {
    /// No longer than the work takes: nothing ever sleeps.
    #[default]
    None,
    /// As long as the model's defaults say.
    Realistic,
    /// As long as this model says.
    Stated(Model),
}

impl Latency {
    /// The latency of this model.
    pub const fn model(model: Model) -> Self {
        Self::Stated(model)
    }

    /// The model that is in force; nothing where requests take no time.
    pub fn stated(self) -> Option<Model> {
        match self {
            Self::None => None,
            Self::Realistic => Some(Model::default()),
            Self::Stated(model) => Some(model),
        }
    }
}

/// What each service takes how long for. Shown, it is one line a service, and one for the spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// Dataverse.
    pub dataverse: DataverseTimes,
    /// Microsoft Graph.
    pub graph: GraphTimes,
    /// A request to the identity endpoint. No published figure: it is on the same machine, and asks Entra where it has no
    /// token; 20 ms lies between the two.
    pub identity: Duration,
    /// A request to the site. No published figure: 125 ms, a page that is rendered.
    pub portal: Duration,
    /// A request to Blob Storage. The page on latency gives no figure for standard accounts; 12 ms is more than the single
    /// digits of premium ones. <https://learn.microsoft.com/azure/storage/blobs/storage-blobs-latency>
    pub storage: Duration,
    /// How times differ from request to request.
    pub spread: Spread,
}

/// What Dataverse takes how long for. All but the base counts against its limits on execution time and on requests at once.
///
/// Two samples of Microsoft's create the same hundred rows: one after another in 10 seconds (`SimpleLoop`), in one
/// request that runs them one after another, as `$batch` does, in 4 (`ExecuteMultiple`). So a row takes 40 ms and a request
/// another 60. <https://learn.microsoft.com/power-apps/developer/data-platform/org-service/samples/create-update-multiple>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataverseTimes {
    /// The way there and back, and the front end: 60 ms.
    pub base: Duration,
    /// Any operation, alone or in a batch: 15 of a written row's 40 ms, as a query must be checked and planned too.
    pub operation: Duration,
    /// Each row that an answer to a read holds. No published figure: 0.2 ms make a page of 5,000 rows a second.
    pub row_read: Duration,
    /// Each row that is created, changed or deleted, besides its operation: the other 25 of 40 ms.
    pub row_written: Duration,
    /// Each changeset besides its operations. No published figure: 10 ms for its transaction.
    pub changeset: Duration,
}

/// What Graph takes how long for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphTimes {
    /// The way there and back, and the front end: 40 ms, twice the way between two regions of one continent.
    /// <https://learn.microsoft.com/azure/networking/azure-network-latency>
    pub base: Duration,
    /// Any operation, alone or in a batch. No published figure: 170 ms, as a letter is stored before it is answered.
    /// <https://learn.microsoft.com/graph/outlook-things-to-know-about-send-mail>
    pub operation: Duration,
    /// The part that a mailbox does for one operation after another, however many wait. No published figure: 20 ms.
    pub mailbox: Duration,
}

/// How times differ from request to request. No service publishes how its own do: these are wide, so that requests
/// overtake each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// A base, and an operation of Graph, takes this much more or less at most, evenly spread: 60 percent. Dataverse's
    /// operations take their average, so that its limits are met at the same place each time.
    pub percent: u8,
    /// So many of a hundred requests are slow: 1.
    pub slow_percent: u8,
    /// The base of a slow request is so many times as long: 10.
    pub slow_times: u8,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            dataverse: DataverseTimes {
                base: Duration::from_millis(60),
                operation: Duration::from_millis(15),
                row_read: Duration::from_micros(200),
                row_written: Duration::from_millis(25),
                changeset: Duration::from_millis(10),
            },
            graph: GraphTimes {
                base: Duration::from_millis(40),
                operation: Duration::from_millis(170),
                mailbox: Duration::from_millis(20),
            },
            identity: Duration::from_millis(20),
            portal: Duration::from_millis(125),
            storage: Duration::from_millis(12),
            spread: Spread {
                percent: 60,
                slow_percent: 1,
                slow_times: 10,
            },
        }
    }
}

impl Model {
    /// How long a request is on its way there and back, this time.
    pub(crate) fn draw(&self, service: Service, chance: &mut fastrand::Rng) -> Duration {
        let base = match service {
            Service::Dataverse => self.dataverse.base,
            Service::Graph => self.graph.base,
            Service::Identity => self.identity,
            Service::Portal => self.portal,
            Service::Storage => self.storage,
        };
        let slow = chance.u8(0..100) < self.spread.slow_percent;
        let times = if slow { self.spread.slow_times } else { 1 };
        self.spread.vary(base, chance) * u32::from(times)
    }
}

impl Spread {
    /// A time near `time`.
    pub(crate) fn vary(self, time: Duration, chance: &mut fastrand::Rng) -> Duration {
        let part = f64::from(self.percent) / 100.0;
        time.mul_f64((1.0 + part * (2.0 * chance.f64() - 1.0)).max(0.0))
    }
}

impl DataverseTimes {
    /// How long a read executes whose answer holds so many rows.
    pub(crate) fn read(&self, rows: usize) -> Duration {
        self.operation + times(self.row_read, rows)
    }

    /// How long so many writes execute.
    pub(crate) fn write(&self, operations: usize) -> Duration {
        times(self.operation + self.row_written, operations)
    }
}

fn times(each: Duration, count: usize) -> Duration {
    each.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Waits, where there is anything to wait for: even a sleep of no time lasts until the timer's next tick.
pub(crate) async fn pass(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

impl fmt::Display for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dataverse, graph, spread) = (self.dataverse, self.graph, self.spread);
        writeln!(
            formatter,
            "Dataverse: {:?} a request, {:?} an operation, {:?} a row read, {:?} a row written, {:?} a changeset",
            dataverse.base,
            dataverse.operation,
            dataverse.row_read,
            dataverse.row_written,
            dataverse.changeset
        )?;
        writeln!(
            formatter,
            "Graph: {:?} a request, {:?} an operation, {:?} more of its mailbox, one after another",
            graph.base, graph.operation, graph.mailbox
        )?;
        writeln!(formatter, "Identity: {:?} a request", self.identity)?;
        writeln!(formatter, "Portal: {:?} a request", self.portal)?;
        writeln!(formatter, "Storage: {:?} a request", self.storage)?;
        write!(
            formatter,
            "Spread: {} % more or less, {} of 100 requests {} times as long",
            spread.percent, spread.slow_percent, spread.slow_times
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_drawn_around_its_base_and_repeats_by_seed() {
        let draw = |seed| {
            let mut chance = fastrand::Rng::with_seed(seed);
            let draw = |_| Model::default().draw(Service::Dataverse, &mut chance);
            (0..1_000).map(draw).collect::<Vec<_>>()
        };
        assert_eq!(draw(4), draw(4));
        assert_ne!(draw(4), draw(5));
        let slow = draw(4).iter().filter(|t| t.as_millis() > 96).count();
        assert!((1..40).contains(&slow), "{slow} of 1,000 are slow");
        assert!(draw(4).iter().all(|t| (24..=960).contains(&t.as_millis())));
    }

    #[test]
    fn a_stated_model_is_the_one_in_force_and_says_so() {
        let mut model = Model::default();
        model.dataverse.base = Duration::from_millis(7);
        model.spread = Spread::default();
        assert_eq!(Latency::None.stated(), None);
        assert_eq!(Latency::Realistic.stated(), Some(Model::default()));
        let stated = Latency::model(model).stated().unwrap();
        let mut chance = fastrand::Rng::with_seed(1);
        let drawn = stated.draw(Service::Dataverse, &mut chance);
        assert_eq!(drawn, Duration::from_millis(7));
        let shown = stated.to_string();
        assert_eq!(shown.lines().count(), 6);
        assert!(shown.starts_with("Dataverse: 7ms a request, 15ms an operation, 200µs a row read"));
    }
}
