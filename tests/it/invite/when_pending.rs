//! `whenPending`, cell by cell: what is asked for against what stands already.
//!
//! Each request here has an Idempotency-Key, so that no cooldown hides what is tested; `cooldown` tests that.

use sandbox::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{FOREIGN, GROUP, SENT, row_of};
use crate::world::{Setup, World};

/// What stands for a contact when the request comes.
#[derive(Clone, Copy, Debug)]
enum Existing {
    OursSent,
    OursUnconfirmed,
    PreparedNew,
    PreparedSent,
    PreparedWithoutCode,
    PreparedWithoutEnd,
    OtherDeploymentNew,
    OtherDeploymentSent,
    Group,
    Expired,
}

use Existing::{
    Expired, Group, OtherDeploymentNew, OtherDeploymentSent, OursSent, OursUnconfirmed,
    PreparedNew, PreparedSent, PreparedWithoutCode, PreparedWithoutEnd,
};

impl Existing {
    /// Sets the stage; gives the contact.
    async fn stage(self, world: &World, name: &str) -> Uuid {
        let contact = world.contact(name);
        let columns = match self {
            OursSent => {
                let answer = world.invite_contacts(&[contact]).await;
                assert_eq!(answer.outcomes(), ["sent"]);
                return contact;
            }
            OursUnconfirmed => {
                let lost = Rule::on(Service::Graph, Fault::DropBefore).path("sendMail");
                world.sandbox.faults.add(lost.times(1));
                let answer = world.invite_contacts(&[contact]).await;
                assert_eq!(answer.outcomes(), ["unconfirmed unconfirmed"]);
                return contact;
            }
            PreparedNew => json!({}),
            PreparedSent => json!({"statuscode": SENT, "adx_maximumredemptions": 5}),
            PreparedWithoutCode => json!({"adx_invitationcode": null}),
            PreparedWithoutEnd => json!({"adx_expirydate": null}),
            OtherDeploymentNew => json!({"importsequencenumber": FOREIGN}),
            OtherDeploymentSent => json!({"importsequencenumber": FOREIGN, "statuscode": SENT}),
            Group => json!({"adx_type": GROUP}),
            Expired => json!({"adx_expirydate": "2020-01-01T12:00:00Z"}),
        };
        row_of(world, contact, &columns);
        contact
    }
}

/// What a request leaves behind for one contact.
#[derive(Debug, PartialEq, Eq)]
struct After {
    outcome: String,
    rows: usize,
    redeemable: usize,
    new_letters: usize,
}

fn after(outcome: &str, rows: usize, redeemable: usize, new_letters: usize) -> After {
    After {
        outcome: outcome.to_owned(),
        rows,
        redeemable,
        new_letters,
    }
}

fn redeemable(world: &World, contact: Uuid) -> Vec<Value> {
    let mut rows = world.rows(contact);
    rows.retain(|row| row["statecode"] == 0 && row["adx_expirydate"] != "2020-01-01T12:00:00Z");
    rows
}

fn letters(world: &World, contact: Uuid) -> Vec<String> {
    let email = world.sandbox.dataverse.row("contacts", contact).unwrap();
    let email = email["emailaddress1"].as_str().unwrap().to_owned();
    let mut letters = world.sandbox.graph.letters();
    letters.retain(|letter| letter.to == [email.as_str()]);
    letters.into_iter().map(|letter| letter.html).collect()
}

async fn request(world: &World, existing: Existing, when_pending: &str) -> (Uuid, After) {
    let name = format!("{existing:?}{when_pending}");
    let contact = existing.stage(world, &name).await;
    let before = letters(world, contact).len();
    let body = json!({"contactIds": [contact], "whenPending": when_pending});
    let answer = world.invite_keyed(&name, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let after = After {
        outcome: answer.outcomes().remove(0),
        rows: world.rows(contact).len(),
        redeemable: redeemable(world, contact).len(),
        new_letters: letters(world, contact).len() - before,
    };
    (contact, after)
}

async fn sending() -> World {
    let setup = Setup::default().setting("MAIL_DELIVERY", "send");
    setup.start().await
}

#[tokio::test]
async fn keep_and_fail_leave_everything_as_it_is() {
    let world = sending().await;
    for (existing, keep) in [
        (OursSent, "kept"),
        (OursUnconfirmed, "kept unconfirmed"),
        (PreparedNew, "kept preparedElsewhere"),
        (PreparedSent, "kept"),
        (PreparedWithoutEnd, "kept preparedElsewhere"),
        (OtherDeploymentNew, "kept preparedElsewhere"),
        (OtherDeploymentSent, "kept"),
    ] {
        for (when_pending, outcome) in [("keep", keep), ("fail", "failed alreadyInvited")] {
            let (_, found) = request(&world, existing, when_pending).await;
            assert_eq!(
                found,
                after(outcome, 1, 1, 0),
                "{existing:?} {when_pending}"
            );
        }
    }
}

#[tokio::test]
async fn resend_sends_the_letter_of_the_same_row_again() {
    let world = sending().await;
    for (existing, outcome, new_letters) in [
        (OursSent, "sent", 1),
        (OursUnconfirmed, "sent", 1),
        (PreparedNew, "sent", 1),
        (PreparedSent, "sent", 1),
        (PreparedWithoutEnd, "sent", 1),
        (PreparedWithoutCode, "kept preparedElsewhere", 0),
        (OtherDeploymentNew, "kept preparedElsewhere", 0),
        (OtherDeploymentSent, "kept", 0),
    ] {
        let (contact, found) = request(&world, existing, "resend").await;
        assert_eq!(found, after(outcome, 1, 1, new_letters), "{existing:?}");
        if new_letters == 0 {
            continue;
        }
        let row = world.row(contact);
        assert_eq!(row["statuscode"], SENT, "{existing:?}");
        let code = row["adx_invitationcode"].as_str().unwrap();
        let sent = letters(&world, contact);
        assert!(
            sent.iter().all(|letter| letter.contains(code)),
            "{existing:?}"
        );
        // What was prepared without limits has them now.
        assert_eq!(row["adx_maximumredemptions"], 1, "{existing:?}");
        assert!(row["adx_expirydate"].is_string(), "{existing:?}");
        let redeemed = world.sandbox.portal.redeem(
            code,
            &contact.to_string(),
            &format!("{contact}@customer.example"),
        );
        assert!(redeemed.is_ok(), "{existing:?}");
    }
}

#[tokio::test]
async fn replace_closes_the_old_and_sends_a_new_one() {
    let world = sending().await;
    for (existing, outcome, rows, new_letters) in [
        (OursSent, "sent", 2, 1),
        (OursUnconfirmed, "sent", 2, 1),
        (PreparedNew, "sent", 2, 1),
        (PreparedSent, "sent", 2, 1),
        (PreparedWithoutCode, "sent", 2, 1),
        (PreparedWithoutEnd, "sent", 2, 1),
        (OtherDeploymentNew, "kept preparedElsewhere", 1, 0),
        (OtherDeploymentSent, "kept", 1, 0),
    ] {
        let (contact, found) = request(&world, existing, "replace").await;
        assert_eq!(found, after(outcome, rows, 1, new_letters), "{existing:?}");
        if new_letters == 0 {
            continue;
        }
        let mut rows = world.rows(contact);
        rows.sort_by_key(|row| row["statecode"].as_i64());
        let [new, old]: [Value; 2] = rows.try_into().unwrap();
        let closed = [
            &old["statecode"],
            &old["statuscode"],
            &old["adx_invitationcode"],
        ];
        assert_eq!(closed, [&json!(1), &json!(2), &Value::Null], "{existing:?}");
        let code = new["adx_invitationcode"].as_str().unwrap();
        let sent = letters(&world, contact);
        let (letter, before) = sent.split_last().unwrap();
        assert!(letter.contains(code));
        let says_so = |letter: &String| letter.contains("whose link no longer works");
        assert!(
            says_so(letter) && !before.iter().any(says_so),
            "{existing:?}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_redeemed_by_this_contact_alone_never_stands_in_the_way() {
    let world = sending().await;
    for existing in [Group, Expired] {
        for when_pending in ["keep", "resend", "replace", "fail"] {
            let (contact, found) = request(&world, existing, when_pending).await;
            let open = if matches!(existing, Group) { 2 } else { 1 };
            assert_eq!(
                found,
                after("sent", 2, open, 1),
                "{existing:?} {when_pending}"
            );
            assert_eq!(
                world.rows(contact)[0]["statecode"],
                0,
                "the old one is left alone"
            );
        }
    }
}

#[tokio::test]
async fn a_letter_on_its_way_is_neither_sent_again_nor_replaced() {
    let setup = Setup::default().setting("MAIL_RATE_PER_MINUTE", "1");
    let world = setup.setting("INLINE_SECONDS", "30").start().await;
    let people = ["Ann", "Ben"].map(|name| world.contact(name));
    assert_eq!(world.invite_contacts(&people).await.status, 202);
    let waiting = people[1];
    for (when_pending, outcome) in [
        ("keep", "kept inProgress"),
        ("resend", "kept inProgress"),
        ("replace", "kept inProgress"),
        ("fail", "failed alreadyInvited"),
    ] {
        let body = json!({"contactIds": [waiting], "whenPending": when_pending});
        let answer = world.invite_keyed(when_pending, &body).await;
        assert_eq!(answer.outcomes(), [outcome], "{when_pending}");
    }
    world.restart().await;
    world.dispatch().await;
    world.assert_each_has_one_letter_and_row(&people);
}

#[tokio::test]
async fn of_several_pending_ones_the_newest_is_sent_again() {
    let world = sending().await;
    let ann = world.contact("Ann");
    let older = row_of(&world, ann, &json!({"createdon": "2026-01-01T00:00:00Z"}));
    let newest = row_of(
        &world,
        ann,
        &json!({"adx_invitationcode": "the-newest-code"}),
    );
    let body = json!({"contactIds": [ann], "whenPending": "resend"});
    let answer = world.invite_keyed("once", &body).await;
    assert_eq!(answer.outcomes(), ["sent"]);
    assert_eq!(answer.each("invitationId"), [json!(newest)]);
    assert!(world.letter(ann).html.contains("the-newest-code"));
    let untouched = world
        .sandbox
        .dataverse
        .row("adx_invitations", older)
        .unwrap();
    assert_eq!(untouched["statuscode"], 1);
}

#[tokio::test]
async fn replace_closes_every_pending_one_but_another_deployments() {
    let world = sending().await;
    let ann = world.contact("Ann");
    let rows = [
        json!({"importsequencenumber": FOREIGN, "createdon": "2026-01-01T00:00:00Z"}),
        json!({"createdon": "2026-01-02T00:00:00Z"}),
        json!({"statuscode": SENT, "createdon": "2026-01-03T00:00:00Z"}),
    ];
    let ids = rows.map(|columns| row_of(&world, ann, &columns));
    let body = json!({"contactIds": [ann], "whenPending": "replace"});
    assert_eq!(world.invite_keyed("once", &body).await.outcomes(), ["sent"]);
    let states = ids.map(|id| {
        let row = world.sandbox.dataverse.row("adx_invitations", id).unwrap();
        row["statecode"].as_i64().unwrap()
    });
    assert_eq!(states, [0, 1, 1]);
    assert_eq!(world.rows(ann).len(), 4);
}

/// A flow that ran each day made so many; the next request closes the rest.
#[tokio::test]
async fn more_than_fit_into_one_step_are_replaced_as_far_as_they_fit() {
    let world = sending().await;
    let ann = world.contact("Ann");
    for _ in 0..1_001 {
        row_of(&world, ann, &json!({}));
    }
    let body = json!({"contactIds": [ann], "whenPending": "replace"});
    assert_eq!(world.invite_keyed("once", &body).await.outcomes(), ["sent"]);
    let rows = world.rows(ann);
    let open = rows.iter().filter(|row| row["statecode"] == 0).count();
    assert_eq!((rows.len(), open), (1_002, 802));
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_sent_again_and_replaced() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let id = row_of(&world, ann, &json!({}));
    for (when_pending, invitation) in [("resend", json!(id)), ("replace", Value::Null)] {
        let body = json!({"contactIds": [ann], "whenPending": when_pending, "dryRun": true});
        let answer = world.invite(&body).await;
        assert_eq!(answer.outcomes(), ["planned"]);
        assert_eq!(answer.each("invitationId"), [invitation]);
    }
    world.assert_untouched();
}

#[tokio::test]
async fn a_link_to_hand_over_can_be_replaced_and_not_sent_again() {
    let world = Setup::default()
        .setting("ALLOW_LINKS", "true")
        .start()
        .await;
    let ann = world.contact("Ann");
    row_of(&world, ann, &json!({}));
    let mut body = json!({"contactIds": [ann], "whenPending": "resend", "sendEmail": false});
    let answer = world.invite(&body).await;
    answer.assert_problem(400, "invalidRequest");
    assert_eq!(answer.wrong_fields(), ["whenPending"]);
    world.assert_untouched();
    body["whenPending"] = json!("replace");
    let answer = world.invite(&body).await;
    assert_eq!(answer.outcomes(), ["created"]);
    let open = redeemable(&world, ann);
    let code = open[0]["adx_invitationcode"].as_str().unwrap();
    assert!(answer.each("redeemUrl")[0].as_str().unwrap().contains(code));
    assert_eq!((open.len(), world.rows(ann).len()), (1, 2));
}
