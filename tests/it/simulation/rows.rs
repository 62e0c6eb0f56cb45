//! Rows of a batch: created while the first letters leave; looked for until none is missing, and never after.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use portal_invite::domain::outcome::{OutcomeKind, ReasonCode};
use sandbox::{Fault, Rule, Service as Remote};

use super::ceiling::realistic;
use super::{Simulation, contacts, request};

/// Three minutes of one mailbox.
const CONTACTS: usize = 90;

impl Simulation {
    /// Counts how often somebody asks for all rows of a batch.
    fn count_searches(&self) -> Arc<AtomicUsize> {
        let searches = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&searches);
        let count = Fault::Call(Arc::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        let asked = Rule::on(Remote::Dataverse, count).each_operation();
        let asked = asked.method(Method::GET);
        self.sandbox
            .faults
            .add(asked.path("importsequencenumber eq"));
        searches
    }
}

#[tokio::test(start_paused = true)]
async fn the_rows_of_a_batch_are_looked_for_once() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    let searches = simulation.count_searches();
    let report = simulation.invite(simulation.contacts(CONTACTS)).await;
    assert_eq!(
        (report.finished, searches.load(Ordering::Relaxed)),
        (false, 0)
    );
    let minutes = simulation.dispatch_each_minute(&report, 10).await;
    assert!(minutes > 1, "it was taken over more than once");
    assert_eq!(searches.load(Ordering::Relaxed), 1);
    assert_eq!(simulation.sandbox.graph.letters().len(), CONTACTS);
}

#[tokio::test(start_paused = true)]
async fn rows_that_could_not_be_created_for_minutes_are_created_then() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    let contacts = simulation.contacts(10);
    let unavailable = Fault::Answer {
        status: 503,
        retry_after_seconds: None,
        code: "0x80072321".to_owned(),
        effect: false,
    };
    let creating = Rule::on(Remote::Dataverse, unavailable).inside_batch();
    let creating = creating.method(Method::PATCH).path("/adx_invitations(");
    simulation.sandbox.faults.add(creating);
    let report = simulation.service.invite(request(contacts), None).await;
    let report = report.unwrap();
    simulation.service.dispatch().await.unwrap();
    simulation.service.dispatch().await.unwrap();
    let invitations = &simulation.sandbox.dataverse.rows("adx_invitations");
    assert_eq!((invitations.len(), report.finished), (0, false));
    simulation.sandbox.faults.clear();
    simulation.dispatch_each_minute(&report, 10).await;
    assert_eq!(simulation.sandbox.graph.letters().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_somebody_deletes_after_that_is_not_created_again() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    let contacts = simulation.contacts(CONTACTS);
    let last = contacts[CONTACTS - 1];
    let report = simulation.invite(contacts).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    simulation.service.dispatch().await.unwrap();
    let dataverse = &simulation.sandbox.dataverse;
    let row = dataverse.invitations_of(last.uuid()).remove(0);
    let id = row["adx_invitationid"].as_str().unwrap().parse().unwrap();
    assert!(dataverse.delete("adx_invitations", id));
    simulation.dispatch_each_minute(&report, 10).await;
    assert!(dataverse.invitations_of(last.uuid()).is_empty());
    let report = simulation
        .service
        .batch(report.number.unwrap())
        .await
        .unwrap();
    assert_eq!(
        (report.counts.sent, report.counts.failed),
        (CONTACTS - 1, 1)
    );
    let failed = report
        .results
        .iter()
        .find(|entry| entry.outcome == OutcomeKind::Failed)
        .unwrap();
    let reason = failed.reason.as_ref().map(|reason| reason.code);
    assert_eq!(reason, Some(ReasonCode::Conflict));
}

#[tokio::test(start_paused = true)]
async fn the_first_letters_do_not_wait_for_the_last_rows() {
    let senders = ["a@contoso.example", "b@contoso.example"];
    let simulation = Simulation::upon(realistic(&senders), &senders, Vec::new());
    let everyone = contacts(&simulation.sandbox, 3_000);
    let report = simulation.service.invite(request(everyone), None).await;
    assert_eq!(report.unwrap().counts.sent, 60, "both send what they may");
    let letters = simulation.sandbox.graph.letters();
    let rows = simulation.sandbox.dataverse.rows("adx_invitations");
    let created = |row: &serde_json::Value| row["createdon"].as_str().unwrap().parse().unwrap();
    let last: jiff::Timestamp = rows.iter().map(created).max().unwrap();
    let before = letters.iter().filter(|letter| letter.sent_at < last);
    assert_eq!((rows.len(), before.count()), (3_000, 60));
}
