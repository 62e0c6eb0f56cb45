//! An expired invitation that is sent again is opened first: when that may be, and who else may be quicker.

use std::sync::Arc;

use http::Method;
use sandbox::Sandbox;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{SENT, Stands, at_once, days_pass, expiry_of, id_of};
use crate::world::{Answer, World};

/// The write that opens a row again.
fn at_opening(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Dataverse, fault).inside_batch();
    rule.method(Method::PATCH).path("adx_invitations(").times(1)
}

/// Sends the letter of a swept invitation again while somebody does something as it is opened.
async fn resend_while(
    act: impl Fn(&Sandbox, &Value) + Send + Sync + 'static,
) -> (World, Uuid, Answer) {
    let world = at_once().await;
    let ann = Stands::Swept.stage(&world).await;
    days_pass(&world, 0);
    let (sandbox, row) = (world.sandbox.clone(), world.row(ann));
    let strike = Fault::Call(Arc::new(move || act(&sandbox, &row)));
    world.sandbox.faults.add(at_opening(strike));
    let found = world.resend(id_of(&world.row(ann)), &json!({})).await;
    assert_eq!(found.status, 200, "{}", found.text);
    (world, ann, found)
}

fn change(sandbox: &Sandbox, row: &Value, values: &Value) {
    let id = id_of(row).parse().unwrap();
    sandbox.dataverse.change("adx_invitations", id, values);
}

#[tokio::test]
async fn the_link_of_the_first_letter_works_again_until_a_new_day() {
    for (stands, body, days) in [
        (Stands::Swept, json!({}), 14),
        (Stands::Expired, json!({}), 14),
        (Stands::Swept, json!({"extendDays": 3}), 3),
    ] {
        let world = at_once().await;
        let ann = stands.stage(&world).await;
        let code = world.mailed_codes(ann).remove(0);
        let portal = &world.sandbox.portal;
        portal.redeem(&code, "ann", "ann@x.example").unwrap_err();
        days_pass(&world, 0);
        let sent = world.resend(id_of(&world.row(ann)), &body).await;
        assert_eq!(sent.outcomes(), ["sent"]);
        let row = world.row(ann);
        let left = expiry_of(&row) - world.sandbox.clock.now();
        let left = left.total(jiff::Unit::Hour).unwrap() / 24.0;
        let day = f64::from(days);
        assert!((day - 0.1..day + 1.1).contains(&left), "{left}");
        assert_eq!(world.mailed_codes(ann), [code.as_str(), &code]);
        portal.redeem(&code, "ann", "ann@x.example").unwrap();
    }
}

#[tokio::test]
async fn only_the_last_invitation_is_opened_and_only_where_no_other_one_waits() {
    let world = at_once().await;
    let ann = Stands::Swept.stage(&world).await;
    let first = world.row(ann);
    days_pass(&world, 1);
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    let refused = world.resend(id_of(&first), &json!({})).await;
    refused.assert_problem(409, "notSendable");
    let newer = world.rows(ann).pop().unwrap();
    assert_ne!(newer["adx_invitationid"], first["adx_invitationid"]);
    world.revoke(id_of(&newer)).await;
    let refused = world.resend(id_of(&first), &json!({})).await;
    refused.assert_problem(409, "notSendable");
    assert_eq!(world.mailed_codes(ann).len(), 2);
    let open = world
        .rows(ann)
        .into_iter()
        .filter(|row| row["statecode"] == 0);
    assert_eq!(open.count(), 0);
}

#[tokio::test]
async fn somebody_who_revokes_it_as_it_is_opened_wins() {
    let revoked = json!({"adx_invitationcode": null});
    let (world, ann, found) =
        resend_while(move |sandbox, row| change(sandbox, row, &revoked)).await;
    assert_eq!(found.outcomes(), ["failed conflict"]);
    assert_eq!(world.row(ann)["statecode"], 1);
    assert_eq!(world.mailed_codes(ann).len(), 1);
}

#[tokio::test]
async fn somebody_who_opens_it_first_is_no_trouble() {
    let opened =
        json!({"statecode": 0, "statuscode": SENT, "adx_expirydate": "2199-01-01T12:00:00Z"});
    let (world, ann, found) = resend_while(move |sandbox, row| change(sandbox, row, &opened)).await;
    assert_eq!(found.outcomes(), ["sent"]);
    assert_eq!(world.row(ann)["adx_expirydate"], "2199-01-01T12:00:00Z");
    assert_eq!(world.mailed_codes(ann).len(), 2);
}

/// Somebody invites the same contact by hand, and hands the code over.
fn invite_by_hand(sandbox: &Sandbox, row: &Value) {
    let other = json!({
        "adx_name": "By hand",
        "adx_type": 756_150_000,
        "adx_invitationcode": "somebody-was-quicker-than-the-service",
        "adx_expirydate": "2199-12-31T12:00:00Z",
        "statuscode": SENT,
        "_adx_invitecontact_value": row["_adx_invitecontact_value"],
    });
    sandbox.dataverse.insert("adx_invitations", &other);
}

#[tokio::test]
async fn another_invitation_that_was_sent_as_it_was_opened_stands_alone() {
    let (world, ann, found) = resend_while(move |sandbox, row| {
        invite_by_hand(sandbox, row);
    })
    .await;
    assert_eq!(found.outcomes(), ["kept"]);
    let [opened, other] = &world.rows(ann)[..] else {
        panic!("two rows");
    };
    assert_eq!(found.each("invitationId")[0], other["adx_invitationid"]);
    assert_eq!(
        (&opened["statecode"], &other["statecode"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(world.mailed_codes(ann).len(), 1);
}

#[tokio::test]
async fn a_process_that_undoes_the_opening_is_no_letter() {
    let world = at_once().await;
    let ann = Stands::Swept.stage(&world).await;
    days_pass(&world, 0);
    let (sandbox, row) = (world.sandbox.clone(), world.row(ann));
    // After the write and before the row is read again.
    let undo = Fault::Call(Arc::new(move || {
        let unlimited = json!({"adx_maximumredemptions": null});
        change(&sandbox, &row, &unlimited);
    }));
    let reading = Rule::on(Service::Dataverse, undo).inside_batch();
    let path = format!("adx_invitations({})", id_of(&world.row(ann)));
    world
        .sandbox
        .faults
        .add(reading.method(Method::GET).path(&path).skip(1).times(1));
    let found = world.resend(id_of(&world.row(ann)), &json!({})).await;
    assert_eq!(found.outcomes(), ["failed conflict"], "{}", found.text);
    assert_eq!(world.mailed_codes(ann).len(), 1);
}

/// Two links work then, which nobody but Dataverse can mend; the entry ends all the same.
#[tokio::test]
async fn a_closing_that_dataverse_refuses_ends_the_entry_all_the_same() {
    let (world, ann, found) = resend_while(move |sandbox, row| {
        invite_by_hand(sandbox, row);
        sandbox.faults.add(at_opening(crate::trouble::refusal(
            403,
            "0x80040220",
            false,
        )));
    })
    .await;
    assert_eq!(found.outcomes(), ["kept"]);
    world.logged("cannot be closed").await;
    assert_eq!(world.mailed_codes(ann).len(), 1);
}
