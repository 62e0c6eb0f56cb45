//! Stories that take minutes to days.

use std::sync::Arc;
use std::time::Duration;

use portal_invite::domain::ids::ContactId;
use portal_invite::domain::outcome::OutcomeKind;
use portal_invite::service::invite::InviteRequest;
use sandbox::graph::State;
use sandbox::{Fault, Rule, Service as Remote};
use serde_json::json;

use super::process::CONTAINER;
use super::{START, Simulation, request};

#[tokio::test(start_paused = true)]
async fn letters_leave_at_the_pace_of_their_senders_and_no_faster() {
    for senders in [
        &["a@contoso.example"][..],
        &["a@contoso.example", "b@contoso.example"],
    ] {
        let simulation = Simulation::start(senders);
        let contacts = simulation.contacts(300);
        let report = simulation.invite(contacts).await;
        assert!(!report.finished, "300 letters do not fit into a minute");
        let minutes = simulation.dispatch_each_minute(&report, 60).await;
        // The pool is split by chance, so the fuller mailbox decides.
        let most = senders
            .iter()
            .map(|sender| simulation.sandbox.graph.sent_items(sender).len())
            .max()
            .unwrap();
        let expected = i64::try_from(most.div_ceil(30)).unwrap();
        assert!(
            minutes <= expected + 1,
            "{minutes} minutes for {most} letters"
        );
        for sender in senders {
            assert!(simulation.sandbox.graph.max_sent_in_60s(sender) <= 30);
        }
        assert_eq!(simulation.sandbox.graph.letters().len(), 300);
        assert_eq!(
            simulation.outcomes(&report).await,
            vec![OutcomeKind::Sent; 300]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_refused_for_a_day_is_given_up_and_its_rows_are_closed() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    simulation
        .sandbox
        .graph
        .mailbox_state("a@contoso.example", State::AccessDenied);
    let report = simulation.invite(simulation.contacts(3)).await;
    assert!(!report.finished);
    let minutes = simulation.dispatch_each_minute(&report, 26 * 60).await;
    assert!(
        (24 * 60..=25 * 60 + 2).contains(&minutes),
        "given up after {minutes} minutes"
    );
    assert_eq!(
        simulation.outcomes(&report).await,
        vec![OutcomeKind::Failed; 3]
    );
    for row in simulation.sandbox.dataverse.rows("adx_invitations") {
        assert_eq!(
            (&row["statecode"], &row["adx_invitationcode"]),
            (&json!(1), &json!(null))
        );
    }
    let tries = simulation.sandbox.traffic.count(Remote::Graph);
    assert!(
        tries <= 30,
        "a refused mailbox is asked hourly, not {tries} times"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sender_whose_rights_arrive_late_loses_nothing() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    simulation
        .sandbox
        .graph
        .mailbox_state("a@contoso.example", State::AccessDenied);
    let report = simulation.invite(simulation.contacts(3)).await;
    tokio::time::sleep(Duration::from_mins(5)).await;
    simulation.service.dispatch().await.unwrap();
    simulation
        .sandbox
        .graph
        .mailbox_state("a@contoso.example", State::Ok);
    simulation.dispatch_each_minute(&report, 62).await;
    assert_eq!(
        simulation.outcomes(&report).await,
        vec![OutcomeKind::Sent; 3]
    );
    assert_eq!(simulation.sandbox.graph.letters().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_draft_whose_send_was_lost_is_sent_again_once_the_mailbox_left_it_alone() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    // The first call to Graph drafts, the second sends.
    simulation.sandbox.faults.add(
        Rule::on(Remote::Graph, Fault::DropBefore)
            .path("$batch")
            .skip(1)
            .times(1),
    );
    let report = simulation.invite(simulation.contacts(2)).await;
    simulation.dispatch_each_minute(&report, 5).await;
    assert_eq!(
        simulation.outcomes(&report).await,
        vec![OutcomeKind::Sent; 2]
    );
    let letters = simulation.sandbox.graph.letters();
    assert_eq!(letters.len(), 2);
    let start: jiff::Timestamp = START.parse().unwrap();
    assert!(
        letters
            .iter()
            .all(|letter| letter.sent_at.duration_since(start).as_secs() > 60)
    );
    assert!(
        simulation
            .sandbox
            .graph
            .drafts("a@contoso.example")
            .is_empty(),
        "no second draft was made"
    );
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_cannot_be_found_for_ten_minutes_is_left_to_a_person() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    simulation.sandbox.faults.add(
        Rule::on(Remote::Graph, Fault::DropAfter)
            .path("$batch")
            .skip(1)
            .times(1),
    );
    let graph = simulation.sandbox.graph.clone();
    let empty = Fault::Call(Arc::new(move || {
        for letter in graph.sent_items("a@contoso.example") {
            graph.delete_message("a@contoso.example", &letter.message_id);
        }
    }));
    simulation
        .sandbox
        .faults
        .add(Rule::on(Remote::Graph, empty).path("$batch").skip(2));
    let report = simulation.invite(simulation.contacts(1)).await;
    let minutes = simulation.dispatch_each_minute(&report, 20).await;
    assert!((9..=11).contains(&minutes), "{minutes} minutes");
    assert_eq!(
        simulation.outcomes(&report).await,
        [OutcomeKind::Unconfirmed]
    );
    assert_eq!(
        simulation.sandbox.graph.letters().len(),
        1,
        "and it was not sent again"
    );
    let row = &simulation.sandbox.dataverse.rows("adx_invitations")[0];
    assert_eq!(
        row["statuscode"], 1,
        "an unconfirmed letter leaves its row as it is"
    );
}

#[tokio::test(start_paused = true)]
async fn a_used_up_day_rests_the_mailbox_and_the_letters_go_the_next_day() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    simulation
        .sandbox
        .graph
        .configure(|rules| rules.daily_recipients = 5);
    let report = simulation.invite(simulation.contacts(8)).await;
    assert_eq!(report.counts.sent, 5);
    let minutes = simulation.dispatch_each_minute(&report, 26 * 60).await;
    assert!(minutes >= 23 * 60, "{minutes} minutes");
    assert_eq!(
        simulation.outcomes(&report).await,
        vec![OutcomeKind::Sent; 8]
    );
    assert_eq!(simulation.sandbox.graph.letters().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_draft_that_is_never_let_out_is_left_to_a_person_after_a_day() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    let sandbox = &simulation.sandbox;
    let lost = Rule::on(Remote::Graph, Fault::DropBefore);
    sandbox.faults.add(lost.path("$batch").skip(1).times(1));
    let refused = Fault::Answer {
        status: 400,
        retry_after_seconds: None,
        code: "ErrorInvalidRequest".to_owned(),
        effect: false,
    };
    let sends = Rule::on(Remote::Graph, refused).path("/send");
    sandbox.faults.add(sends.inside_batch());
    let report = simulation.invite(simulation.contacts(1)).await;
    let minutes = simulation.dispatch_each_minute(&report, 26 * 60).await;
    assert!(
        (24 * 60 - 1..=24 * 60 + 3).contains(&minutes),
        "{minutes} minutes"
    );
    let outcomes = simulation.outcomes(&report).await;
    assert_eq!(outcomes, [OutcomeKind::Unconfirmed]);
    assert!(simulation.sandbox.graph.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn links_that_nobody_handed_out_before_the_crash_are_handed_out_after_it() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    // The look between the creating of rows and the handing out of their links, and all after it.
    let lost = Rule::on(Remote::Dataverse, Fault::DropBefore);
    simulation.sandbox.faults.add(lost.path("$batch").skip(3));
    let asked = InviteRequest {
        send_email: false,
        ..request(simulation.contacts(2))
    };
    let report = simulation.service.invite(asked, None).await.unwrap();
    assert_eq!(report.counts.pending, 2);
    assert_eq!(
        simulation.sandbox.dataverse.rows("adx_invitations").len(),
        2
    );
    simulation.sandbox.faults.clear();
    simulation.dispatch_each_minute(&report, 3).await;
    let outcomes = simulation.outcomes(&report).await;
    assert_eq!(outcomes, [OutcomeKind::Created; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_closed_while_its_letter_is_looked_for_stays_closed() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    let sandbox = &simulation.sandbox;
    let dataverse = sandbox.dataverse.clone();
    let close = Fault::Call(Arc::new(move || {
        for row in dataverse.rows("adx_invitations") {
            let id = row["adx_invitationid"].as_str().unwrap().parse().unwrap();
            let closed = json!({"statecode": 1, "statuscode": 2});
            dataverse.change("adx_invitations", id, &closed);
        }
    }));
    let sends = || Rule::on(Remote::Graph, Fault::DropAfter).path("$batch");
    sandbox.faults.add(sends().skip(1).times(1));
    let then = Rule::on(Remote::Graph, close).path("$batch");
    sandbox.faults.add(then.skip(1).times(1));
    let report = simulation.invite(simulation.contacts(1)).await;
    simulation.dispatch_each_minute(&report, 5).await;
    let outcomes = simulation.outcomes(&report).await;
    assert_eq!(outcomes, [OutcomeKind::Sent]);
    assert_eq!(sandbox.graph.letters().len(), 1);
    let row = &sandbox.dataverse.rows("adx_invitations")[0];
    assert_eq!(
        row["statecode"], 1,
        "what a person closed is not opened again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_to_make_a_journal_that_comes_late_does_not_hide_the_finished_one() {
    let simulation = Simulation::start(&["a@contoso.example"]);
    let late = Rule::on(Remote::Storage, Fault::Delay(Duration::from_mins(2)));
    let making = late.method(http::Method::PUT).path("open/").times(1);
    // The container is there: its making is not what this is about.
    let first = simulation.invite(simulation.contacts(1)).await;
    assert!(first.finished);
    simulation.sandbox.faults.add(making);
    let contact = json!({"lastname": "Late", "emailaddress1": "late@customer.example"});
    let contact = simulation.sandbox.dataverse.insert("contacts", &contact);
    let report = simulation.invite(vec![ContactId::new(contact)]).await;
    assert!(report.finished);
    tokio::time::sleep(Duration::from_mins(3)).await;
    let names = simulation.sandbox.storage.names(CONTAINER);
    let open = names.iter().filter(|name| name.starts_with("open/"));
    assert_eq!(open.count(), 1, "the late request made an empty journal");
    assert_eq!(simulation.outcomes(&report).await, [OutcomeKind::Sent]);
    simulation.service.dispatch().await.unwrap();
    let names = simulation.sandbox.storage.names(CONTAINER);
    assert!(
        names.iter().all(|name| name.starts_with("done/")),
        "{names:?}"
    );
}
