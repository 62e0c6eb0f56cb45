//! `sendEmail: false`: rows without letters, and links for the caller to hand over.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{SENDER, Setup, World};

async fn with_links() -> World {
    let setup = Setup::default().setting("ALLOW_LINKS", "true");
    setup.setting("LANGUAGES", "en=en-US").start().await
}

fn request(contacts: &[Uuid]) -> Value {
    json!({"contactIds": contacts, "sendEmail": false, "returnUrl": "/welcome"})
}

#[tokio::test]
async fn a_link_works_at_the_site_and_no_letter_is_sent() {
    let world = with_links().await;
    let ann = world.contact("Ann");
    let answer = world.invite(&request(&[ann])).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.outcomes(), ["created"]);
    assert_eq!(answer.json()["counts"]["created"], 1);
    let row = world.row(ann);
    assert_eq!(row["statuscode"], 756_150_000, "Sent: nothing mails it");
    let code = row["adx_invitationcode"].as_str().unwrap();
    let link = answer.each("redeemUrl")[0].as_str().unwrap().to_owned();
    assert_eq!(
        link,
        format!(
            "{}en-US/register?invitation={code}&returnurl=/welcome",
            world.at.portal
        )
    );
    let page = world.get(&link).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(&format!("value=\"{code}\"")));
    let redeemed = world
        .sandbox
        .portal
        .redeem(code, "ann", "ann@customer.example");
    assert_eq!(redeemed.unwrap().contact, ann);
    world.dispatch().await;
    assert_eq!(world.sandbox.graph.letters(), []);
    assert_eq!(world.sandbox.graph.drafts(SENDER), []);
}

#[tokio::test]
async fn a_contact_without_an_address_gets_a_link_all_the_same() {
    let world = with_links().await;
    let silent = world.contact_with("Silent", &json!({}));
    let unwilling = json!({"emailaddress1": "no@customer.example", "donotemail": true});
    let unwilling = world.contact_with("Unwilling", &unwilling);
    let answer = world.invite(&request(&[silent, unwilling])).await;
    assert_eq!(answer.outcomes(), ["created", "created"]);
}

#[tokio::test]
async fn the_same_key_shows_the_link_again_for_as_long_as_it_works() {
    let world = with_links().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    let first = world.invite_keyed("k", &request(&[ann, ben])).await;
    let again = world.invite_keyed("k", &request(&[ann, ben])).await;
    assert_eq!(again.json(), first.json());
    let batch = format!("/api/batches/{}", first.batch());
    assert_eq!(world.get(&batch).await.json(), first.json());
    let code = world.row(ann)["adx_invitationcode"].clone();
    let portal = &world.sandbox.portal;
    portal
        .redeem(code.as_str().unwrap(), "ann", "ann@customer.example")
        .unwrap();
    let links = |answer: &crate::world::Answer| answer.each("redeemUrl");
    for answer in [
        world.invite_keyed("k", &request(&[ann, ben])).await,
        world.get(&batch).await,
    ] {
        assert_eq!(answer.outcomes(), ["created", "created"]);
        assert_eq!(links(&answer), [Value::Null, links(&first)[1].clone()]);
    }
    assert_eq!(world.rows(ann).len(), 1);
}

#[tokio::test]
async fn links_are_shown_only_for_what_the_request_created() {
    let world = with_links().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    let letter = world.invite_contacts(&[ann]).await;
    let answer = world.invite(&request(&[ann, ben])).await;
    assert_eq!(answer.outcomes(), ["kept", "created"]);
    assert_eq!(answer.each("redeemUrl")[0], Value::Null);
    assert_ne!(answer.each("redeemUrl")[1], Value::Null);
    assert_eq!(letter.each("redeemUrl"), [Value::Null]);
}

#[tokio::test]
async fn no_journal_and_no_log_holds_a_code() {
    let world = with_links().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    world.invite_keyed("k", &request(&[ann])).await;
    world.invite_contacts(&[ben]).await;
    let mut written = String::new();
    for folder in ["keys", "done"] {
        for file in world.stored(folder) {
            let path = world.store.path().join(folder).join(file);
            written += &std::fs::read_to_string(path).unwrap();
        }
    }
    let console = world.host.console();
    written.extend(console.into_iter().map(|line| line.text));
    assert!(written.contains(&ben.to_string()), "there is something");
    for contact in [ann, ben] {
        let row = world.row(contact);
        assert!(!written.contains(row["adx_invitationcode"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn links_take_a_setting() {
    let world = World::start().await;
    let answer = world.invite(&request(&[world.contact("Ann")])).await;
    answer.assert_problem(403, "notAllowed");
    let detail = answer.json()["detail"].to_string();
    assert!(detail.contains("ALLOW_LINKS"), "{detail}");
    world.assert_untouched();
}

#[tokio::test]
async fn no_link_is_handed_out_for_a_contact_that_has_a_sign_in() {
    let world = with_links().await;
    let columns = json!({"emailaddress1": "ann@customer.example", "adx_identity_username": "ann"});
    let ann = world.contact_with("Ann", &columns);
    let mut body = request(&[ann]);
    assert_eq!(
        world.invite(&body).await.outcomes(),
        ["skipped alreadyRegistered"]
    );
    body["includeRegistered"] = json!(true);
    let answer = world.invite(&body).await;
    answer.assert_problem(400, "invalidRequest");
    assert_eq!(answer.wrong_fields(), ["includeRegistered"]);
    assert_eq!(world.sandbox.dataverse.writes(), 0);
}
