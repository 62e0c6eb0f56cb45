//! function-revoke: from each standing, again and again, and against a redemption and a letter in flight.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::{Value, json};

use super::{REDEEMED, Stands, at_once, days_pass, id_of};
use crate::trouble::instead;
use crate::world::{Setup, World};

/// Closed, and nothing is left that could be redeemed.
fn assert_revoked(row: &Value) {
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(1), &json!(2)),
        "{row}"
    );
    assert_eq!(row["adx_invitationcode"], Value::Null);
}

#[tokio::test]
async fn each_standing_but_redeemed_ends_closed_and_without_code() {
    let world = at_once().await;
    for stands in Stands::ALL {
        let contact = stands.stage(&world).await;
        let before = world.row(contact);
        let letters = world.mailed_codes(contact);
        let found = world.revoke(id_of(&before)).await;
        if matches!(stands, Stands::Redeemed | Stands::HalfRedeemed) {
            found.assert_problem(409, "alreadyRedeemed");
            assert_eq!(world.row(contact), before, "{stands:?}");
            continue;
        }
        for found in [found, world.revoke(id_of(&before)).await] {
            assert_eq!(found.status, 200, "{stands:?} {}", found.text);
            let told = found.json();
            assert_eq!(
                told["invitationId"], before["adx_invitationid"],
                "{stands:?}"
            );
            assert_eq!(told["standing"], "revoked", "{stands:?} {told}");
            assert_eq!(told["warning"], Value::Null, "{stands:?}");
        }
        assert_revoked(&world.row(contact));
        for code in letters {
            let redeemed = world.sandbox.portal.redeem(&code, "late", "late@x.example");
            redeemed.unwrap_err();
        }
        let resent = world.resend(id_of(&before), &json!({})).await;
        resent.assert_problem(409, "revoked");
    }
}

#[tokio::test]
async fn a_second_revocation_writes_nothing() {
    let world = at_once().await;
    let contact = Stands::Sent.stage(&world).await;
    let id = id_of(&world.row(contact)).to_owned();
    world.revoke(&id).await;
    let (row, writes) = (world.row(contact), world.sandbox.dataverse.writes());
    assert_eq!(world.revoke(&id).await.status, 200);
    assert_eq!(
        (world.row(contact), world.sandbox.dataverse.writes()),
        (row, writes)
    );
}

/// The write that closes a row.
fn at_close(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Dataverse, fault).inside_batch();
    rule.method(Method::PATCH).path("adx_invitations(").times(1)
}

#[tokio::test]
async fn a_redemption_that_comes_first_wins() {
    for halfway in [true, false] {
        let world = at_once().await;
        let ann = Stands::Sent.stage(&world).await;
        let (sandbox, code) = (world.sandbox.clone(), world.mailed_codes(ann).remove(0));
        let redeem = Fault::Call(Arc::new(move || {
            let portal = &sandbox.portal;
            let begun = portal
                .redeem_halfway(&code, "ann", "ann@x.example")
                .unwrap();
            if !halfway {
                portal.finish(begun);
            }
        }));
        world.sandbox.faults.add(at_close(redeem));
        let found = world.revoke(id_of(&world.row(ann))).await;
        found.assert_problem(409, "alreadyRedeemed");
        let row = world.row(ann);
        assert_eq!(
            (&row["statecode"], &row["adx_redemptions"]),
            (&json!(0), &json!(1))
        );
        assert_eq!(row["statuscode"] == REDEEMED, !halfway);
    }
}

#[tokio::test]
async fn any_answer_may_be_lost() {
    for fault in [
        Fault::DropBefore,
        Fault::DropAfter,
        instead(504, true),
        instead(500, false),
    ] {
        for inside in [false, true] {
            for skip in 0..4 {
                let world = at_once().await;
                let ann = Stands::Sent.stage(&world).await;
                let rule = Rule::on(Service::Dataverse, fault.clone())
                    .skip(skip)
                    .times(1);
                let rule = if inside { rule.inside_batch() } else { rule };
                world.sandbox.faults.add(rule);
                let found = world.revoke(id_of(&world.row(ann))).await;
                assert_eq!(found.status, 200, "{fault:?} {skip} {}", found.text);
                assert_revoked(&world.row(ann));
            }
        }
    }
}

#[tokio::test]
async fn a_letter_in_flight_is_told_of_and_its_link_stays_dead() {
    for again in [false, true] {
        let setup = Setup::default().setting("RESEND_COOLDOWN_MINUTES", "0");
        let world = setup.start().await;
        let ann = world.contact("Ann");
        if again {
            world.invite_contacts(&[ann]).await;
            days_pass(&world, 0);
        }
        // The letter takes its time at Exchange; meanwhile somebody revokes.
        let slow = Rule::on(Service::Graph, Fault::Delay(Duration::from_secs(2)));
        world
            .sandbox
            .faults
            .add(slow.inside_batch().path("/send").times(1));
        let letters = async {
            if again {
                world.resend(id_of(&world.row(ann)), &json!({})).await
            } else {
                world.invite_contacts(&[ann]).await
            }
        };
        let revoking = async {
            while world.sandbox.graph.drafts(crate::world::SENDER).is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            world.revoke(id_of(&world.row(ann))).await
        };
        let (letters, revoked) = tokio::join!(letters, revoking);
        assert_eq!(revoked.status, 200, "{}", revoked.text);
        assert!(revoked.json()["warning"].is_string(), "{}", revoked.text);
        assert_eq!(letters.outcomes(), ["sent"], "{}", letters.text);
        assert_revoked(&world.row(ann));
        let code = world.mailed_codes(ann).remove(0);
        let redeemed = world.sandbox.portal.redeem(&code, "ann", "ann@x.example");
        redeemed.unwrap_err();
    }
}

#[tokio::test]
async fn a_batch_sends_no_letter_about_what_was_revoked_before() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let sandbox = world.sandbox.clone();
    // Between the creation of the row and the reading of it for the letter.
    let close = Fault::Call(Arc::new(move || {
        let row = sandbox.dataverse.invitations_of(ann).pop().unwrap();
        let closed = json!({"statecode": 1, "statuscode": 2, "adx_invitationcode": null});
        let id = id_of(&row).parse().unwrap();
        sandbox.dataverse.change("adx_invitations", id, &closed);
    }));
    let reading = Rule::on(Service::Dataverse, close).inside_batch();
    world.sandbox.faults.add(
        reading
            .method(Method::GET)
            .path("adx_invitations?")
            .skip(1)
            .times(1),
    );
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.outcomes(), ["failed conflict"]);
    assert_eq!(world.sandbox.graph.letters(), []);
    assert_revoked(&world.row(ann));
}
