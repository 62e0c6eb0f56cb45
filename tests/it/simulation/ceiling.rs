//! How close the letters of one process come to what Exchange Online takes from their senders.
//!
//! Everything takes as long as the sandbox's model says, and the dispatcher is driven as the host drives a timer: each
//! minute at second 0, never beside itself, and a tick that a run outlasts is left out.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sandbox::{Latency, Options, Sandbox, Service};

use super::{START, Simulation, contacts, request};

/// What Exchange Online takes from a mailbox in a minute.
const RATE: usize = 30;

/// The first minute's letters, which leave at once, are not measured.
const BEFORE: usize = RATE;

pub(super) fn realistic(senders: &[&str]) -> Sandbox {
    Sandbox::new(Options {
        seed: 7,
        clock: sandbox::Clock::starting_at(START.parse().unwrap()),
        senders: senders.iter().map(|sender| (*sender).to_owned()).collect(),
        latency: Latency::Realistic,
        ..Options::default()
    })
}

impl Simulation {
    /// Fires the dispatcher as the host does, until a moment.
    async fn dispatch_until(&self, end: Timestamp) {
        loop {
            let second = self.clock.now().as_millisecond().rem_euclid(60_000);
            let tick = Duration::from_millis(60_000 - second.unsigned_abs());
            tokio::time::sleep(tick).await;
            if self.clock.now() >= end {
                return;
            }
            self.service.dispatch().await.unwrap();
        }
    }

    /// How long a mailbox took for so many letters.
    fn time_of(&self, sender: &str, measured: usize) -> SignedDuration {
        let letters = self.sandbox.graph.sent_items(sender);
        let mut sent: Vec<_> = letters.iter().map(|letter| letter.sent_at).collect();
        sent.sort();
        sent[BEFORE + measured].duration_since(sent[BEFORE])
    }
}

/// At 99 percent of the rate of all senders, and in few requests; `minutes` are measured of a batch that comes at a second of a minute.
async fn letters_leave(senders: usize, minutes: usize, second: u64) {
    let senders: Vec<_> = (0..senders)
        .map(|n| format!("sender{n}@contoso.example"))
        .collect();
    let names: Vec<&str> = senders.iter().map(String::as_str).collect();
    let simulation = Simulation::upon(realistic(&names), &names, Vec::new());
    // Chance deals the letters out to the senders: each has these at least.
    let measured = minutes * RATE;
    let count = (BEFORE + measured + 30) * names.len();
    let everyone = contacts(&simulation.sandbox, count);
    tokio::time::sleep(Duration::from_secs(second)).await;
    let begun = simulation.clock.now();
    let post = simulation.service.invite(request(everyone), None);
    let end = begun + SignedDuration::from_mins(i64::try_from(minutes).unwrap() + 3);
    let (report, ()) = futures::future::join(post, simulation.dispatch_until(end)).await;
    assert_eq!(report.unwrap().counts.failed, 0);
    let graph = &simulation.sandbox.graph;
    for sender in &names {
        assert!(graph.max_sent_in_60s(sender) <= RATE, "{sender}");
        assert!(graph.max_in_flight(sender) <= 4, "{sender}");
    }
    let times = names.iter().map(|name| simulation.time_of(name, measured));
    let took: SignedDuration = times.sum();
    let due = SignedDuration::from_mins(i64::try_from(minutes * names.len()).unwrap());
    assert!(took * 99 <= due * 100, "{took:#} instead of {due:#}");
    let letters = graph.letters().len();
    let traffic = &simulation.sandbox.traffic;
    let graph_requests = traffic.count(Service::Graph);
    assert!(
        graph_requests * 50 <= letters * 13,
        "{graph_requests}, {letters} letters"
    );
    let dataverse_requests = traffic.count(Service::Dataverse);
    assert!(
        dataverse_requests * 25 <= letters * 4,
        "{dataverse_requests}, {letters} letters"
    );
}

async fn letters_leave_at_the_ceiling(senders: usize, minutes: usize, seconds: &[u64]) {
    for second in seconds {
        letters_leave(senders, minutes, *second).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_sender_sends_what_exchange_takes() {
    letters_leave_at_the_ceiling(1, 10, &[0, 20, 45]).await;
}

#[tokio::test(start_paused = true)]
async fn four_senders_send_what_exchange_takes() {
    letters_leave_at_the_ceiling(4, 4, &[0, 45]).await;
}

#[tokio::test(start_paused = true)]
async fn sixteen_senders_send_what_exchange_takes() {
    letters_leave_at_the_ceiling(16, 2, &[20]).await;
}

#[tokio::test(start_paused = true)]
async fn sixty_four_senders_send_what_exchange_takes() {
    // A mailbox whose letters may leave just between two runs waits for the second one, once; that is not measured here.
    letters_leave_at_the_ceiling(64, 1, &[0, 15]).await;
}
