//! `MAIL_DELIVERY=send`: nobody can look an unclear letter up, so it is left to a person and never sent again.

use sandbox::faults::{Fault, Rule, Service};

use crate::trouble::{instead, refusal, throttled};
use crate::world::{Setup, World};

fn send(fault: Fault) -> Rule {
    Rule::on(Service::Graph, fault).path("/sendMail")
}

async fn sending() -> World {
    Setup::default()
        .setting("MAIL_DELIVERY", "send")
        .start()
        .await
}

#[tokio::test]
async fn letters_go_out_without_drafts() {
    let world = sending().await;
    let contacts = world.contacts(6);
    let sends = world.count(send);
    assert_eq!(
        world.invite_contacts(&contacts).await.outcomes(),
        ["sent"; 6]
    );
    assert_eq!(sends.count(), 6);
    assert!(world.sandbox.graph.max_in_flight(crate::world::SENDER) <= 4);
    world.assert_each_has_one_letter_and_row(&contacts);
}

#[tokio::test]
async fn an_unclear_send_is_unconfirmed_and_never_repeated() {
    let unclear = [
        (Fault::DropAfter, 1),
        (Fault::DropBefore, 0),
        (instead(504, true), 1),
        (instead(500, false), 0),
        (instead(408, true), 1),
    ];
    let world = sending().await;
    for (place, (fault, letters)) in unclear.into_iter().enumerate() {
        world.sandbox.faults.clear();
        let contact = world.contact(&format!("Person{place}"));
        let sends = world.count(send);
        world.sandbox.faults.add(send(fault).times(1));
        let answer = world.invite_contacts(&[contact]).await;
        assert_eq!(answer.outcomes(), ["unconfirmed unconfirmed"]);
        assert_eq!(
            (
                answer.json()["ok"].clone(),
                answer.json()["counts"]["unconfirmed"].clone()
            ),
            (false.into(), 1.into())
        );
        world.dispatch_until_idle().await;
        let again = world.invite_contacts(&[contact]).await;
        assert_eq!(again.outcomes(), ["kept unconfirmed"]);
        assert_eq!(
            (sends.count(), world.mailed_codes(contact).len()),
            (1, letters)
        );
    }
}

#[tokio::test]
async fn an_unclear_send_among_others_is_the_only_one_left_open() {
    let world = sending().await;
    let contacts = world.contacts(6);
    world
        .sandbox
        .faults
        .add(send(Fault::DropBefore).skip(2).times(1));
    let mut outcomes = world.invite_contacts(&contacts).await.outcomes();
    outcomes.sort();
    assert_eq!(outcomes[..5], ["sent"; 5]);
    assert_eq!(outcomes[5], "unconfirmed unconfirmed");
    assert_eq!(world.sandbox.graph.letters().len(), 5);
}

#[tokio::test]
async fn a_throttled_send_surely_did_not_happen_and_is_tried_again() {
    let world = sending().await;
    let contact = world.contact("Ann");
    world.sandbox.faults.add(send(throttled(1)).times(2));
    world.invite_contacts(&[contact]).await;
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[contact]);
}

#[tokio::test]
async fn a_refused_recipient_ends_the_entry_and_closes_its_row() {
    let world = sending().await;
    let contacts = world.contacts(2);
    let refused = refusal(400, "ErrorInvalidRecipients", false);
    world.sandbox.faults.add(send(refused).times(1));
    let mut outcomes = world.invite_contacts(&contacts).await.outcomes();
    outcomes.sort();
    assert_eq!(outcomes, ["failed recipientRefused", "sent"]);
    let mut closed = 0;
    for contact in contacts {
        let row = world.row(contact);
        if row["statecode"] == 1 {
            assert!(row["adx_invitationcode"].is_null() && world.mailed_codes(contact).is_empty());
            closed += 1;
        }
    }
    assert_eq!(closed, 1);
}

#[tokio::test]
async fn a_refused_sender_is_released_and_its_letters_go_later() {
    let world = sending().await;
    let contact = world.contact("Ann");
    let refused = refusal(403, "ErrorAccessDenied", false);
    world.sandbox.faults.add(send(refused).times(1));
    let answer = world.invite_contacts(&[contact]).await;
    assert_eq!(answer.status, 202);
    let lines = world.journal();
    assert!(
        lines.iter().any(|line| line["line"] == "released"),
        "{lines:?}"
    );
    world.backdate("resting", jiff::SignedDuration::from_hours(1));
    world.dispatch_until_idle().await;
    assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
    world.assert_each_has_one_letter_and_row(&[contact]);
}
