//! What a digest tells of: letters, redemptions, expiries, and what somebody should look at.

use serde_json::json;
use uuid::Uuid;

use super::{a_moment_passes, ago, code_of, digests, id_of, outcome, run, setup, start, text};
use crate::leaks::Secrets;
use crate::world::{SENDER, World};

const SINGLE: i32 = 756_150_000;
const SENT: i32 = 756_150_000;
const REDEEMED: i32 = 756_150_001;

/// An invitation that somebody else made for a contact, with these columns besides.
fn invitation(world: &World, contact: Uuid, columns: &serde_json::Value) -> Uuid {
    let mut row = json!({
        "adx_name": "By hand",
        "adx_type": SINGLE,
        "adx_invitationcode": format!("code-of-{contact}-{}", world.rows(contact).len()),
        "adx_inviteContact@odata.bind": format!("/contacts({contact})"),
        "adx_maximumredemptions": 1,
        "statuscode": SENT,
    });
    for (name, value) in columns.as_object().unwrap() {
        row[name] = value.clone();
    }
    world.sandbox.dataverse.insert("adx_invitations", &row)
}

fn redeem(world: &World, contact: Uuid, username: &str) {
    let code = code_of(&world.row(contact));
    let portal = &world.sandbox.portal;
    portal
        .redeem(&code, username, &format!("{username}@customer.example"))
        .unwrap();
}

#[tokio::test]
async fn letters_that_were_sent_and_entries_that_failed_are_counted_with_their_reasons() {
    let world = start().await;
    let (ann, nobody) = (world.contact("Ann"), Uuid::from_u128(7));
    world
        .invite_contacts(&[ann, world.contact("Ben"), nobody])
        .await;
    world.invite_contacts(&[ann]).await;
    assert_eq!(outcome(&run(&world).await), "sent");
    let text = text(&world);
    for part in [
        "2 Letters sent",
        "Failed: 1",
        "1 × contactNotFound: There is no contact with this id.",
        &nobody.to_string(),
        "that ended in this time: 2.",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert_eq!(
        digests(&world)[0].subject,
        "Invitations to Contoso: 2 sent, 0 redeemed, 1 to look at"
    );
    assert_eq!(digests(&world)[0].mailbox, SENDER);
}

#[tokio::test]
async fn a_redemption_is_told_with_the_contact_and_a_link_to_the_invitation() {
    let world = start().await;
    let ann = world.contact("Ann");
    world.invite_contacts(&[ann]).await;
    redeem(&world, ann, "ann");
    a_moment_passes(&world);
    run(&world).await;
    let text = text(&world);
    assert!(
        text.contains("Redeemed: 1 Ann Tester ( invitation )"),
        "{text}"
    );
    assert!(!text.contains("Redeemed by somebody other"), "{text}");
    let html = digests(&world)[0].html.clone();
    for (table, id) in [("contact", ann), ("adx_invitation", id_of(&world.row(ann)))] {
        let page = format!("/main.aspx?pagetype=entityrecord&amp;etn={table}&amp;id=%7B{id}%7D");
        assert!(html.contains(&page), "{page}");
    }
}

#[tokio::test]
async fn a_redemption_by_another_contact_or_one_too_many_is_pointed_out() {
    let world = start().await;
    let [ann, ben, cora] = ["Ann", "Ben", "Cora"].map(|name| world.contact(name));
    world.invite_contacts(&[ann, ben]).await;
    redeem(&world, ann, "ann");
    redeem(&world, ben, "ben");
    let dataverse = &world.sandbox.dataverse;
    let other = json!({"adx_redeemedContact@odata.bind": format!("/contacts({cora})")});
    dataverse.change("adx_invitations", id_of(&world.row(ann)), &other);
    let twice = json!({"adx_redemptions": 2});
    dataverse.change("adx_invitations", id_of(&world.row(ben)), &twice);
    a_moment_passes(&world);
    run(&world).await;
    let text = text(&world);
    let stranger = "Redeemed by somebody other than the invited contact: 1";
    assert!(text.contains(stranger), "{text}");
    assert!(
        text.contains("Ann Tester , redeemed by Cora Tester"),
        "{text}"
    );
    assert!(
        text.contains("Redeemed more often than allowed: 1"),
        "{text}"
    );
    assert!(text.contains("Ben Tester , redeemed 2 times"), "{text}");
}

#[tokio::test]
async fn only_what_expired_unredeemed_within_the_time_is_told_as_expired() {
    let world = start().await;
    let names = ["Now", "Earlier", "Later", "Redeemed", "Revoked", "Closed"];
    let [now, earlier, later, redeemed, revoked, closed] = names.map(|name| world.contact(name));
    let past = ago(1).to_string();
    for (contact, columns) in [
        (now, json!({"adx_expirydate": past})),
        (earlier, json!({"adx_expirydate": ago(3).to_string()})),
        (later, json!({"adx_expirydate": ago(-1).to_string()})),
        (
            redeemed,
            json!({"adx_expirydate": past, "adx_redemptions": 1, "statuscode": REDEEMED}),
        ),
        (
            revoked,
            json!({"adx_expirydate": past, "statecode": 1, "statuscode": 2, "adx_invitationcode": null}),
        ),
        (
            closed,
            json!({"adx_expirydate": past, "statecode": 1, "statuscode": 2}),
        ),
    ] {
        invitation(&world, contact, &columns);
    }
    run(&world).await;
    let text = text(&world);
    assert!(text.contains("Expired: 2"), "{text}");
    for (name, told) in [
        ("Now", true),
        ("Closed", true),
        ("Earlier", false),
        ("Later", false),
        ("Redeemed", false),
        ("Revoked", false),
    ] {
        assert_eq!(
            text.contains(&format!("{name} Tester")),
            told,
            "{name} in {text}"
        );
    }
}

#[tokio::test]
async fn with_the_scope_ours_other_peoples_invitations_are_not_told_of() {
    let world = setup().setting("SWEEP_SCOPE", "ours").start().await;
    let [ann, ben, cora] = ["Ann", "Ben", "Cora"].map(|name| world.contact(name));
    world.invite_contacts(&[ann]).await;
    invitation(&world, ben, &json!({}));
    invitation(&world, cora, &json!({"adx_expirydate": ago(1).to_string()}));
    redeem(&world, ann, "ann");
    redeem(&world, ben, "ben");
    a_moment_passes(&world);
    run(&world).await;
    let text = text(&world);
    assert!(text.contains("Redeemed: 1 Ann Tester"), "{text}");
    assert!(
        !text.contains("Ben Tester") && !text.contains("Expired"),
        "{text}"
    );
}

#[tokio::test]
async fn more_names_than_a_letter_should_hold_are_counted() {
    let world = start().await;
    for contact in world.contacts(25) {
        invitation(
            &world,
            contact,
            &json!({"adx_expirydate": ago(1).to_string()}),
        );
    }
    run(&world).await;
    let text = text(&world);
    assert!(text.contains("Expired: 25"), "{text}");
    assert!(text.contains("and 17 more"), "{text}");
    assert_eq!(text.matches(" Tester").count(), 8);
}

#[tokio::test]
async fn a_digest_holds_neither_codes_nor_links_nor_addresses() {
    let world = setup().setting("ALLOW_LINKS", "true").start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    world.sandbox.graph.configure(|rules| {
        rules
            .undeliverable
            .insert("ann@customer.example".to_owned());
    });
    let secret = json!({"contactIds": [ann], "message": "Between you and me."});
    world.invite(&secret).await;
    world
        .invite(&json!({"contactIds": [ben], "sendEmail": false}))
        .await;
    redeem(&world, ben, "ben");
    a_moment_passes(&world);
    run(&world).await;
    let digest = digests(&world).remove(0);
    let mut secrets = Secrets::of(&world.sandbox, &[SENDER]);
    secrets
        .addresses
        .extend([SENDER, "staff@contoso.example"].map(str::to_owned));
    assert!(secrets.codes.len() >= 2);
    secrets.assert_absent("the digest", &(digest.html.clone() + &digest.subject));
    assert!(!digest.html.contains("Between you and me."));
    let log: Vec<String> = world.log().iter().map(ToString::to_string).collect();
    secrets.assert_absent("the log", &log.join("\n"));
}
