//! What another request is told about rows whose letters are not settled: on their way, or nobody knows.

use sandbox::{Fault, Rule, Service};
use serde_json::json;
use uuid::Uuid;

use crate::world::{Setup, World};

/// A world in which the first contact has its letter and the second has a row and waits.
async fn one_sent_one_waiting() -> (World, [Uuid; 2]) {
    let setup = Setup::default().setting("MAIL_RATE_PER_MINUTE", "1");
    let world = setup.setting("INLINE_SECONDS", "30").start().await;
    let people = ["Ann", "Ben"].map(|name| world.contact(name));
    let posted = world.invite_contacts(&people).await;
    assert_eq!(posted.status, 202, "{}", posted.text);
    assert_eq!(world.row(people[1])["statuscode"], 1, "New");
    (world, people)
}

#[tokio::test]
async fn a_letter_that_is_on_its_way_is_in_progress_for_others() {
    let (world, people) = one_sent_one_waiting().await;
    let answer = world.invite_contacts(&people).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.outcomes(), ["kept", "kept inProgress"]);
    assert_eq!(
        answer.each("invitationId")[1],
        world.row(people[1])["adx_invitationid"]
    );
    let strict = json!({"contactIds": people, "whenPending": "fail"});
    assert_eq!(
        world.invite(&strict).await.outcomes(),
        ["failed alreadyInvited", "failed alreadyInvited"]
    );
    world.restart().await;
    world.dispatch().await;
    world.assert_each_has_one_letter_and_row(&people);
}

#[tokio::test]
async fn a_letter_of_which_nobody_knows_is_unconfirmed_and_stays_so_for_others() {
    let world = Setup::default()
        .setting("MAIL_DELIVERY", "send")
        .start()
        .await;
    let ann = world.contact("Ann");
    let lost = Rule::on(Service::Graph, Fault::DropAfter).path("sendMail");
    world.sandbox.faults.add(lost.times(1));
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.outcomes(), ["unconfirmed unconfirmed"]);
    assert_eq!(answer.json()["counts"]["unconfirmed"], 1);
    assert_eq!(answer.json()["ok"], false);
    assert_eq!(world.row(ann)["statuscode"], 1, "New: nobody may say Sent");
    let again = world.invite_contacts(&[ann]).await;
    assert_eq!(again.outcomes(), ["kept unconfirmed"]);
    assert_eq!(again.json()["ok"], true);
    world.dispatch().await;
    let letters = world.letters_by_address();
    assert_eq!(letters["ann@customer.example"], 1, "never repeated");
}

#[tokio::test]
async fn a_contact_waiting_twice_gets_one_letter() {
    let (world, people) = one_sent_one_waiting().await;
    world.invite_contacts(&people).await;
    for _ in 0..3 {
        world.restart().await;
        world.dispatch().await;
    }
    assert_eq!(world.stored("open").len(), 0);
    world.assert_each_has_one_letter_and_row(&people);
}
