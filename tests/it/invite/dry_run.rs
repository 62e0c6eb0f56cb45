//! `dryRun`: every check, no effect, and the same result as the request that then means it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Setup, World};

/// Somebody for most of the ways in which an entry can go.
fn people(world: &World) -> Vec<Uuid> {
    let ann = world.contact("Ann");
    let twin = world.contact_with("Twin", &json!({"emailaddress1": "ANN@customer.example"}));
    let silent = world.contact_with("Silent", &json!({}));
    let prepared = world.contact("Prepared");
    let row = json!({
        "adx_name": "By hand",
        "adx_type": 756_150_000,
        "adx_invitationcode": "made-by-hand",
        "adx_expirydate": "2199-12-31T12:00:00Z",
        "_adx_invitecontact_value": prepared,
    });
    world.sandbox.dataverse.insert("adx_invitations", &row);
    let ben = world.contact("Ben");
    vec![ann, twin, silent, ann, Uuid::from_u128(7), prepared, ben]
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_says_what_the_real_one_then_does() {
    let world = World::start().await;
    let mut body = json!({"contactIds": people(&world), "dryRun": true, "requestedBy": "Ida"});
    let dry = world.invite(&body).await;
    assert_eq!(dry.status, 200, "{}", dry.text);
    world.assert_untouched();
    assert_eq!(dry.json()["dryRun"], true);
    assert_eq!(dry.json()["batch"], Value::Null);
    assert_eq!(dry.json()["requestedBy"], "Ida");
    assert_eq!(dry.json()["counts"]["planned"], 2);

    body["dryRun"] = json!(false);
    let real = world.invite(&body).await;
    let dry: Vec<String> = dry
        .outcomes()
        .into_iter()
        .zip(real.outcomes())
        .map(|(dry, real)| match (dry.as_str(), real.as_str()) {
            ("planned", "sent") => real,
            _ => dry,
        })
        .collect();
    assert_eq!(dry, real.outcomes());
    assert_eq!(real.json()["counts"]["sent"], 2);
}

#[tokio::test]
async fn a_dry_run_names_contacts_and_expiry_as_the_real_one_does() {
    let world = World::start().await;
    let mut body = json!({"contactIds": people(&world), "dryRun": true, "validDays": 9});
    let dry = world.invite(&body).await;
    body["dryRun"] = json!(false);
    let real = world.invite(&body).await;
    for field in ["contactId", "contactName", "expiresOn", "reason"] {
        assert_eq!(dry.each(field), real.each(field), "{field}");
    }
}

#[tokio::test]
async fn a_dry_run_of_links_makes_no_row_and_no_link() {
    let world = Setup::default()
        .setting("ALLOW_LINKS", "true")
        .start()
        .await;
    let ann = world.contact("Ann");
    let body = json!({"contactIds": [ann], "dryRun": true, "sendEmail": false});
    let answer = world.invite(&body).await;
    assert_eq!(answer.outcomes(), ["planned"]);
    assert_eq!(answer.each("redeemUrl"), [Value::Null]);
    world.assert_untouched();
}

#[tokio::test]
async fn a_dry_run_makes_every_check() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let body = json!({"contactIds": [ann], "dryRun": true, "language": "xx"});
    world
        .invite(&body)
        .await
        .assert_problem(400, "invalidRequest");
    let body = json!({"contactIds": [ann], "dryRun": true, "sendEmail": false});
    world.invite(&body).await.assert_problem(403, "notAllowed");
    let body = json!({"contactIds": [ann], "dryRun": true, "inviterContactId": Uuid::from_u128(7)});
    assert_eq!(
        world.invite(&body).await.outcomes(),
        ["failed inviterNotFound"]
    );
    world.assert_untouched();
}

#[tokio::test]
async fn a_dry_run_neither_uses_nor_follows_an_idempotency_key() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let dry = json!({"contactIds": [ann], "dryRun": true});
    let real = json!({"contactIds": [ann]});
    assert_eq!(world.invite_keyed("k", &dry).await.outcomes(), ["planned"]);
    world.assert_untouched();
    assert_eq!(world.invite_keyed("k", &real).await.outcomes(), ["sent"]);
    assert_eq!(world.invite_keyed("k", &dry).await.outcomes(), ["kept"]);
}
