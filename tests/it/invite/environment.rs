//! Environments that differ: without portal columns, without optimistic concurrency; and who asks.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn an_environment_without_portal_columns_still_works() {
    let world = World::start().await;
    world
        .sandbox
        .dataverse
        .configure(|settings| settings.portal_columns = false);
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    let identity = json!({
        "adx_username": "00000000-aaaa",
        "adx_identityprovidername": "https://login.example/",
        "_adx_contactid_value": ben,
    });
    world
        .sandbox
        .dataverse
        .insert("adx_externalidentities", &identity);
    let answer = world.invite_contacts(&[ann, ben]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.outcomes(), ["sent", "skipped alreadyRegistered"]);
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn nothing_is_sent_where_rows_are_not_protected_from_concurrent_changes() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.set_optimistic_concurrency(Some(false));
    let ann = world.contact("Ann");
    for dry_run in [true, false] {
        let body = json!({"contactIds": [ann], "dryRun": dry_run});
        let answer = world.invite(&body).await;
        answer.assert_problem(502, "refused");
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains("optimistic concurrency is off"), "{detail}");
        assert!(detail.contains("adx_invitation"), "{detail}");
    }
    world.assert_untouched();
    dataverse.set_optimistic_concurrency(Some(true));
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.outcomes(), ["sent"], "it is looked at again");
}

#[tokio::test]
async fn metadata_that_says_nothing_of_concurrency_is_no_obstacle() {
    let world = World::start().await;
    world.sandbox.dataverse.set_optimistic_concurrency(None);
    let ann = world.contact("Ann");
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
}

#[tokio::test]
async fn dataverse_that_cannot_be_asked_is_no_fault_of_the_caller() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let verb = sandbox::dataverse::Verb::Read;
    world.sandbox.dataverse.deny("contacts", verb);
    let answer = world.invite_contacts(&[ann]).await;
    answer.assert_problem(502, "refused");
    world.assert_untouched();
}

#[tokio::test]
async fn who_asks_is_kept_with_the_batch() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let body = json!({"contactIds": [ann], "requestedBy": "Ida Example"});
    let answer = world.invite(&body).await;
    assert_eq!(answer.json()["requestedBy"], "Ida Example");
    let batch = world.get(&format!("/api/batches/{}", answer.batch())).await;
    assert_eq!(batch.json()["requestedBy"], "Ida Example");
    let nobody = world.invite_contacts(&[ann]).await;
    assert_eq!(nobody.json().get("requestedBy"), None::<&Value>);
}

#[tokio::test]
async fn the_signed_in_caller_is_who_asks_whatever_the_body_says() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let body = json!({"contactIds": [ann], "requestedBy": "Somebody else"});
    let signed_in = [("x-ms-client-principal-name", "ida@contoso.example")];
    let answer = world.post("/api/invitations", &signed_in, &body).await;
    assert_eq!(answer.outcomes(), ["sent"]);
    assert_eq!(answer.json()["requestedBy"], "ida@contoso.example");
}

#[tokio::test]
async fn a_sign_in_without_a_name_says_nothing_about_who_asks() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let body = json!({"contactIds": [ann], "requestedBy": "Ida Example"});
    let nameless = [("x-ms-client-principal-name", "")];
    let answer = world.post("/api/invitations", &nameless, &body).await;
    assert_eq!(answer.json()["requestedBy"], "Ida Example");
}
