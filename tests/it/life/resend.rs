//! function-resend: from each standing, what a request may ask for, and how repeated requests end in one letter.

use jiff::SignedDuration;
use sandbox::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{OTHER_SITE, SENT, Stands, at_once, days_pass, expiry_of, id_of};
use crate::world::{Setup, World};

#[tokio::test]
async fn each_standing_has_its_answer() {
    let world = at_once().await;
    for (stands, answer) in [
        (Stands::Sent, Ok("sent")),
        (Stands::Unconfirmed, Ok("sent")),
        (Stands::Prepared, Ok("sent")),
        (Stands::Expired, Ok("sent")),
        (Stands::Swept, Ok("sent")),
        (Stands::Redeemed, Err("alreadyRedeemed")),
        (Stands::HalfRedeemed, Err("alreadyRedeemed")),
        (Stands::Closed, Err("revoked")),
        (Stands::Revoked, Err("revoked")),
        (Stands::PreparedWithoutCode, Err("notSendable")),
        (Stands::OtherDeployment, Err("notSendable")),
        (Stands::Group, Err("notSendable")),
    ] {
        let contact = stands.stage(&world).await;
        days_pass(&world, 0);
        let (before, letters) = (world.row(contact), world.mailed_codes(contact).len());
        let found = world.resend(id_of(&before), &json!({})).await;
        let row = world.row(contact);
        match answer {
            Ok(outcome) => {
                assert_eq!(found.status, 200, "{stands:?} {}", found.text);
                assert_eq!(found.outcomes(), [outcome], "{stands:?}");
                assert_eq!(found.each("invitationId")[0], row["adx_invitationid"]);
                assert_eq!(
                    (&row["statecode"], &row["statuscode"]),
                    (&json!(0), &json!(SENT))
                );
                assert_eq!(row["adx_invitationcode"], before["adx_invitationcode"]);
                assert_eq!(row["adx_maximumredemptions"], 1);
                let codes = world.mailed_codes(contact);
                assert_eq!(codes.len(), letters + 1, "{stands:?}");
                let code = row["adx_invitationcode"].as_str().unwrap();
                assert!(codes.iter().all(|mailed| mailed == code));
                assert!(expiry_of(&row) > world.sandbox.clock.now());
            }
            Err(code) => {
                found.assert_problem(409, code);
                assert!(found.json()["detail"].as_str().unwrap().ends_with('.'));
                assert_eq!(row, before, "{stands:?}");
                assert_eq!(world.mailed_codes(contact).len(), letters);
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_there_or_another_sites_is_not_found() {
    let setup = Setup::default().setting("PORTAL_WEBSITE_ID", &Uuid::from_u128(5).to_string());
    let world = setup.start().await;
    let site = json!({"powerpagesiteid": OTHER_SITE, "name": "Another site"});
    world.sandbox.dataverse.insert("powerpagesites", &site);
    let ann = world.contact("Ann");
    let row = json!({"_mspp_websiteid_value": OTHER_SITE});
    let elsewhere = crate::invite::row_of(&world, ann, &row).to_string();
    for id in [
        elsewhere.as_str(),
        &Uuid::from_u128(9).to_string(),
        "nonsense",
    ] {
        for found in [world.resend(id, &json!({})).await, world.revoke(id).await] {
            found.assert_problem(404, "invitationNotFound");
        }
    }
    assert_eq!(world.sandbox.graph.letters(), []);
}

#[tokio::test]
async fn a_letter_lately_sent_is_not_sent_again_before_the_cooldown_is_over() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    world.invite_contacts(&[ann]).await;
    let row = world.row(ann);
    for (minutes, wait) in [(0, 590..=600), (9, 50..=60)] {
        world.sandbox.age(SignedDuration::from_mins(minutes));
        let found = world.resend(id_of(&row), &json!({})).await;
        found.assert_problem(429, "cooldown");
        let seconds: i32 = found.header("retry-after").parse().unwrap();
        assert!(wait.contains(&seconds), "{seconds}");
        // A key tells requests apart, and spares nobody a second letter.
        let (id, key) = (id_of(&row), format!("after {minutes}"));
        let keyed = world.resend_keyed(id, &key, &json!({})).await;
        keyed.assert_problem(429, "cooldown");
    }
    world.sandbox.age(SignedDuration::from_mins(1));
    let sent = world.resend(id_of(&row), &json!({})).await;
    assert_eq!(sent.outcomes(), ["sent"]);
    world
        .resend(id_of(&row), &json!({}))
        .await
        .assert_problem(429, "cooldown");
    assert_eq!(world.mailed_codes(ann).len(), 2);
}

#[tokio::test]
async fn a_repeated_request_with_the_same_key_gets_the_same_answer() {
    let world = World::start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    world.invite_contacts(&[ann, ben]).await;
    days_pass(&world, 1);
    let [row, other] = [ann, ben].map(|contact| world.row(contact));
    let body = json!({"message": "Once more"});
    let first = world.resend_keyed(id_of(&row), "key", &body).await;
    assert_eq!(first.outcomes(), ["sent"]);
    let again = world.resend_keyed(id_of(&row), "key", &body).await;
    assert_eq!(again.json(), first.json());
    for (id, body) in [(&row, json!({})), (&other, body)] {
        let other = world.resend_keyed(id_of(id), "key", &body).await;
        other.assert_problem(422, "keyReused");
    }
    assert_eq!(world.mailed_codes(ann).len(), 2);
    assert_eq!(world.mailed_codes(ben).len(), 1);
}

#[tokio::test]
async fn an_invitation_that_still_waits_for_its_letter_gets_no_second_one() {
    let setup = Setup::default().setting("MAIL_RATE_PER_MINUTE", "1");
    let world = setup.setting("INLINE_SECONDS", "3").start().await;
    let people = ["Ann", "Ben"].map(|name| world.contact(name));
    let batch = world.invite_contacts(&people).await;
    assert_eq!(batch.status, 202, "{}", batch.text);
    let [sent, waiting] = match people.map(|contact| world.row(contact)) {
        [ann, ben] if ann["statuscode"] == SENT => [ann, ben],
        [ann, ben] => [ben, ann],
    };
    assert_eq!(waiting["statuscode"], 1);
    let found = world.resend(id_of(&waiting), &json!({})).await;
    assert_eq!(found.status, 202, "{}", found.text);
    assert_eq!(found.header("location"), batch.header("location"));
    assert_eq!(found.batch(), batch.batch());
    world
        .resend(id_of(&sent), &json!({}))
        .await
        .assert_problem(429, "cooldown");
    world.restart().await;
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&people);
}

/// The first request is out of time; what it accepted waits for the sender's next minute.
#[tokio::test]
async fn a_second_request_follows_the_first_while_that_waits() {
    let setup = Setup::default().setting("MAIL_RATE_PER_MINUTE", "1");
    let world = setup.setting("INLINE_SECONDS", "2").start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    let id = crate::invite::row_of(&world, ann, &json!({})).to_string();
    assert_eq!(world.invite_contacts(&[ben]).await.outcomes(), ["sent"]);
    let first = world.resend(&id, &json!({})).await;
    assert_eq!(first.status, 202, "{}", first.text);
    for _ in 0..2 {
        let again = world.resend(&id, &json!({})).await;
        assert_eq!(again.status, 202, "{}", again.text);
        assert_eq!(again.header("location"), first.header("location"));
    }
    world.restart().await;
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
    let batch = world.result(first.batch()).await;
    assert_eq!(batch.outcomes(), ["sent"]);
}

#[tokio::test]
async fn the_letter_says_what_the_first_one_said_unless_the_request_does() {
    let world = at_once().await;
    let ann = world.contact("Ann");
    let body = json!({"contactIds": [ann], "message": "Please come", "returnUrl": "/welcome", "subject": "Come in"});
    world.invite(&body).await;
    let id = id_of(&world.row(ann)).to_owned();
    for (body, message) in [
        (json!({}), "Please come"),
        (json!({"message": "Last call"}), "Last call"),
    ] {
        days_pass(&world, 0);
        let sent = world.resend(&id, &body).await;
        assert_eq!(sent.outcomes(), ["sent"], "{}", sent.text);
        let letters = world.sandbox.graph.letters();
        let letter = letters.last().unwrap();
        assert!(letter.html.contains(message), "{message}");
        assert!(
            letter.html.contains("returnurl=%2Fwelcome")
                || letter.html.contains("returnurl=/welcome")
        );
        assert_eq!(letter.subject, "Come in");
    }
}

#[tokio::test]
async fn a_later_expiry_is_on_the_row_before_it_is_in_the_letter() {
    let world = at_once().await;
    let ann = world.contact("Ann");
    world.invite_contacts(&[ann]).await;
    let before = world.row(ann);
    days_pass(&world, 0);
    let sent = world
        .resend(id_of(&before), &json!({"extendDays": 60}))
        .await;
    assert_eq!(sent.outcomes(), ["sent"]);
    let row = world.row(ann);
    let days = (expiry_of(&row) - expiry_of(&before))
        .total(jiff::Unit::Hour)
        .unwrap()
        / 24.0;
    assert!((45.9..46.1).contains(&days), "{days}");
    assert_eq!(sent.each("expiresOn")[0], row["adx_expirydate"]);
    assert_eq!(row["adx_invitationcode"], before["adx_invitationcode"]);
    days_pass(&world, 0);
    let later = world.row(ann);
    let sent = world.resend(id_of(&row), &json!({"extendDays": 5})).await;
    assert_eq!(sent.outcomes(), ["sent"]);
    assert_eq!(
        expiry_of(&world.row(ann)),
        expiry_of(&later),
        "never earlier"
    );
    assert_eq!(world.mailed_codes(ann).len(), 3);
}

#[tokio::test]
async fn a_contact_who_must_not_be_written_to_is_skipped() {
    for (change, outcome) in [
        (json!({"emailaddress1": null}), "skipped noEmail"),
        (
            json!({"statecode": 1, "statuscode": 2}),
            "skipped contactInactive",
        ),
        (json!({"donotemail": true}), "skipped emailNotAllowed"),
        (
            json!({"adx_identity_username": "ann"}),
            "skipped alreadyRegistered",
        ),
    ] {
        let world = at_once().await;
        let ann = world.contact("Ann");
        world.invite_contacts(&[ann]).await;
        world.sandbox.dataverse.change("contacts", ann, &change);
        days_pass(&world, 0);
        let before = world.row(ann);
        let found = world
            .resend(id_of(&before), &json!({"extendDays": 90}))
            .await;
        assert_eq!(found.status, 200);
        assert_eq!(found.outcomes(), [outcome]);
        assert_eq!(
            world.row(ann),
            before,
            "a refused letter leaves its row alone"
        );
        assert_eq!(world.sandbox.graph.letters().len(), 1);
    }
}

#[tokio::test]
async fn every_mistake_in_a_request_is_told_at_once_and_changes_nothing() {
    let world = at_once().await;
    let ann = Stands::Sent.stage(&world).await;
    days_pass(&world, 0);
    let before = world.row(ann);
    let id = id_of(&before);
    let body = json!({"extendDays": 0, "message": 5, "language": true, "validDays": 3});
    let found = world.resend(id, &body).await;
    found.assert_problem(400, "invalidRequest");
    assert_eq!(
        found.wrong_fields(),
        ["extendDays", "message", "language", "validDays"]
    );
    let found = world.resend(id, &json!({"language": "tlh"})).await;
    found.assert_problem(400, "invalidRequest");
    assert_eq!(found.wrong_fields(), ["language"]);
    let path = format!("/api/invitations/{id}/resend");
    for body in [&b"[]"[..], b"{", b"null", b"\"x\""] {
        let headers = [("content-type", "application/json")];
        let found = world.request(http::Method::POST, &path, &headers, Some(body.to_vec()));
        found.await.assert_problem(400, "invalidJson");
    }
    assert_eq!(world.row(ann), before);
    let without_body = world.request(http::Method::POST, &path, &[], None).await;
    assert_eq!(without_body.outcomes(), ["sent"]);
}

#[tokio::test]
async fn no_answer_holds_a_code_or_a_link() {
    let world = at_once().await;
    for stands in Stands::ALL {
        let contact = stands.stage(&world).await;
        let row = world.row(contact);
        days_pass(&world, 0);
        let answers = [
            world.resend(id_of(&row), &json!({"extendDays": 30})).await,
            world.revoke(id_of(&row)).await,
        ];
        let Value::String(code) = &row["adx_invitationcode"] else {
            continue;
        };
        for answer in answers {
            assert!(!answer.text.contains(code.as_str()), "{stands:?}");
        }
        let log = world.log();
        assert!(
            log.iter()
                .all(|line| !line.to_string().contains(code.as_str()))
        );
    }
}

/// Flows make codes by `guid()`, and Dataverse may quote the write that it refuses.
#[tokio::test]
async fn a_code_that_looks_like_an_id_is_not_told_either() {
    let code = "0f0e0d0c-0b0a-4908-8706-050403020100";
    for status in [400, 403] {
        let setup = Setup::default().setting("INLINE_SECONDS", "2");
        let world = setup.start().await;
        let ann = world.contact("Ann");
        let columns = json!({"adx_invitationcode": code, "adx_maximumredemptions": 1});
        let id = crate::invite::row_of(&world, ann, &columns).to_string();
        let quote = Rule::on(Service::Dataverse, Fault::Quote { status }).inside_batch();
        world.sandbox.faults.add(quote.method(http::Method::PATCH));
        let found = world.resend(&id, &json!({})).await;
        assert!(!found.text.contains(code), "{}", found.text);
        let log = world.log();
        let quoted = |line: &Value| line.to_string().contains("adx_invitationcode");
        assert!(log.iter().any(quoted));
        assert!(log.iter().all(|line| !line.to_string().contains(code)));
    }
}
