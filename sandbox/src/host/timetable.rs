//! When timers are due, for who looks at the host from outside: by the host's clock, or by another one.

use jiff::{SignedDuration, Timestamp};

use super::{Desk, calls::Call, function::Trigger, schedule::Schedule};

/// A timer function.
#[derive(Clone, Debug)]
pub struct Timer {
    /// Name of its folder.
    pub name: String,
    /// Its schedule, as NCRONTAB has it.
    pub schedule: String,
    /// Its schedule in English.
    pub words: String,
    /// When it is due next by the host's clock; `None` if never again.
    pub next: Option<Timestamp>,
    /// Its latest runs, newest first.
    pub runs: Vec<Call>,
}

impl Desk {
    /// Every timer that is not turned off.
    pub fn timers(&self) -> Vec<Timer> {
        let now = self.inner.clock.now();
        let timers = self.schedules().map(|(name, schedule)| Timer {
            name: name.to_owned(),
            schedule: schedule.expression().to_owned(),
            words: schedule.words(),
            next: schedule.next_after(now),
            runs: self.inner.calls.runs_of(name),
        });
        timers.collect()
    }

    /// The timers that are due after one moment and until another, in the order in which each of them is due last.
    pub fn due_between(&self, after: Timestamp, until: Timestamp) -> Vec<String> {
        let mut due: Vec<_> = (self.schedules())
            .filter_map(|(name, schedule)| Some((schedule.last_until(until)?, name.to_owned())))
            .filter(|(last, _)| *last > after)
            .collect();
        due.sort();
        due.into_iter().map(|(_, name)| name).collect()
    }

    /// The first timer that is due after a moment, those left aside that run each minute.
    pub fn next_rare(&self, after: Timestamp) -> Option<(Timestamp, String)> {
        let rare = self.schedules().filter_map(|(name, schedule)| {
            let next = schedule.next_after(after)?;
            let second = schedule.next_after(next);
            let pause = second.map_or(SignedDuration::MAX, |second| second.duration_since(next));
            (pause > SignedDuration::from_mins(1)).then(|| (next, name.to_owned()))
        });
        rare.min()
    }

    fn schedules(&self) -> impl Iterator<Item = (&str, &Schedule)> {
        let functions = self.functions().iter().filter(|it| !it.disabled);
        functions.filter_map(|function| match &function.trigger {
            Trigger::Timer(timer) => Some((function.name.as_str(), &timer.schedule)),
            Trigger::Http(_) => None,
        })
    }
}
