//! Requests that race for the same contacts: one row and one letter each, whoever wins.

use std::sync::Arc;

use futures::future::join_all;
use sandbox::Latency;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::json;

use crate::world::{Answer, Setup, World};

async fn slow_services() -> World {
    let mut setup = Setup::default();
    setup.options.latency = Latency::Realistic;
    setup.start().await
}

fn assert_taken(answer: &Answer) {
    assert!([200, 202].contains(&answer.status), "{}", answer.text);
}

#[tokio::test]
async fn twenty_racing_requests_make_one_row_and_one_letter_each() {
    let world = slow_services().await;
    let contacts = world.contacts(3);
    let requests = (0..20).map(|_| world.invite_contacts(&contacts));
    let answers = join_all(requests).await;
    answers.iter().for_each(assert_taken);
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&contacts);
    let mut sent = 0;
    for answer in answers {
        for outcome in world.result(answer.batch()).await.outcomes() {
            assert!(
                ["sent", "kept", "kept inProgress"].contains(&outcome.as_str()),
                "{outcome}"
            );
            sent += usize::from(outcome == "sent");
        }
    }
    assert_eq!(sent, contacts.len(), "each letter has one sender");
}

#[tokio::test]
async fn twenty_racing_requests_with_one_key_are_one_batch() {
    let world = slow_services().await;
    let contacts = world.contacts(3);
    let body = json!({"contactIds": contacts});
    let answers = join_all((0..20).map(|_| world.invite_keyed("run-7", &body))).await;
    answers.iter().for_each(assert_taken);
    world.dispatch_until_idle().await;
    let batch = answers[0].batch();
    for answer in &answers {
        assert_eq!(answer.batch(), batch);
        if answer.status == 200 {
            assert_eq!(answer.outcomes(), ["sent"; 3]);
        }
    }
    assert_eq!(world.result(batch).await.outcomes(), ["sent"; 3]);
    world.assert_each_has_one_letter_and_row(&contacts);
}

#[tokio::test]
async fn racing_requests_with_keys_of_their_own_share_the_letters() {
    let world = slow_services().await;
    let contacts = world.contacts(3);
    let body = json!({"contactIds": contacts});
    let keys: Vec<String> = (0..20).map(|number| format!("run-{number}")).collect();
    let answers = join_all(keys.iter().map(|key| world.invite_keyed(key, &body))).await;
    answers.iter().for_each(assert_taken);
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&contacts);
}

#[tokio::test]
async fn a_row_of_ours_that_turns_out_to_be_older_stands_and_the_new_one_closes() {
    let world = World::start().await;
    let (ann, ben) = (world.contact("Ann"), world.contact("Ben"));
    let first = world.invite_contacts(&[ann]).await.batch();
    let dataverse = world.sandbox.dataverse.clone();
    let older = json!({
        "adx_name": "Ben Tester", "adx_type": 756_150_000, "adx_maximumredemptions": 1,
        "adx_invitationcode": "k".repeat(43), "adx_expirydate": "2099-01-01T00:00:00Z",
        "importsequencenumber": first, "statuscode": 756_150_000,
        "_adx_invitecontact_value": ben, "createdon": "2020-01-01T00:00:00Z",
    });
    let appear = Fault::Call(Arc::new(move || {
        dataverse.insert("adx_invitations", &older);
    }));
    let create = Rule::on(Service::Dataverse, appear)
        .inside_batch()
        .method(http::Method::PATCH);
    world
        .sandbox
        .faults
        .add(create.path("adx_invitations(").times(1));
    let answer = world.invite_contacts(&[ben]).await;
    assert_eq!(answer.outcomes(), ["kept"]);
    let rows = world.rows(ben);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        answer.json()["results"][0]["invitationId"],
        rows[0]["adx_invitationid"]
    );
    assert_eq!(
        (&rows[1]["statecode"], &rows[1]["adx_invitationcode"]),
        (&json!(1), &json!(null))
    );
    assert!(world.mailed_codes(ben).is_empty());
}
