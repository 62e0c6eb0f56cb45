//! Signing in: both kinds of managed identity, what a caller is told when there is none, and no cookies.

use std::time::Duration;

use sandbox::faults::{Fault, Rule, Service};
use serde_json::json;

use crate::world::{Answer, Setup, World};

const CLIENT_ID: &str = "5f6a4c1e-0d2b-4c3a-9e8f-7a6b5c4d3e2f";

fn user_assigned() -> Setup {
    let mut setup = Setup::default();
    setup.options.identity_client_id = Some(CLIENT_ID.to_owned());
    setup
}

async fn invites(world: &World) {
    let ann = world.contact("Ann");
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.outcomes(), ["sent"], "{}", answer.text);
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_system_assigned_identity_signs_in_to_both_services() {
    let world = World::start().await;
    assert_eq!(world.sandbox.identity.user_assigned_client_id(), None);
    invites(&world).await;
    assert_eq!(
        world.sandbox.identity.issued(),
        2,
        "one token a service, kept"
    );
}

#[tokio::test]
async fn a_user_assigned_identity_signs_in_by_its_client_id() {
    let world = user_assigned().start().await;
    invites(&world).await;
    assert_eq!(world.sandbox.identity.issued(), 2);
}

/// Nothing was done, and the answer says what is missing and where to look.
fn assert_says_what_to_do(world: &World, answer: &Answer) {
    assert!([502, 503].contains(&answer.status), "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    for word in [
        "no token for Dataverse",
        "managed identity",
        "AZURE_CLIENT_ID",
    ] {
        assert!(detail.contains(word), "no {word} in {detail}");
    }
    let error = world
        .log()
        .into_iter()
        .find(|line| line["level"] == "ERROR")
        .unwrap();
    assert!(
        error["error"].as_str().unwrap().contains("AZURE_CLIENT_ID"),
        "{error}"
    );
    assert_eq!(world.sandbox.dataverse.writes(), 0);
    assert_eq!(world.sandbox.traffic.count(Service::Dataverse), 0);
}

#[tokio::test]
async fn a_wrong_client_id_is_told_with_what_to_do() {
    let wrong = "00000000-1111-2222-3333-444444444444";
    for setup in [user_assigned(), Setup::default()] {
        let world = setup.setting("AZURE_CLIENT_ID", wrong).start().await;
        let answer = world.invite_contacts(&[world.contact("Ann")]).await;
        assert_says_what_to_do(&world, &answer);
        assert!(world.host.fire("function-sweep").await.is_err());
    }
}

#[tokio::test]
async fn a_missing_client_id_is_told_with_what_to_do() {
    let world = user_assigned().setting("AZURE_CLIENT_ID", "").start().await;
    let answer = world.invite_contacts(&[world.contact("Ann")]).await;
    assert_says_what_to_do(&world, &answer);
}

#[tokio::test]
async fn an_identity_endpoint_that_fails_for_a_moment_is_asked_again() {
    let world = World::start().await;
    let passing = Fault::Answer {
        status: 503,
        retry_after_seconds: None,
        code: String::new(),
        effect: false,
    };
    world
        .sandbox
        .faults
        .add(Rule::on(Service::Identity, passing).times(2));
    invites(&world).await;
}

#[tokio::test]
async fn tokens_that_end_early_are_replaced() {
    let world = World::start().await;
    invites(&world).await;
    world.sandbox.identity.revoke_all();
    let ben = world.contact("Ben");
    let answer = world.invite_contacts(&[ben]).await;
    assert_eq!(answer.outcomes(), ["sent"], "{}", answer.text);
    assert_eq!(world.sandbox.identity.issued(), 4);
}

#[tokio::test]
async fn no_cookie_is_ever_sent_back() {
    let world = World::start().await;
    world
        .sandbox
        .identity
        .token_lifetime(Duration::from_hours(1));
    let contacts = world.contacts(5);
    let answer = world.invite(&json!({ "contactIds": contacts })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.sweep().await;
    world.dispatch().await;
    assert!(world.sandbox.traffic.count(Service::Dataverse) > 3);
    assert_eq!(world.sandbox.dataverse.cookies_seen(), 0);
}
