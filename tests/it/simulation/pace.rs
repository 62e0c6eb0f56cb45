//! How fast letters leave: at their senders' pace and no faster, and no batch behind another one for long.

use std::time::Duration;

use portal_invite::domain::ids::BatchNumber;
use portal_invite::service::contact_created::Verdict;
use sandbox::graph::State;
use sandbox::{Fault, Rule, Service};

use super::Simulation;

const SENDERS: [&str; 4] = [
    "a@contoso.example",
    "b@contoso.example",
    "c@contoso.example",
    "d@contoso.example",
];

/// What Exchange Online takes from a mailbox in a minute.
const RATE: usize = 30;

impl Simulation {
    /// Each mailbox that was refused is tried again after an hour.
    async fn dispatch_for_minutes(&self, minutes: u32) {
        for _ in 0..minutes {
            tokio::time::sleep(Duration::from_mins(1)).await;
            self.service.dispatch().await.unwrap();
        }
    }

    fn reminders(&self) -> usize {
        let letters = self.sandbox.graph.letters();
        let keys = letters
            .iter()
            .flat_map(|letter| letter.extended_properties.values());
        keys.filter(|key| key.contains("/remind/")).count()
    }

    /// Fires the dispatcher each minute until so many reminders are sent; gives the minutes.
    async fn minutes_until_reminded(&self, reminders: usize) -> u64 {
        for minute in 1..600 {
            self.dispatch_for_minutes(1).await;
            if self.reminders() == reminders {
                return minute;
            }
        }
        panic!("ten hours were not enough");
    }

    /// Fires the dispatcher each minute, as the host does, until a batch has ended; gives the minutes.
    async fn minutes_until_sent(&self, batch: BatchNumber) -> u64 {
        for minute in 1..600 {
            tokio::time::sleep(Duration::from_mins(1)).await;
            let service = self.service.clone();
            // The next tick comes whether or not this run is over.
            tokio::spawn(async move { service.dispatch().await.unwrap() });
            tokio::time::sleep(Duration::from_millis(1)).await;
            if self.service.batch(batch).await.unwrap().finished {
                return minute;
            }
        }
        panic!("ten hours were not enough");
    }
}

async fn thousand_letters_over(senders: usize) {
    let simulation = Simulation::start(&SENDERS[..senders]);
    let began = simulation.clock.instant();
    let report = simulation.invite(simulation.contacts(1_000)).await;
    assert!(!report.finished, "the caller is not kept waiting");
    let batch = report.number.unwrap();
    simulation.minutes_until_sent(batch).await;
    let took = simulation.clock.instant().duration_since(began);
    let minutes = took.as_secs().div_ceil(60);
    let due = 1_000_u64.div_ceil((RATE * senders) as u64) + 2;
    assert!(minutes <= due, "{minutes} minutes over {senders} senders");
    let report = simulation.service.batch(batch).await.unwrap();
    assert_eq!(report.counts.sent, 1_000);
    assert_eq!(simulation.sandbox.graph.letters().len(), 1_000);
    for sender in &SENDERS[..senders] {
        let graph = &simulation.sandbox.graph;
        assert!(graph.max_sent_in_60s(sender) <= RATE, "{sender}");
        assert!(graph.max_in_flight(sender) <= 4, "{sender}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_letters_leave_at_the_pace_of_their_senders() {
    for senders in 1..=SENDERS.len() {
        thousand_letters_over(senders).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_batch_is_not_stuck_behind_a_huge_one() {
    let simulation = Simulation::start(&SENDERS[..1]);
    let everyone = simulation.contacts(605);
    let (huge, small) = everyone.split_at(600);
    let report = simulation.invite(huge.to_vec()).await;
    let huge = report.number.unwrap();
    let report = simulation.invite(small.to_vec()).await;
    let small = report.number.unwrap();
    let minutes = simulation.minutes_until_sent(small).await;
    assert!(minutes <= 2, "{minutes} minutes for five letters");
    let report = simulation.service.batch(huge).await.unwrap();
    assert!(!report.finished, "the huge one still goes on");
    simulation.minutes_until_sent(huge).await;
}

/// More batches than are worked on at once wait for a mailbox that is refused.
#[tokio::test(start_paused = true)]
async fn batches_that_cannot_go_on_leave_their_place_to_others() {
    let simulation = Simulation::start(&SENDERS[..2]);
    let graph = &simulation.sandbox.graph;
    for sender in &SENDERS[..2] {
        graph.mailbox_state(sender, State::AccessDenied);
    }
    let mut batches = Vec::new();
    for contact in simulation.contacts(120) {
        let report = simulation.invite(vec![contact]).await;
        assert!(!report.finished);
        batches.push(report.number.unwrap());
    }
    graph.mailbox_state(SENDERS[1], State::Ok);
    simulation.dispatch_for_minutes(70).await;
    let sent = graph.sent_items(SENDERS[1]).len();
    graph.mailbox_state(SENDERS[0], State::Ok);
    simulation.dispatch_for_minutes(70).await;
    for batch in batches {
        let report = simulation.service.batch(batch).await.unwrap();
        assert_eq!(report.counts.sent, 1);
    }
    let later = graph.sent_items(SENDERS[1]).len();
    assert_eq!(sent, later, "none of this mailbox waited for the other");
}

/// A thousand reminders are due, and five hundred people are invited just then.
#[tokio::test(start_paused = true)]
async fn reminders_leave_within_the_day_and_after_everything_else() {
    let simulation = Simulation::start(&SENDERS[..1]);
    let everyone = simulation.contacts(1_500);
    let (first, others) = everyone.split_at(1_000);
    let report = simulation.invite(first.to_vec()).await;
    simulation.minutes_until_sent(report.number.unwrap()).await;
    tokio::time::sleep(Duration::from_hours(24 * 12)).await;
    let tally = simulation.service.remind().await.unwrap();
    assert_eq!((tally.planned, tally.batches), (1_000, 1));
    let report = simulation.invite(others.to_vec()).await;
    let minutes = simulation.minutes_until_sent(report.number.unwrap()).await;
    let due = 500_u64.div_ceil(RATE as u64) + 2;
    assert!(
        minutes <= due,
        "{minutes} minutes beside reminders that wait"
    );
    let minutes = simulation.minutes_until_reminded(1_000).await;
    assert!(
        minutes <= 1_000_u64.div_ceil(RATE as u64) + 2,
        "{minutes} minutes"
    );
    assert!(simulation.sandbox.graph.max_sent_in_60s(SENDERS[0]) <= RATE);
    assert_eq!(simulation.service.remind().await.unwrap().planned, 0);
}

/// An import told of four hundred contacts that a rule invites, when somebody invites forty.
#[tokio::test(start_paused = true)]
async fn what_somebody_asked_for_comes_before_what_a_rule_did() {
    let rule = ("AUTO_INVITE_FILTER", "statecode eq 0".to_owned());
    let simulation = Simulation::set(&SENDERS[..1], vec![rule]);
    let everyone = simulation.contacts(440);
    let (imported, asked) = everyone.split_at(400);
    for contact in imported {
        let verdict = simulation.service.contact_created(*contact).await;
        assert!(matches!(verdict, Ok(Verdict::Accepted(_))), "{verdict:?}");
    }
    simulation.dispatch_for_minutes(1).await;
    let report = simulation.invite(asked.to_vec()).await;
    let minutes = simulation.minutes_until_sent(report.number.unwrap()).await;
    assert!(minutes <= 3, "{minutes} minutes for forty letters");
    simulation
        .dispatch_for_minutes(400_u32.div_ceil(30) + 2)
        .await;
    assert_eq!(simulation.sandbox.graph.letters().len(), 440);
    assert!(simulation.sandbox.graph.max_sent_in_60s(SENDERS[0]) <= RATE);
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_lets_go_is_taken_over_by_the_run_that_goes_on() {
    let settings = vec![("INLINE_SECONDS", "5".to_owned())];
    let simulation = Simulation::set(&SENDERS[..1], settings);
    let slow = Rule::on(Service::Dataverse, Fault::Delay(Duration::from_secs(1)));
    let creating = slow.inside_batch().method(http::Method::PATCH);
    simulation.sandbox.faults.add(creating);
    let post = simulation.invite(simulation.contacts(10));
    let run = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        simulation.service.dispatch().await.unwrap()
    };
    let (report, run) = futures::future::join(post, run).await;
    assert_eq!((report.finished, report.counts.pending), (false, 10));
    assert_eq!((run.worked, run.settled), (1, 10));
}
