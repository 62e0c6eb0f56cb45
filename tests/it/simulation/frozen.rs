//! Workers that freeze for longer than their lease is trusted: they wake up and touch nothing any more.

use std::sync::Arc;

use http::Method;
use portal_invite::domain::outcome::OutcomeKind;
use portal_invite::service::report::BatchReport;
use sandbox::{Fault, Rule, Service as Remote};

use super::Simulation;
use super::process::CONTAINER;

const SENDER: &str = "a@contoso.example";

/// Longer than a renewal is trusted, and not so long that the process is given up.
const FROZEN_SECONDS: i64 = 41;

/// Invites two contacts by a worker that freezes while a request of its is served.
async fn freeze_at(rule: impl FnOnce(Fault) -> Rule) -> (Simulation, BatchReport) {
    let simulation = Simulation::start(&[SENDER]);
    let clock = simulation.clock.clone();
    let freeze = Fault::Call(Arc::new(move || clock.skew(FROZEN_SECONDS)));
    simulation.sandbox.faults.add(rule(freeze).times(1));
    let report = Box::pin(simulation.invite(simulation.contacts(2))).await;
    assert_eq!((report.finished, report.counts.pending), (false, 2));
    (simulation, report)
}

async fn another_worker_finishes(simulation: &Simulation, report: &BatchReport) {
    simulation.dispatch_each_minute(report, 5).await;
    let sent = vec![OutcomeKind::Sent; 2];
    assert_eq!(simulation.outcomes(report).await, sent);
    assert_eq!(simulation.sandbox.graph.letters().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_froze_before_the_drafts_makes_none() {
    let read_again = |fault| {
        let rule = Rule::on(Remote::Dataverse, fault).inside_batch();
        rule.method(Method::GET).path("contacts?").skip(1)
    };
    let (simulation, report) = freeze_at(read_again).await;
    assert!(simulation.sandbox.graph.drafts(SENDER).is_empty());
    another_worker_finishes(&simulation, &report).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_froze_at_the_send_neither_journals_nor_marks() {
    let send = |fault| Rule::on(Remote::Graph, fault).path("$batch").skip(1);
    let (simulation, report) = freeze_at(send).await;
    assert_eq!(simulation.sandbox.graph.letters().len(), 2);
    let number = report.number.unwrap();
    let journal = format!("open/{number}.jsonl");
    let lines = simulation.sandbox.storage.content(CONTAINER, &journal);
    let lines = String::from_utf8(lines.unwrap()).unwrap();
    assert!(lines.contains(r#""line":"attempting""#) && !lines.contains("accepted"));
    for row in simulation.sandbox.dataverse.rows("adx_invitations") {
        assert_eq!(row["statuscode"], 1, "the row is not marked");
    }
    another_worker_finishes(&simulation, &report).await;
}
