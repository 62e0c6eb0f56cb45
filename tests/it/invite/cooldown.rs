//! A request that comes twice sends one letter: within the cooldown, while the first one waits, and at once.

use jiff::SignedDuration;
use sandbox::{Fault, Rule, Service};
use serde_json::json;
use uuid::Uuid;

use super::row_of;
use crate::world::{Setup, World};

async fn ask(world: &World, contacts: &[Uuid], when_pending: &str) -> Vec<String> {
    let body = json!({"contactIds": contacts, "whenPending": when_pending});
    world.invite(&body).await.outcomes()
}

#[tokio::test]
async fn without_a_key_nothing_is_sent_again_before_the_cooldown_is_over() {
    let setup = Setup::default().setting("RESEND_COOLDOWN_MINUTES", "30");
    let world = setup.start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    world.invite_contacts(&[ann, ben]).await;
    for (minutes, outcome) in [(0, "kept"), (29, "kept"), (2, "sent"), (0, "kept")] {
        world.sandbox.age(SignedDuration::from_mins(minutes));
        assert_eq!(ask(&world, &[ann], "resend").await, [outcome]);
        assert_eq!(ask(&world, &[ben], "replace").await, [outcome]);
    }
    let letters = world.letters_by_address();
    assert!(letters.values().all(|letters| *letters == 2), "{letters:?}");
    assert_eq!((world.rows(ann).len(), world.rows(ben).len()), (1, 2));
}

#[tokio::test]
async fn what_somebody_just_prepared_is_sent_at_once_and_then_not_again() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    row_of(&world, ann, &json!({}));
    assert_eq!(ask(&world, &[ann], "resend").await, ["sent"]);
    assert_eq!(ask(&world, &[ann], "resend").await, ["kept"]);
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_cooldown_of_zero_sends_every_time() {
    let setup = Setup::default().setting("RESEND_COOLDOWN_MINUTES", "0");
    let world = setup.start().await;
    let ann = world.contact("Ann");
    world.invite_contacts(&[ann]).await;
    for _ in 0..2 {
        // A second passes, by which Dataverse tells changes of a row apart.
        world.sandbox.age(SignedDuration::from_secs(1));
        assert_eq!(ask(&world, &[ann], "resend").await, ["sent"]);
    }
    assert_eq!(world.sandbox.graph.letters().len(), 3);
}

/// The first request has a letter out and one that waits for the sender's next minute.
#[tokio::test]
async fn a_resend_that_still_waits_is_not_sent_by_another_request_too() {
    let setup = Setup::default().setting("MAIL_RATE_PER_MINUTE", "2");
    let world = setup.setting("INLINE_SECONDS", "5").start().await;
    let people = ["Ann", "Ben", "Cid"].map(|name| {
        let contact = world.contact(name);
        row_of(&world, contact, &json!({}));
        contact
    });
    let body = json!({"contactIds": people, "whenPending": "resend"});
    let first = world.invite(&body).await;
    assert_eq!(first.status, 202, "{}", first.text);
    let waiting = json!({"contactIds": [people[2]], "whenPending": "resend"});
    let others = [
        world.invite(&waiting).await,
        world.invite_keyed("other", &waiting).await,
    ];
    for other in others {
        assert_eq!(other.outcomes(), ["kept inProgress"]);
    }
    world.restart().await;
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&people);
}

#[tokio::test]
async fn of_racing_requests_one_sends_the_letter_again() {
    let world = World::start().await;
    let people = world.contacts(10);
    for contact in &people {
        row_of(&world, *contact, &json!({}));
    }
    // Every request sees the rows as they were before any letter.
    let slow = Rule::on(
        Service::Graph,
        Fault::Delay(std::time::Duration::from_secs(1)),
    );
    world.sandbox.faults.add(slow);
    let body = json!({"contactIds": people, "whenPending": "resend"});
    let requests = (0..4).map(|_| world.invite(&body));
    for answer in futures::future::join_all(requests).await {
        assert!(matches!(answer.status, 200 | 202), "{}", answer.text);
    }
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&people);
}

#[tokio::test]
async fn of_racing_requests_one_replaces() {
    let world = World::start().await;
    let people = world.contacts(10);
    for contact in &people {
        row_of(&world, *contact, &json!({}));
    }
    let body = json!({"contactIds": people, "whenPending": "replace"});
    let requests = (0..4).map(|_| world.invite(&body));
    futures::future::join_all(requests).await;
    world.dispatch_until_idle().await;
    for contact in people {
        let rows = world.rows(contact);
        let open = rows.iter().filter(|row| row["statecode"] == 0).count();
        assert_eq!((rows.len(), open), (2, 1), "{rows:?}");
        world.letter(contact);
    }
}

#[tokio::test]
async fn a_claim_of_a_request_that_died_unaccepted_holds_nobody_up() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let id = row_of(&world, ann, &json!({}));
    let modified = world.row(ann)["modifiedon"].as_str().unwrap().to_owned();
    let modified: jiff::Timestamp = modified.parse().unwrap();
    let key = format!("letter-{id}-{}-0", modified.as_second());
    let record = json!({"batch": 1_234_567_890, "bodyHash": ""}).to_string();
    std::fs::write(world.store.path().join("keys").join(key), record).unwrap();
    std::fs::write(world.store.path().join("open/1234567890.jsonl"), "").unwrap();
    assert_eq!(ask(&world, &[ann], "resend").await, ["sent"]);
    assert_eq!(
        world.stored("open"),
        [""; 0],
        "the dead one's journal is gone"
    );
    world.assert_each_has_one_letter_and_row(&[ann]);
}
