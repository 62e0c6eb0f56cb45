//! What Exchange and Dataverse refuse for good: which entry ends with which reason, and what becomes of its row.

use jiff::{SignedDuration, Timestamp};
use sandbox::dataverse::Verb;
use sandbox::graph::State;
use sandbox::{Fault, Rule, Service};
use serde_json::{Value, json};

use crate::world::{Answer, SENDER, Setup, World};

fn refusal(status: u16, code: &str) -> Fault {
    Fault::Answer {
        status,
        retry_after_seconds: None,
        code: code.to_owned(),
        effect: false,
    }
}

fn reason(answer: &Answer, place: usize) -> String {
    answer.each("reason")[place]["message"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Of three letters one was refused: its row is closed, the others' letters went.
async fn assert_one_refused(world: &World) {
    let people = world.contacts(3);
    let answer = world.invite_contacts(&people).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut outcomes = answer.outcomes();
    let place = outcomes
        .iter()
        .position(|outcome| outcome == "failed recipientRefused")
        .unwrap();
    outcomes.remove(place);
    assert_eq!(outcomes, ["sent", "sent"]);
    let told = reason(&answer, place);
    assert!(told.contains("ErrorInvalidRecipients"), "{told}");
    let row = world.row(people[place]);
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(row["adx_invitationcode"], Value::Null);
    let mut others = people;
    others.remove(place);
    world.assert_each_has_one_letter_and_row(&others);
    assert_eq!(world.sandbox.graph.letters().len(), 2);
}

#[tokio::test]
async fn a_recipient_that_exchange_refuses_at_sending_fails_alone() {
    let world = World::start().await;
    let fault = refusal(400, "ErrorInvalidRecipients");
    let rule = Rule::on(Service::Graph, fault).inside_batch().path("/send");
    world.sandbox.faults.add(rule.times(1));
    assert_one_refused(&world).await;
}

#[tokio::test]
async fn a_recipient_that_exchange_refuses_at_drafting_fails_alone() {
    let world = World::start().await;
    let fault = refusal(400, "ErrorInvalidRecipients");
    let rule = Rule::on(Service::Graph, fault)
        .inside_batch()
        .path("/messages");
    world.sandbox.faults.add(rule.times(1));
    assert_one_refused(&world).await;
}

#[tokio::test]
async fn a_recipient_that_exchange_refuses_without_a_draft_fails_alone() {
    let world = Setup::default()
        .setting("MAIL_DELIVERY", "send")
        .start()
        .await;
    let fault = refusal(400, "ErrorInvalidRecipients");
    let rule = Rule::on(Service::Graph, fault).path("/sendMail");
    world.sandbox.faults.add(rule.times(1));
    assert_one_refused(&world).await;
}

#[tokio::test]
async fn rows_that_dataverse_refuses_fail_with_its_words() {
    let world = World::start().await;
    world
        .sandbox
        .dataverse
        .deny("adx_invitations", Verb::Create);
    let people = world.contacts(2);
    let answer = world.invite_contacts(&people).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.outcomes(), ["failed dataverseRefused"; 2]);
    let told = reason(&answer, 0);
    assert!(told.contains("prvCreateadx_invitation"), "{told}");
    assert_eq!(world.sandbox.graph.letters(), []);
    assert_eq!(world.sandbox.dataverse.writes(), 0);
    world
        .sandbox
        .dataverse
        .permit("adx_invitations", Verb::Create);
    assert_eq!(
        world.invite_contacts(&people).await.outcomes(),
        ["sent", "sent"],
        "nothing stands in the way afterwards"
    );
}

#[tokio::test]
async fn one_row_that_dataverse_refuses_fails_alone() {
    let world = World::start().await;
    let rule = Rule::on(Service::Dataverse, refusal(400, "0x80048d19"));
    let rule = rule.inside_batch().method(http::Method::PATCH);
    world.sandbox.faults.add(rule.skip(1).times(1));
    let people = world.contacts(3);
    let answer = world.invite_contacts(&people).await;
    assert_eq!(
        answer.outcomes(),
        ["sent", "failed dataverseRefused", "sent"]
    );
    world.assert_each_has_one_letter_and_row(&[people[0], people[2]]);
    assert_eq!(world.rows(people[1]), [Value::Null; 0]);
}

/// Rewrites a journal so that the mailbox has been refused, try after try, since so many hours.
#[expect(
    clippy::disallowed_methods,
    reason = "the product runs by the machine's clock"
)]
fn refused_for(world: &World, hours: i64) {
    let path = world
        .store
        .path()
        .join("open")
        .join(&world.stored("open")[0]);
    let journal = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = journal
        .lines()
        .filter(|line| !line.contains(r#""line":"resting""#))
        .map(str::to_owned)
        .collect();
    assert_ne!(lines.len(), journal.lines().count(), "a refusal to replace");
    let now = Timestamp::now();
    let ago = |hours: i64| now - SignedDuration::from_hours(hours) - SignedDuration::from_mins(1);
    for hour in (1..=hours).rev() {
        let line = json!({
            "line": "resting", "mailbox": SENDER, "cause": "refused",
            "at": ago(hour), "until": ago(hour - 1),
        });
        lines.push(line.to_string());
    }
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
}

async fn refused_mailbox(state: State) -> (World, Vec<uuid::Uuid>, Answer) {
    let world = World::start().await;
    world.sandbox.graph.mailbox_state(SENDER, state);
    let people = world.contacts(2);
    let answer = world.invite_contacts(&people).await;
    assert_eq!(answer.status, 202, "rights take hours to arrive");
    assert_eq!(answer.json()["counts"]["pending"], 2);
    (world, people, answer)
}

#[tokio::test]
async fn a_sender_that_is_refused_for_a_day_is_given_up() {
    for state in [State::AccessDenied, State::NoMailbox, State::Full] {
        let (world, people, posted) = refused_mailbox(state).await;
        refused_for(&world, 25);
        world.dispatch().await;
        let batch = world.get(&format!("/api/batches/{}", posted.batch())).await;
        assert_eq!(batch.status, 200, "{state:?}: {}", batch.text);
        assert_eq!(batch.outcomes(), ["failed senderRefused"; 2]);
        for contact in people {
            let row = world.row(contact);
            assert_eq!(row["statecode"], 1, "closed");
            assert_eq!(row["adx_invitationcode"], Value::Null);
        }
        assert_eq!(world.sandbox.graph.letters(), []);
    }
}

#[tokio::test]
async fn a_sender_that_is_refused_for_less_than_a_day_is_tried_again() {
    let (world, people, posted) = refused_mailbox(State::AccessDenied).await;
    refused_for(&world, 20);
    world.dispatch().await;
    let batch = format!("/api/batches/{}", posted.batch());
    assert_eq!(world.get(&batch).await.status, 202);
    world.sandbox.graph.mailbox_state(SENDER, State::Ok);
    refused_for(&world, 20);
    world.dispatch().await;
    assert_eq!(world.get(&batch).await.outcomes(), ["sent", "sent"]);
    world.assert_each_has_one_letter_and_row(&people);
}
