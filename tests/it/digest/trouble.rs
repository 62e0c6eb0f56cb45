//! What a digest does about services that do not work: it says so, and is sent once all the same.

use std::sync::Arc;
use std::time::Duration;

use sandbox::dataverse::Verb;
use sandbox::faults::{Fault, Rule, Service};
use sandbox::graph::State;

use super::{ago, code_of, digests, outcome, read, run, run_since, setup, start, text};
use crate::trouble::{instead, throttled};
use crate::world::SENDER;

#[tokio::test]
async fn what_may_not_be_read_is_named_and_the_rest_is_told() {
    let world = start().await;
    world.invite_contacts(&[world.contact("Ann")]).await;
    world
        .sandbox
        .dataverse
        .deny("adx_inviteredemptions", Verb::Read);
    let last = ago(2).to_string();
    let answer = run_since(&world, &last).await;
    assert_eq!(
        (outcome(&answer).as_str(), &answer.json()["tally"]["unseen"]),
        ("sent", &1.into())
    );
    let text = text(&world);
    assert!(text.contains("1 Letters sent"), "{text}");
    assert!(
        text.contains("Redemptions: Dataverse refused to read redemptions: 403"),
        "{text}"
    );
    assert_eq!(
        outcome(&run_since(&world, &last).await),
        "noNews",
        "it has been said"
    );
}

#[tokio::test]
async fn that_something_cannot_be_looked_at_is_worth_a_letter() {
    let world = start().await;
    world
        .sandbox
        .dataverse
        .deny("adx_inviteredemptions", Verb::Read);
    assert_eq!(outcome(&run(&world).await), "sent");
    assert!(text(&world).contains("Could not be looked at"));
}

#[tokio::test]
async fn a_service_that_is_down_leaves_what_the_others_know() {
    let world = start().await;
    world.invite_contacts(&[world.contact("Ann")]).await;
    world
        .sandbox
        .faults
        .add(Rule::on(Service::Dataverse, instead(503, false)));
    assert_eq!(outcome(&run(&world).await), "sent");
    let text = text(&world);
    assert!(text.contains("1 Letters sent"), "{text}");
    assert!(text.contains("Expired invitations: "), "{text}");
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up_in_time_for_the_letter() {
    let world = start().await;
    world.invite_contacts(&[world.contact("Ann")]).await;
    let never = Fault::Delay(Duration::from_hours(1));
    world
        .sandbox
        .faults
        .add(Rule::on(Service::Dataverse, never));
    let run = world.host.fire("function-digest").await.unwrap();
    assert_eq!(run.body["tally"]["outcome"], "sent");
    let text = text(&world);
    assert!(text.contains("1 Letters sent"), "{text}");
    assert!(text.contains("Redemptions: "), "{text}");
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_is_counted() {
    let world = start().await;
    let batch = world.invite_contacts(&[world.contact("Ann")]).await.batch();
    world.invite_contacts(&[world.contact("Ben")]).await;
    let journal = world.store.path().join(format!("done/{batch}.jsonl"));
    std::fs::write(journal, "no line\n").unwrap();
    run(&world).await;
    let text = text(&world);
    assert!(text.contains("1 Letters sent"), "{text}");
    assert!(text.contains("journals could not be read: 1."), "{text}");
}

#[tokio::test]
async fn a_batch_that_is_open_for_a_day_is_told_of_once() {
    let world = setup().setting("INLINE_SECONDS", "1").start().await;
    world
        .sandbox
        .graph
        .mailbox_state(SENDER, State::AccessDenied);
    let batch = world.invite_contacts(&[world.contact("Ann")]).await.batch();
    world.sandbox.graph.mailbox_state(SENDER, State::Ok);
    let accepted = |hours: i64| {
        let mut lines = world.journal();
        let terms = lines
            .iter_mut()
            .find(|line| line["line"] == "terms")
            .unwrap();
        terms["terms"]["created"] = ago(hours).to_string().into();
        world.write_journal(&lines);
    };
    for (hours, told) in [(23, "noNews"), (27, "noNews"), (25, "sent")] {
        accepted(hours);
        assert_eq!(outcome(&run(&world).await), told, "{hours} hours");
    }
    let text = text(&world);
    assert!(text.contains("Batches still open after a day"), "{text}");
    assert!(text.contains(&format!("batch {batch}: 1 left")), "{text}");
}

#[tokio::test]
async fn a_store_that_is_gone_is_told_of() {
    let world = start().await;
    world.invite_contacts(&[world.contact("Ann")]).await;
    for folder in ["keys", "open", "done"] {
        std::fs::remove_dir_all(world.store.path().join(folder)).unwrap();
    }
    assert_eq!(outcome(&run(&world).await), "sent");
    let text = text(&world);
    assert!(
        text.contains("The batches: the batch store does not work"),
        "{text}"
    );
    assert!(text.contains("0 Letters sent"), "{text}");
}

#[tokio::test]
async fn letters_whose_fate_is_unknown_are_named() {
    let world = setup().setting("MAIL_DELIVERY", "send").start().await;
    let unclear = Rule::on(Service::Graph, Fault::DropAfter).path("/sendMail");
    world.sandbox.faults.add(unclear.times(1));
    world.invite_contacts(&[world.contact("Ann")]).await;
    run(&world).await;
    let text = text(&world);
    assert!(text.contains("Unconfirmed: 1"), "{text}");
    assert!(
        text.contains("Ann Tester : It could not be confirmed"),
        "{text}"
    );
}

#[tokio::test]
async fn a_digest_whose_answer_is_lost_is_looked_up_and_not_sent_twice() {
    for fault in [Fault::DropAfter, instead(504, true)] {
        let world = start().await;
        world.invite_contacts(&[world.contact("Ann")]).await;
        let send = Rule::on(Service::Graph, fault).path("/send").inside_batch();
        world.sandbox.faults.add(send.times(1));
        let last = ago(2).to_string();
        assert_eq!(outcome(&run_since(&world, &last).await), "sent");
        assert_eq!(outcome(&run_since(&world, &last).await), "noNews");
        assert_eq!(digests(&world).len(), 1);
    }
}

#[tokio::test]
async fn a_digest_that_did_not_leave_fails_the_timer_and_the_next_run_sends_it() {
    for fault in [instead(500, false), throttled(120)] {
        let world = start().await;
        world.invite_contacts(&[world.contact("Ann")]).await;
        let send = Rule::on(Service::Graph, fault).path("/send").inside_batch();
        world.sandbox.faults.add(send.times(1));
        let last = ago(2).to_string();
        let failed = run_since(&world, &last).await;
        assert_eq!(failed.status, 503, "{}", failed.text);
        assert!(digests(&world).is_empty());
        assert_eq!(outcome(&run_since(&world, &last).await), "sent");
        assert_eq!(digests(&world).len(), 1);
    }
}

#[tokio::test]
async fn what_happens_while_it_looks_is_told_once() {
    let world = start().await;
    let ann = world.contact("Ann");
    world.invite_contacts(&[ann]).await;
    let (portal, code) = (world.sandbox.portal.clone(), code_of(&world.row(ann)));
    let redeem = move || {
        portal.redeem(&code, "ann", "ann@customer.example").unwrap();
    };
    let looking = Rule::on(Service::Dataverse, Fault::Call(Arc::new(redeem)));
    let looking = looking.path("adx_inviteredemptions").times(1);
    world.sandbox.faults.add(looking);
    let last = ago(2).to_string();
    run_since(&world, &last).await;
    let told = || {
        let digests = digests(&world);
        let told = digests
            .iter()
            .filter(|it| read(it).contains("Redeemed: 1 Ann Tester"));
        told.count()
    };
    assert_eq!(
        told(),
        0,
        "it was redeemed after the time that this run tells of"
    );
    for _ in 0..100 {
        run_since(&world, &last).await;
        if told() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    run_since(&world, &last).await;
    assert_eq!(told(), 1);
}
