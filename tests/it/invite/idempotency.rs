//! The Idempotency-Key: the same request again is the same batch, whenever and however often it comes.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_same_key_and_body_are_the_same_batch_and_no_second_letter() {
    let world = World::start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    let body = json!({"contactIds": [ann, ben], "requestedBy": "Ida"});
    let first = world.invite_keyed("order 7", &body).await;
    assert_eq!(first.outcomes(), ["sent", "sent"]);
    let writes = world.sandbox.dataverse.writes();
    let again = world.invite_keyed("order 7", &body).await;
    assert_eq!((again.status, again.json()), (200, first.json()));
    world.restart().await;
    let later = world.invite_keyed("order 7", &body).await;
    assert_eq!((later.status, later.json()), (200, first.json()));
    assert_eq!(world.sandbox.dataverse.writes(), writes);
    world.assert_each_has_one_letter_and_row(&[ann, ben]);
}

#[tokio::test]
async fn another_key_is_another_batch() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let body = json!({"contactIds": [ann]});
    let first = world.invite_keyed("a", &body).await;
    let second = world.invite_keyed("A", &body).await;
    assert_ne!(first.batch(), second.batch());
    assert_eq!(second.outcomes(), ["kept"]);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let world = World::start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    world.invite_keyed("k", &json!({"contactIds": [ann]})).await;
    let writes = world.sandbox.dataverse.writes();
    let other = world.invite_keyed("k", &json!({"contactIds": [ben]})).await;
    other.assert_problem(422, "keyReused");
    assert_eq!(world.sandbox.dataverse.writes(), writes);
    assert_eq!(world.sandbox.graph.letters().len(), 1);
    assert_eq!(world.stored("done").len(), 1);
}

#[tokio::test]
async fn twenty_twins_at_once_are_one_batch_with_one_letter_each() {
    let world = World::start().await;
    let people = world.contacts(3);
    let body = json!({ "contactIds": people });
    let twins = (0..20).map(|_| world.invite_keyed("k", &body));
    let answers = futures::future::join_all(twins).await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json(), answers[0].json());
    }
    assert_eq!(answers[0].outcomes(), ["sent"; 3]);
    world.assert_each_has_one_letter_and_row(&people);
    assert_eq!(world.stored("done").len(), 1);
    assert_eq!(world.stored("open").len(), 0);
}

#[tokio::test]
async fn racing_requests_without_keys_make_one_invitation_each() {
    let world = World::start().await;
    let people = world.contacts(2);
    let racers = (0..8).map(|_| world.invite_contacts(&people));
    let answers = futures::future::join_all(racers).await;
    for answer in &answers {
        assert!([200, 202].contains(&answer.status), "{}", answer.text);
    }
    world.dispatch_until_idle().await;
    let pending = |row: &serde_json::Value| row["statecode"] == 0;
    for contact in &people {
        assert_eq!(
            world
                .rows(*contact)
                .iter()
                .filter(|row| pending(row))
                .count(),
            1
        );
    }
    assert!(
        world
            .letters_by_address()
            .values()
            .all(|letters| *letters == 1)
    );
    assert_eq!(world.letters_by_address().len(), 2);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let bad = json!({"contactIds": [ann], "validDays": 0});
    world
        .invite_keyed("k", &bad)
        .await
        .assert_problem(400, "invalidRequest");
    world.assert_untouched();
    let good = json!({"contactIds": [ann]});
    assert_eq!(world.invite_keyed("k", &good).await.outcomes(), ["sent"]);
}

#[tokio::test]
async fn a_key_is_at_most_255_characters() {
    let world = World::start().await;
    let body = json!({"contactIds": [world.contact("Ann")]});
    world
        .invite_keyed(&"k".repeat(256), &body)
        .await
        .assert_problem(400, "invalidRequest");
    world.assert_untouched();
    let longest = world.invite_keyed(&"k".repeat(255), &body).await;
    assert_eq!(longest.outcomes(), ["sent"]);
}

#[tokio::test]
async fn an_empty_key_is_none() {
    let world = World::start().await;
    let body = json!({"contactIds": [world.contact("Ann")]});
    let first = world.invite_keyed("", &body).await;
    let second = world.invite_keyed("", &body).await;
    assert_eq!(second.outcomes(), ["kept"]);
    assert_ne!(first.batch(), second.batch());
}
