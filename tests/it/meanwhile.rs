//! What others do to a row while its letter leaves: the letter and the row must still belong together.

use std::sync::Arc;

use http::Method;
use sandbox::Sandbox;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

/// The send of a letter.
fn at_send(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Graph, fault).inside_batch();
    rule.method(Method::POST).path("/send").times(1)
}

/// The mark of a row: its second PATCH, after the one that created it.
fn at_mark(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Dataverse, fault).inside_batch();
    rule.method(Method::PATCH)
        .path("adx_invitations(")
        .skip(1)
        .times(1)
}

/// Invites Ann while someone does something to her row at a moment of the delivery.
async fn invite_while(
    world: &World,
    moment: fn(Fault) -> Rule,
    act: impl Fn(&Sandbox, &Value) + Send + Sync + 'static,
) -> (Uuid, Value) {
    let ann = world.contact("Ann");
    let sandbox = world.sandbox.clone();
    let strike = Fault::Call(Arc::new(move || {
        let row = sandbox.dataverse.invitations_of(ann).pop().unwrap();
        act(&sandbox, &row);
    }));
    world.sandbox.faults.add(moment(strike));
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.outcomes(), ["sent"]);
    assert_eq!(world.mailed_codes(ann).len(), 1);
    (ann, answer.json())
}

fn change(sandbox: &Sandbox, row: &Value, values: &Value) {
    let id = row["adx_invitationid"].as_str().unwrap().parse().unwrap();
    sandbox.dataverse.change("adx_invitations", id, values);
}

fn code(row: &Value) -> &str {
    row["adx_invitationcode"].as_str().unwrap()
}

#[tokio::test]
async fn a_code_that_a_process_sets_at_create_is_the_one_in_the_letter() {
    let world = World::start().await;
    world.sandbox.dataverse.overwrite_codes_at_create(true);
    let ann = world.contact("Ann");
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    let row = world.row(ann);
    assert_eq!(row["statuscode"], 756_150_000);
    assert_eq!(code(&row).len(), 172, "the process's code stands");
    assert_eq!(world.mailed_codes(ann), [code(&row)]);
    let portal = &world.sandbox.portal;
    portal
        .redeem(&world.mailed_codes(ann)[0], "ann", "ann@customer.example")
        .unwrap();
}

#[tokio::test]
async fn a_code_overwritten_while_the_letter_leaves_is_put_back_with_a_warning() {
    for moment in [at_send, at_mark] {
        let world = World::start().await;
        let (ann, _) = invite_while(&world, moment, |sandbox, row| {
            change(sandbox, row, &json!({"adx_invitationcode": "z".repeat(43)}));
        })
        .await;
        let row = world.row(ann);
        assert_eq!(
            world.mailed_codes(ann),
            [code(&row)],
            "the mailed code wins"
        );
        assert_eq!(row["statuscode"], 756_150_000);
        world.logged("the mailed code is put back").await;
        let portal = &world.sandbox.portal;
        portal
            .redeem(code(&row), "ann", "ann@customer.example")
            .unwrap();
    }
}

#[tokio::test]
async fn a_row_redeemed_before_it_was_marked_stays_redeemed() {
    for moment in [at_send, at_mark] {
        let world = World::start().await;
        let (ann, _) = invite_while(&world, moment, |sandbox, row| {
            let redeemed = sandbox
                .portal
                .redeem(code(row), "ann", "ann@customer.example");
            redeemed.unwrap();
        })
        .await;
        let row = world.row(ann);
        assert_eq!(
            (&row["statuscode"], &row["adx_redemptions"]),
            (&json!(756_150_001), &json!(1))
        );
    }
}

#[tokio::test]
async fn a_row_in_the_middle_of_its_redemption_is_left_to_the_portal() {
    for moment in [at_send, at_mark] {
        let world = World::start().await;
        let (ann, _) = invite_while(&world, moment, |sandbox, row| {
            let begun = sandbox
                .portal
                .redeem_halfway(code(row), "ann", "ann@customer.example");
            begun.unwrap();
        })
        .await;
        let row = world.row(ann);
        assert_eq!(
            (&row["statuscode"], &row["adx_redemptions"]),
            (&json!(1), &json!(1))
        );
    }
}

#[tokio::test]
async fn a_row_closed_while_its_letter_left_stays_closed_with_a_warning() {
    for moment in [at_send, at_mark] {
        let world = World::start().await;
        let (ann, _) = invite_while(&world, moment, |sandbox, row| {
            let closed = json!({"statecode": 1, "statuscode": 2, "adx_invitationcode": null});
            change(sandbox, row, &closed);
        })
        .await;
        let row = world.row(ann);
        assert_eq!(
            (&row["statecode"], &row["adx_invitationcode"]),
            (&json!(1), &json!(null))
        );
        world.logged("its link is dead").await;
    }
}

#[tokio::test]
async fn a_row_deleted_while_its_letter_left_is_not_made_again() {
    for moment in [at_send, at_mark] {
        let world = World::start().await;
        let (ann, _) = invite_while(&world, moment, |sandbox, row| {
            let id = row["adx_invitationid"].as_str().unwrap().parse().unwrap();
            assert!(sandbox.dataverse.delete("adx_invitations", id));
        })
        .await;
        world.dispatch_until_idle().await;
        assert!(world.rows(ann).is_empty());
        world.logged("deleted after its letter was accepted").await;
    }
}

#[tokio::test]
async fn a_change_that_does_not_matter_stands_beside_the_mark() {
    for moment in [at_send, at_mark] {
        let world = World::start().await;
        let (ann, _) = invite_while(&world, moment, |sandbox, row| {
            change(sandbox, row, &json!({"adx_name": "Renamed"}));
        })
        .await;
        let row = world.row(ann);
        assert_eq!(
            (&row["statuscode"], &row["adx_name"]),
            (&json!(756_150_000), &json!("Renamed"))
        );
    }
}

#[tokio::test]
async fn a_row_revoked_or_redeemed_before_its_letter_gets_none() {
    let world = World::start().await;
    for (closed, outcome) in [
        (
            json!({"statecode": 1, "statuscode": 2, "adx_invitationcode": null}),
            "failed conflict",
        ),
        (json!({"adx_redemptions": 1}), "skipped alreadyRegistered"),
    ] {
        world.sandbox.faults.clear();
        let ann = world.contact(outcome.split(' ').next().unwrap());
        let sandbox = world.sandbox.clone();
        let strike = Fault::Call(Arc::new(move || {
            if let Some(row) = sandbox.dataverse.invitations_of(ann).pop() {
                change(&sandbox, &row, &closed);
            }
        }));
        let read = Rule::on(Service::Dataverse, strike).inside_batch();
        world
            .sandbox
            .faults
            .add(read.method(Method::GET).path("contacts?").skip(1).times(1));
        assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), [outcome]);
        assert!(world.mailed_codes(ann).is_empty());
    }
}

#[tokio::test]
async fn a_row_redeemed_while_it_is_being_closed_stays_redeemed() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let dataverse = world.sandbox.dataverse.clone();
    let opt_out = Fault::Call(Arc::new(move || {
        dataverse.change("contacts", ann, &json!({"donotemail": true}));
    }));
    let read_again = Rule::on(Service::Dataverse, opt_out).inside_batch();
    let read_again = read_again.method(Method::GET).path("contacts?").skip(1);
    world.sandbox.faults.add(read_again.times(1));
    let sandbox = world.sandbox.clone();
    // The second PATCH closes the row here: nothing is to be marked.
    world
        .sandbox
        .faults
        .add(at_mark(Fault::Call(Arc::new(move || {
            let row = sandbox.dataverse.invitations_of(ann).pop().unwrap();
            let portal = &sandbox.portal;
            portal
                .redeem(code(&row), "ann", "ann@customer.example")
                .unwrap();
        }))));
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.outcomes(), ["skipped emailNotAllowed"]);
    let row = world.row(ann);
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(0), &json!(756_150_001))
    );
}
