//! Dispatch: how near an instance comes to the letters that Exchange Online takes from its senders' mailboxes.
//! <https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sandbox::Latency;
use serde_json::json;
use uuid::Uuid;

use super::as_figure;
use crate::clock;
use crate::machine::{stay_on, stay_on_any};
use crate::row::{Aim, Row, Unit};
use crate::sizes::Sizes;
use crate::stage::{Setup, Stage, Subjects};
use crate::table::Chapter;

/// What Exchange takes from a mailbox in a minute.
const LETTERS_A_MINUTE: usize = 30;

/// Letters more than the last full minute needs, so that it can be measured to its end.
const MARGIN: usize = 5;

/// Gigabytes of the smallest instance, and the least that a run is billed for.
/// <https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#billing>
const INSTANCE_GB: f64 = 0.5;
const LEAST_BILLED: Duration = Duration::from_secs(1);

/// What one instance reached.
struct Reached {
    senders: usize,
    /// Seconds from the POST until each mailbox has sent its first letter.
    start: f64,
    percent: f64,
    letters_a_minute: f64,
    core_percent: f64,
    gb_seconds_a_letter: f64,
    graph: f64,
    dataverse: f64,
}

pub(crate) async fn measure(subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<Chapter> {
    stay_on(1)?;
    let instances =
        (sizes.senders.iter()).map(|senders| instance(subjects, *senders, sizes.minutes));
    let (reached, flow) = futures::future::join(
        futures::future::try_join_all(instances),
        flow(subjects, sizes),
    )
    .await;
    stay_on_any()?;
    let (reached, flow) = (reached?, flow?);
    let mut rows = Vec::new();
    for reached in &reached {
        rows.extend(reached.rows(flow));
    }
    if let Some(largest) = reached.last() {
        let what = format!("{} senders: share of one core", largest.senders);
        rows.push(Row::cost(what, Unit::Percent, largest.core_percent));
    }
    Ok(Chapter {
        title: "Dispatch",
        how: format!(
            "One instance for each number of senders, all at the same time on one core, for {} windows of a minute, with latency and all limits: a POST at the beginning of a minute, and the dispatcher's timer at the beginning of each. What Exchange takes is measured from each mailbox's 31st letter, since the first 30 leave at once, to the first of its last window, as delivered. The flow has one mailbox.",
            sizes.minutes
        ),
        rows,
    })
}

impl Reached {
    fn rows(&self, flow: (f64, f64)) -> [Row; 6] {
        let plural = if self.senders == 1 { "" } else { "s" };
        let of = |what: &str| format!("{} sender{plural}: {what}", self.senders);
        let billed = self.gb_seconds_a_letter * 10_000.0;
        [
            Row::yielding(of("letters a minute"), Unit::Letters, self.letters_a_minute)
                .flow(flow.0)
                .flow_parallel(flow.1),
            Row::yielding(of("of what Exchange takes"), Unit::Percent, self.percent)
                .aim(Aim::AtLeast(99.0)),
            Row::cost(
                of("until each has sent a letter"),
                Unit::Seconds,
                self.start,
            ),
            Row::cost(of("GB-seconds for 10,000 letters"), Unit::GbSeconds, billed),
            Row::cost(of("Graph requests a letter"), Unit::Requests, self.graph)
                .scaled(1.0, 1.0)
                .aim(Aim::AtMost(0.15)),
            Row::cost(
                of("Dataverse requests a letter"),
                Unit::Requests,
                self.dataverse,
            )
            .scaled(2.0, 2.0)
            .aim(Aim::AtMost(0.15)),
        ]
    }
}

fn modelled(subjects: &Subjects, senders: usize) -> Setup<'_> {
    Setup {
        latency: Latency::Realistic,
        senders,
        limits: true,
        inline_seconds: 60,
        core: Some(0),
        ..Setup::unlimited(subjects, 1)
    }
}

async fn instance(subjects: &Subjects, senders: usize, minutes: usize) -> anyhow::Result<Reached> {
    let stage = modelled(subjects, senders).ours().await?;
    let contacts = stage.contacts(senders * (LETTERS_A_MINUTE * (minutes + 1) + MARGIN));
    stage.warm().await?;
    tokio::time::sleep(until_next_minute(&stage)).await;
    let (begun, before) = (clock::now(), stage.program.processor_time()?);
    let posted = stage.sandbox.clock.now();
    let billed = send_all(&stage, &contacts).await?;
    let processor = stage.program.processor_time()?.saturating_sub(before);
    let times = letters(&stage);
    let firsts = times.values().filter_map(|times| times.first());
    let start = firsts
        .max()
        .map_or(f64::NAN, |first| first.duration_since(posted).as_secs_f64());
    let percent = of_the_ceiling(&times, LETTERS_A_MINUTE);
    let requests = stage.requests();
    let mean = |total| as_figure(total) / as_figure(contacts.len());
    Ok(Reached {
        graph: mean(requests.graph),
        dataverse: mean(requests.dataverse),
        senders,
        start,
        percent,
        letters_a_minute: percent / 100.0 * as_figure(senders * LETTERS_A_MINUTE),
        gb_seconds_a_letter: billed.as_secs_f64() * INSTANCE_GB / as_figure(contacts.len()),
        core_percent: processor.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0,
    })
}

/// Invites contacts, and fires the dispatcher each minute until all is done; gives the time in which anything ran.
async fn send_all(stage: &Stage, contacts: &[Uuid]) -> anyhow::Result<Duration> {
    let answered = Cell::new(false);
    let post = async {
        let begun = clock::now();
        stage.invite(&json!({"contactIds": contacts})).await?;
        answered.set(true);
        anyhow::Ok((begun, begun.elapsed()))
    };
    let timer = async {
        let mut runs = Vec::new();
        while !answered.get() || stage.open_batches()? > 0 {
            tokio::time::sleep(until_next_minute(stage)).await;
            let begun = clock::now();
            stage.fire("function-dispatch").await?;
            runs.push((begun, begun.elapsed()));
        }
        anyhow::Ok(runs)
    };
    let (post, runs) = futures::future::try_join(post, timer).await?;
    let mut spans = runs;
    spans.insert(0, post);
    Ok(billed(spans))
}

/// How long an instance is billed for what began when and took how long, in the order of beginning: what goes on side by
/// side is billed once.
fn billed(spans: Vec<(Instant, Duration)>) -> Duration {
    let (mut billed, mut until) = (Duration::ZERO, None::<Instant>);
    for (begun, took) in spans {
        let end = begun + took.max(LEAST_BILLED);
        let from = until.map_or(begun, |until| until.max(begun));
        billed += end.saturating_duration_since(from);
        until = Some(end.max(from));
    }
    billed
}

/// The host fires a timer at the second that its schedule names, and never beside a run that goes on.
fn until_next_minute(stage: &Stage) -> Duration {
    let now = stage.sandbox.clock.now();
    let into = Duration::from_millis(u64::try_from(now.as_millisecond() % 60_000).unwrap_or(0));
    Duration::from_mins(1).saturating_sub(into)
}

/// The flow's letters a minute, one by one and fifty at once.
async fn flow(subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<(f64, f64)> {
    let rate = async |parallel| {
        let mut setup = modelled(subjects, 1);
        setup.core = None;
        let stage = setup.flow().await?;
        let contacts = stage.contacts(LETTERS_A_MINUTE * sizes.minutes + MARGIN);
        stage.flow_invites(&contacts, parallel).await?;
        // Exchange delivers late what came too fast.
        let late = Duration::from_secs(61) * u32::try_from(sizes.minutes)?;
        tokio::time::sleep(late).await;
        let percent = of_the_ceiling(&letters(&stage), 0);
        anyhow::Ok(percent / 100.0 * as_figure(LETTERS_A_MINUTE))
    };
    let (one_by_one, at_once) = futures::future::join(rate(1), rate(50)).await;
    Ok((one_by_one?, at_once?))
}

/// When each mailbox sent its letters.
fn letters(stage: &Stage) -> BTreeMap<String, Vec<Timestamp>> {
    let mut times: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    for letter in stage.sandbox.graph.letters() {
        times
            .entry(letter.mailbox)
            .or_default()
            .push(letter.sent_at);
    }
    times
}

/// The percentage that all mailboxes reached of what they may, on average, their first letters left out.
fn of_the_ceiling(times: &BTreeMap<String, Vec<Timestamp>>, left_out: usize) -> f64 {
    let times = times.values().filter_map(|times| times.get(left_out..));
    let reached: Vec<f64> = times.filter_map(percent).collect();
    reached.iter().sum::<f64>() / as_figure(reached.len().max(1))
}

/// What a mailbox reached; `None` where it did not fill a window.
fn percent(times: &[Timestamp]) -> Option<f64> {
    let windows = times.len().checked_sub(1)? / LETTERS_A_MINUTE;
    let took = times[windows * LETTERS_A_MINUTE].duration_since(times[0]);
    (windows > 0).then(|| as_figure(windows) * 60.0 / took.as_secs_f64() * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_side_by_side_is_billed_once() {
        let begun = clock::now();
        let at = |second| begun + Duration::from_secs(second);
        let took = Duration::from_secs;
        let spans = vec![(at(0), took(60)), (at(30), took(50)), (at(90), took(0))];
        assert_eq!(billed(spans), took(81));
    }

    #[test]
    fn windows_of_a_minute_are_the_ceiling() {
        let at = |second: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(second);
        let mailbox = |cycle: i64| {
            let letters = |window: i64| std::iter::repeat_n(at(window * cycle), 30);
            (0..4).flat_map(letters).collect::<Vec<_>>()
        };
        assert_eq!(percent(&mailbox(60)), Some(100.0));
        assert_eq!(percent(&mailbox(120)), Some(50.0));
        assert_eq!(percent(&mailbox(60)[..30]), None);
    }
}
