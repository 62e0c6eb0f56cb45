//! What others do to an invitation while it is replaced or sent again.

use std::sync::Arc;

use http::Method;
use sandbox::Sandbox;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{REDEEMED, SENT, row_of};
use crate::world::World;

/// The changeset that closes the old row and creates the new one.
fn at_replacing(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Dataverse, fault).inside_batch();
    rule.method(Method::PATCH).path("adx_invitations(").times(1)
}

/// The last look at the row before its letter; the first one was for the plan.
fn at_last_look(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Dataverse, fault).inside_batch();
    rule.path("adx_invitations?").skip(1).times(1)
}

/// The reading of a row that was just limited.
fn at_reading_back(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Dataverse, fault).inside_batch();
    rule.method(Method::GET).path("adx_invitations(").times(1)
}

/// Invites Ann, for whom somebody prepared an invitation, while someone does something to that.
async fn invite_while(
    when_pending: &str,
    moment: fn(Fault) -> Rule,
    act: impl Fn(&Sandbox, Uuid) + Send + Sync + 'static,
) -> (World, Uuid, String) {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let old = row_of(&world, ann, &json!({}));
    let sandbox = world.sandbox.clone();
    let strike = Fault::Call(Arc::new(move || act(&sandbox, old)));
    world.sandbox.faults.add(moment(strike));
    let body = json!({"contactIds": [ann], "whenPending": when_pending});
    let answer = world.invite(&body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    (world, old, answer.outcomes().remove(0))
}

fn change(values: Value) -> impl Fn(&Sandbox, Uuid) {
    move |sandbox, id| sandbox.dataverse.change("adx_invitations", id, &values)
}

fn redeem(sandbox: &Sandbox, id: Uuid) {
    let row = sandbox.dataverse.row("adx_invitations", id).unwrap();
    let code = row["adx_invitationcode"].as_str().unwrap();
    let redeemed = sandbox.portal.redeem(code, "ann", "ann@customer.example");
    redeemed.unwrap();
}

fn old_row(world: &World, id: Uuid) -> Value {
    world.sandbox.dataverse.row("adx_invitations", id).unwrap()
}

#[tokio::test]
async fn a_row_redeemed_while_it_is_replaced_stays_redeemed() {
    let (world, old, outcome) = invite_while("replace", at_replacing, redeem).await;
    assert_eq!(outcome, "skipped alreadyRegistered");
    assert_eq!(old_row(&world, old)["statuscode"], REDEEMED);
    assert_eq!(world.sandbox.dataverse.rows("adx_invitations").len(), 1);
    assert_eq!(world.sandbox.graph.letters(), []);
}

#[tokio::test]
async fn a_row_changed_while_it_is_replaced_is_read_again_and_closed() {
    let act = change(json!({"adx_name": "Somebody was here"}));
    let (world, old, outcome) = invite_while("replace", at_replacing, act).await;
    assert_eq!(outcome, "sent");
    let row = old_row(&world, old);
    assert_eq!(
        (&row["statecode"], &row["adx_invitationcode"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(world.sandbox.graph.letters().len(), 1);
}

#[tokio::test]
async fn a_row_deleted_while_it_is_replaced_is_done_without() {
    let delete = |sandbox: &Sandbox, id| {
        sandbox.dataverse.delete("adx_invitations", id);
    };
    let (world, _, outcome) = invite_while("replace", at_replacing, delete).await;
    assert_eq!(outcome, "sent");
    let rows = world.sandbox.dataverse.rows("adx_invitations");
    assert_eq!((rows.len(), &rows[0]["statuscode"]), (1, &json!(SENT)));
    assert_eq!(world.sandbox.graph.letters().len(), 1);
}

#[tokio::test]
async fn a_contact_deleted_while_its_row_is_replaced_keeps_the_old_one() {
    let delete = |sandbox: &Sandbox, old| {
        let row = sandbox.dataverse.row("adx_invitations", old).unwrap();
        let contact = row["_adx_invitecontact_value"].as_str().unwrap();
        sandbox
            .dataverse
            .delete("contacts", contact.parse().unwrap());
    };
    let (world, old, outcome) = invite_while("replace", at_replacing, delete).await;
    assert_eq!(outcome, "failed dataverseRefused");
    assert_eq!(old_row(&world, old)["statecode"], 0);
    assert_eq!(world.sandbox.graph.letters(), []);
}

#[tokio::test]
async fn a_row_redeemed_closed_or_expired_before_its_letter_is_left_as_it_is() {
    let (world, old, outcome) = invite_while("resend", at_last_look, redeem).await;
    assert_eq!(outcome, "skipped alreadyRegistered");
    assert_eq!(old_row(&world, old)["statuscode"], REDEEMED);
    assert_eq!(world.sandbox.graph.letters(), []);
    for (values, expected) in [
        (json!({"statecode": 1, "statuscode": 2}), "failed conflict"),
        (
            json!({"adx_expirydate": "2020-01-01T12:00:00Z"}),
            "failed expired",
        ),
        (json!({"adx_invitationcode": null}), "failed conflict"),
        (json!({"adx_type": super::GROUP}), "failed conflict"),
    ] {
        let act = change(values.clone());
        let (world, old, outcome) = invite_while("resend", at_last_look, act).await;
        assert_eq!(outcome, expected, "{values}");
        let row = old_row(&world, old);
        for (name, value) in values.as_object().unwrap() {
            assert_eq!(&row[name], value);
        }
        assert_eq!(world.sandbox.graph.letters(), []);
    }
}

#[tokio::test]
async fn a_row_redeemed_while_it_is_adopted_stays_redeemed() {
    let (world, old, outcome) = invite_while("resend", at_reading_back, redeem).await;
    assert_eq!(outcome, "skipped alreadyRegistered");
    assert_eq!(old_row(&world, old)["statuscode"], REDEEMED);
    assert_eq!(world.sandbox.graph.letters(), []);
}

#[tokio::test]
async fn a_row_whose_limits_a_process_undoes_is_not_sent() {
    let act = change(json!({"adx_maximumredemptions": 100}));
    let (world, old, outcome) = invite_while("resend", at_reading_back, act).await;
    assert_eq!(outcome, "failed conflict");
    assert_eq!(old_row(&world, old)["statuscode"], 1, "still New");
    assert_eq!(world.sandbox.graph.letters(), []);
}

#[tokio::test]
async fn a_code_that_somebody_replaces_before_the_letter_is_the_one_it_carries() {
    let act = change(json!({"adx_invitationcode": "another-code"}));
    let (world, old, outcome) = invite_while("resend", at_last_look, act).await;
    assert_eq!(outcome, "sent");
    assert!(
        world.sandbox.graph.letters()[0]
            .html
            .contains("another-code")
    );
    assert_eq!(old_row(&world, old)["statuscode"], SENT);
}
