//! What a digest learns from the sender mailboxes, and from which of them it leaves.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use sandbox::faults::{Fault, Rule, Service};
use sandbox::graph::State;

use super::{a_moment_passes, digests, outcome, read, run, run_since, setup, start, text};
use crate::world::{SENDER, World};

const OTHER: &str = "other@contoso.example";

fn nobody_is_at(world: &World, first: &str) {
    world.sandbox.graph.configure(|rules| {
        let address = format!("{}@customer.example", first.to_lowercase());
        rules.undeliverable.insert(address);
    });
}

#[tokio::test]
async fn a_letter_that_came_back_is_told_with_its_invitation() {
    let world = start().await;
    nobody_is_at(&world, "Ann");
    let contacts = ["Ann", "Ben"].map(|name| world.contact(name));
    world.invite_contacts(&contacts).await;
    a_moment_passes(&world);
    run(&world).await;
    let text = text(&world);
    assert!(text.contains("2 Letters sent"), "{text}");
    assert!(text.contains("Letters that came back: 1"), "{text}");
    assert!(text.contains("Ann Tester ( invitation )"), "{text}");
    assert!(!text.contains("Ben Tester"), "{text}");
    assert!(!text.contains("belong to no invitation"), "{text}");
}

#[tokio::test]
async fn a_report_that_names_no_letter_is_matched_by_its_conversation() {
    let world = start().await;
    world
        .sandbox
        .graph
        .configure(|rules| rules.reports_answer = false);
    nobody_is_at(&world, "Ann");
    world
        .invite_contacts(&[world.contact("Ann"), world.contact("Ben")])
        .await;
    a_moment_passes(&world);
    run(&world).await;
    let text = text(&world);
    assert!(text.contains("Letters that came back: 1"), "{text}");
    assert!(text.contains("Ann Tester ( invitation )"), "{text}");
}

#[tokio::test]
async fn reports_about_other_messages_are_counted_and_other_mail_is_left_alone() {
    let world = start().await;
    world.sandbox.graph.strange_report(SENDER);
    world.sandbox.graph.strange_report(SENDER);
    world.sandbox.graph.receive(SENDER, "Undeliverable: a joke");
    a_moment_passes(&world);
    run(&world).await;
    let text = text(&world);
    assert!(
        text.contains("Non-delivery reports that belong to no invitation: 2"),
        "{text}"
    );
    assert!(!text.contains("came back"), "{text}");
}

#[tokio::test]
async fn a_report_of_another_time_is_not_told_again() {
    let world = start().await;
    world.sandbox.graph.strange_report(SENDER);
    a_moment_passes(&world);
    assert_eq!(outcome(&run(&world).await), "sent");
    world.sandbox.age(SignedDuration::from_hours(3));
    let later = super::ago(1).to_string();
    assert_eq!(outcome(&run_since(&world, &later).await), "noNews");
}

#[tokio::test]
async fn drafts_that_a_lost_answer_left_behind_are_told_by_mailbox_and_stay() {
    let world = start().await;
    let lost = Rule::on(Service::Graph, Fault::DropAfter).path("$batch");
    world.sandbox.faults.add(lost.times(1));
    world.invite_contacts(&world.contacts(3)).await;
    let left = world.sandbox.graph.drafts(SENDER).len();
    assert_eq!(left, 3, "the drafts of the lost answer");
    world.sandbox.age(SignedDuration::from_mins(20));
    run(&world).await;
    let text = text(&world);
    assert!(text.contains("Drafts left over"), "{text}");
    assert!(text.contains("i***@contoso.example: 3"), "{text}");
    assert_eq!(world.sandbox.graph.drafts(SENDER).len(), 3);
}

#[tokio::test]
async fn a_draft_of_these_minutes_is_not_left_over() {
    let world = start().await;
    let lost = Rule::on(Service::Graph, Fault::DropAfter).path("$batch");
    world.sandbox.faults.add(lost.times(1));
    world.invite_contacts(&[world.contact("Ann")]).await;
    world.sandbox.age(SignedDuration::from_mins(10));
    run(&world).await;
    assert_eq!(world.sandbox.graph.drafts(SENDER).len(), 1);
    assert!(!text(&world).contains("Drafts"));
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_read_is_named_and_the_digest_leaves_from_another() {
    let world = setup().senders(&[OTHER, SENDER]).start().await;
    world.invite_contacts(&[world.contact("Ann")]).await;
    world
        .sandbox
        .graph
        .mailbox_state(OTHER, State::AccessDenied);
    let answer = run(&world).await;
    assert_eq!(outcome(&answer), "sent");
    assert_eq!(answer.json()["tally"]["unseen"], 1);
    let text = text(&world);
    assert!(text.contains("Could not be looked at"), "{text}");
    assert!(
        text.contains("The mailbox o***@contoso.example: Microsoft Graph refused"),
        "{text}"
    );
    assert_eq!(digests(&world)[0].mailbox, SENDER);
}

#[tokio::test]
async fn a_digest_that_no_mailbox_takes_fails_the_timer_and_is_sent_once_one_does() {
    for delivery in ["draft", "send"] {
        let world = setup().setting("MAIL_DELIVERY", delivery).start().await;
        world.invite_contacts(&[world.contact("Ann")]).await;
        world
            .sandbox
            .graph
            .mailbox_state(SENDER, State::AccessDenied);
        let last = super::ago(2).to_string();
        let failed = run_since(&world, &last).await;
        assert_eq!(
            (failed.status, &failed.json()["code"]),
            (502, &"refused".into())
        );
        world.sandbox.graph.mailbox_state(SENDER, State::Ok);
        assert_eq!(outcome(&run_since(&world, &last).await), "sent");
        assert!(text(&world).contains("1 Letters sent"));
    }
}

#[tokio::test]
async fn a_batch_that_keeps_the_mailbox_at_its_rate_does_not_keep_the_digest() {
    let world = Arc::new(start().await);
    world.invite_contacts(&[world.contact("Ann")]).await;
    let (contacts, inviting) = (world.contacts(40), Arc::clone(&world));
    let large = tokio::spawn(async move { inviting.invite_contacts(&contacts).await });
    while world.sandbox.graph.max_sent_in_60s(SENDER) < 30 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(outcome(&run(&world).await), "sent");
    assert!(!large.is_finished(), "it waits for its pace");
    // Exchange delivers late what is over the rate; it has the letter.
    let sent = world.sandbox.graph.sent_items(SENDER);
    let mut digests = sent.iter().filter(|letter| letter.to.len() == 2);
    let text = read(digests.next().unwrap());
    assert!(text.contains("1 Letters sent"), "{text}");
    assert!(!text.contains("Could not be looked at"), "{text}");
    large.abort();
}

#[tokio::test]
async fn in_send_mode_no_mailbox_is_read() {
    let world = setup().setting("MAIL_DELIVERY", "send").start().await;
    nobody_is_at(&world, "Ann");
    world.invite_contacts(&[world.contact("Ann")]).await;
    a_moment_passes(&world);
    let reads = world.count(|fault| Rule::on(Service::Graph, fault).path("$batch"));
    assert_eq!(outcome(&run(&world).await), "sent");
    assert_eq!(reads.count(), 0);
    assert!(!text(&world).contains("came back"));
}
