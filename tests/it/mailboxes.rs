//! Mailboxes that do not work: they rest, the batch stays open, and its letters go once they work again.

use std::sync::Arc;

use http::Method;
use jiff::SignedDuration;
use sandbox::faults::{Fault, Rule, Service};
use sandbox::graph::State;
use serde_json::json;

use crate::trouble::instead;
use crate::world::{SENDER, Setup, World};

const REFUSING: [State; 3] = [State::AccessDenied, State::NoMailbox, State::Full];

async fn impatient() -> World {
    Setup::default()
        .setting("INLINE_SECONDS", "4")
        .start()
        .await
}

/// An hour passes for the journal.
fn let_the_rest_pass(world: &World) {
    world.backdate("resting", SignedDuration::from_hours(1));
}

#[tokio::test]
async fn letters_of_a_refused_mailbox_wait_and_go_once_it_works() {
    for state in REFUSING {
        let world = impatient().await;
        let contacts = world.contacts(2);
        world.sandbox.graph.mailbox_state(SENDER, state);
        let answer = world.invite_contacts(&contacts).await;
        assert_eq!(
            (answer.status, &answer.json()["counts"]["pending"]),
            (202, &json!(2)),
            "{state:?}"
        );
        world.sandbox.graph.mailbox_state(SENDER, State::Ok);
        let calls = world.count(|fault| Rule::on(Service::Graph, fault));
        world.dispatch().await;
        assert_eq!(
            calls.count(),
            0,
            "{state:?}: a mailbox that rests is left alone"
        );
        let_the_rest_pass(&world);
        world.dispatch_until_idle().await;
        assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"; 2]);
        world.assert_each_has_one_letter_and_row(&contacts);
    }
}

#[tokio::test]
async fn a_mailbox_refused_between_draft_and_send_keeps_its_letters() {
    for state in REFUSING {
        let world = impatient().await;
        let ann = world.contact("Ann");
        let graph = world.sandbox.graph.clone();
        let refuse = Fault::Call(Arc::new(move || graph.mailbox_state(SENDER, state)));
        let send = Rule::on(Service::Graph, refuse)
            .path("$batch")
            .skip(1)
            .times(1);
        world.sandbox.faults.add(send);
        let answer = world.invite_contacts(&[ann]).await;
        assert_eq!(answer.status, 202, "{state:?}: {}", answer.text);
        world.sandbox.graph.mailbox_state(SENDER, State::Ok);
        if world.journal().iter().any(|line| line["line"] == "resting") {
            let_the_rest_pass(&world);
        }
        world.sandbox.age(SignedDuration::from_secs(61));
        world.dispatch_until_idle().await;
        assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
        world.assert_each_has_one_letter_and_row(&[ann]);
    }
}

#[tokio::test]
async fn a_mailbox_at_its_daily_quota_rests_for_an_hour_and_goes_on() {
    let world = impatient().await;
    let contacts = world.contacts(3);
    world
        .sandbox
        .graph
        .configure(|rules| rules.daily_recipients = 2);
    let answer = world.invite_contacts(&contacts).await;
    assert_eq!(
        (answer.status, &answer.json()["counts"]["sent"]),
        (202, &json!(2))
    );
    let mut journal = world.journal().into_iter();
    let resting = journal.rfind(|line| line["line"] == "resting").unwrap();
    let [at, until] =
        ["at", "until"].map(|field| resting[field].as_str().unwrap().parse().unwrap());
    let hours = jiff::Timestamp::duration_since(until, at).as_hours();
    assert_eq!((&resting["cause"], hours), (&json!("quota"), 1));
    world.sandbox.age(SignedDuration::from_hours(24));
    let_the_rest_pass(&world);
    world.dispatch_until_idle().await;
    assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"; 3]);
    world.assert_each_has_one_letter_and_row(&contacts);
}

#[tokio::test]
async fn letters_of_a_mailbox_refused_for_a_day_are_given_up_and_their_rows_closed() {
    let world = impatient().await;
    let ann = world.contact("Ann");
    world
        .sandbox
        .graph
        .mailbox_state(SENDER, State::AccessDenied);
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.status, 202);
    world.backdate_field("resting", "at", SignedDuration::from_hours(23));
    world.backdate_field("resting", "until", SignedDuration::from_hours(1));
    world.dispatch().await;
    assert_eq!(
        world.open_journals().len(),
        1,
        "rights may take hours to arrive"
    );
    world.backdate_field("resting", "at", SignedDuration::from_hours(2));
    world.backdate_field("resting", "until", SignedDuration::from_hours(1));
    world.dispatch_until_idle().await;
    assert_eq!(
        world.result(answer.batch()).await.outcomes(),
        ["failed senderRefused"]
    );
    let row = world.row(ann);
    assert_eq!(
        (&row["statecode"], &row["adx_invitationcode"]),
        (&json!(1), &json!(null))
    );
}

/// Nobody may read the mailbox when the fate of a letter is open.
async fn fate_is_open_in_an_unreadable_mailbox(effect: bool) -> (World, uuid::Uuid, i64) {
    let world = impatient().await;
    let ann = world.contact("Ann");
    let send = |fault| {
        let rule = Rule::on(Service::Graph, fault).inside_batch();
        rule.method(Method::POST).path("/send").times(1)
    };
    world.sandbox.faults.add(send(instead(504, effect)));
    let look = |fault| {
        Rule::on(Service::Graph, fault)
            .path("$batch")
            .skip(2)
            .times(1)
    };
    let graph = world.sandbox.graph.clone();
    let refuse = move || graph.mailbox_state(SENDER, State::AccessDenied);
    world
        .sandbox
        .faults
        .add(look(Fault::Call(Arc::new(refuse))));
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    (world, ann, answer.batch())
}

#[tokio::test]
async fn a_letter_in_an_unreadable_mailbox_is_looked_up_once_it_can_be_read() {
    for effect in [false, true] {
        let (world, ann, batch) = fate_is_open_in_an_unreadable_mailbox(effect).await;
        world.sandbox.graph.mailbox_state(SENDER, State::Ok);
        let_the_rest_pass(&world);
        world.sandbox.age(SignedDuration::from_secs(61));
        world.dispatch_until_idle().await;
        assert_eq!(world.result(batch).await.outcomes(), ["sent"]);
        world.assert_each_has_one_letter_and_row(&[ann]);
    }
}

#[tokio::test]
async fn a_letter_in_a_mailbox_unreadable_for_a_day_is_left_to_a_person() {
    let (world, ann, batch) = fate_is_open_in_an_unreadable_mailbox(true).await;
    world.backdate("resting", SignedDuration::from_hours(25));
    world.dispatch_until_idle().await;
    assert_eq!(
        world.result(batch).await.outcomes(),
        ["unconfirmed unconfirmed"]
    );
    assert_eq!(world.row(ann)["statecode"], 0, "the letter may be with her");
}
