//! Who is not invited, and with which reason: contacts that cannot or should not get a letter.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

/// Invites a contact beside one that can be invited, and gives the contact's outcome and reason.
async fn outcome_beside_another(world: &World, contact: Uuid) -> String {
    let other = world.contact("Other");
    let answer = world.invite_contacts(&[contact, other]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let outcomes = answer.outcomes();
    assert_eq!(outcomes[1], "sent", "one's trouble does not stop another");
    world.assert_each_has_one_letter_and_row(&[other]);
    let told = &answer.json()["results"][0]["reason"]["message"];
    assert!(told.as_str().is_some_and(|text| text.ends_with('.')));
    assert_eq!(
        world.rows(contact),
        [Value::Null; 0],
        "no row for the refused"
    );
    assert_eq!(world.sandbox.graph.letters().len(), 1);
    outcomes[0].clone()
}

async fn outcome_of(columns: Value) -> String {
    let world = World::start().await;
    let contact = world.contact_with("Ann", &columns);
    outcome_beside_another(&world, contact).await
}

#[tokio::test]
async fn a_contact_that_does_not_exist_fails() {
    let world = World::start().await;
    let outcome = outcome_beside_another(&world, Uuid::from_u128(7)).await;
    assert_eq!(outcome, "failed contactNotFound");
}

#[tokio::test]
async fn a_deactivated_contact_is_skipped() {
    let columns = json!({"emailaddress1": "ann@customer.example", "statecode": 1});
    assert_eq!(outcome_of(columns).await, "skipped contactInactive");
}

#[tokio::test]
async fn a_contact_without_an_address_is_skipped() {
    assert_eq!(outcome_of(json!({})).await, "skipped noEmail");
    let blank = json!({"emailaddress1": "  "});
    assert_eq!(outcome_of(blank).await, "skipped noEmail");
}

#[tokio::test]
async fn a_contact_whose_address_is_none_is_skipped() {
    for address in ["ann at customer", "ann@customer", "a@b.c, d@e.f"] {
        let outcome = outcome_of(json!({ "emailaddress1": address })).await;
        assert_eq!(outcome, "skipped invalidEmail", "{address}");
    }
}

#[tokio::test]
async fn a_contact_who_wants_no_mail_is_skipped() {
    let columns = json!({"emailaddress1": "ann@customer.example", "donotemail": true});
    assert_eq!(outcome_of(columns).await, "skipped emailNotAllowed");
}

#[tokio::test]
async fn of_contacts_with_one_address_the_first_is_invited() {
    let world = World::start().await;
    let inactive = json!({"emailaddress1": "ann@customer.example", "statecode": 1});
    let gone = world.contact_with("Gone", &inactive);
    let ann = world.contact("Ann");
    let twin = world.contact_with("Twin", &json!({"emailaddress1": "ANN@Customer.example "}));
    let answer = world.invite_contacts(&[gone, ann, twin]).await;
    assert_eq!(
        answer.outcomes(),
        ["skipped contactInactive", "sent", "skipped duplicateEmail"]
    );
    assert_eq!(world.rows(twin), [Value::Null; 0]);
    assert_eq!(world.letters_by_address().len(), 1);
}

#[tokio::test]
async fn a_contact_with_a_user_name_is_registered_already() {
    let columns = json!({"emailaddress1": "ann@customer.example", "adx_identity_username": "ann"});
    assert_eq!(outcome_of(columns).await, "skipped alreadyRegistered");
}

#[tokio::test]
async fn a_contact_with_an_active_external_identity_is_registered_already() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    external_identity(&world, ann, 0);
    assert_eq!(
        outcome_beside_another(&world, ann).await,
        "skipped alreadyRegistered"
    );
}

fn external_identity(world: &World, contact: Uuid, state: i32) {
    let row = json!({
        "adx_username": "00000000-aaaa",
        "adx_identityprovidername": "https://login.example/",
        "_adx_contactid_value": contact,
        "statecode": state,
    });
    world
        .sandbox
        .dataverse
        .insert("adx_externalidentities", &row);
}

#[tokio::test]
async fn what_only_looks_like_a_registration_does_not_count() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    external_identity(&world, ann, 1);
    let prepared = json!({
        "emailaddress1": "ben@customer.example",
        "adx_identity_logonenabled": true,
        "adx_identity_username": " ",
    });
    let ben = world.contact_with("Ben", &prepared);
    let answer = world.invite_contacts(&[ann, ben]).await;
    assert_eq!(answer.outcomes(), ["sent", "sent"]);
}

#[tokio::test]
async fn registered_contacts_are_invited_where_the_request_includes_them() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    external_identity(&world, ann, 0);
    let named = json!({"emailaddress1": "ben@customer.example", "adx_identity_username": "ben"});
    let ben = world.contact_with("Ben", &named);
    let body = json!({"contactIds": [ann, ben], "includeRegistered": true});
    assert_eq!(world.invite(&body).await.outcomes(), ["sent", "sent"]);
    world.assert_each_has_one_letter_and_row(&[ann, ben]);
}
