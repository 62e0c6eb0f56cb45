//! Deliveries that come twice, together, or to a process that dies: each contact counts once, and none is lost.

use std::path::PathBuf;

use futures::future::join_all;
use sandbox::Service;
use sandbox::faults::Rule;
use serde_json::json;

use super::start;
use crate::world::World;

impl World {
    fn journal_of(&self, batch: i64) -> PathBuf {
        self.store.path().join(format!("open/{batch}.jsonl"))
    }
}

#[tokio::test]
async fn repeated_deliveries_are_one_batch() {
    let world = start().await;
    let ann = world.member("Ann");
    let first = world.tell(ann).await.batch();
    assert_eq!(world.tell(ann).await.batch(), first);
    world.dispatch_until_idle().await;
    assert_eq!(world.tell(ann).await.verdict(), "ignored alreadyInvited");
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn racing_deliveries_are_one_batch() {
    let world = start().await;
    let ann = world.member("Ann");
    let answers = join_all((0..12).map(|_| world.tell(ann))).await;
    let batch = answers[0].batch();
    for answer in answers {
        assert_eq!(
            (answer.verdict().as_str(), answer.batch()),
            ("accepted", batch)
        );
    }
    assert_eq!(world.stored("open").len(), 1);
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn create_and_updates_told_at_the_same_time_are_one_letter() {
    let world = start().await;
    world.register(&[]);
    let ann = world.member("Ann");
    for place in 0..5 {
        world.update(ann, &json!({"mobilephone": place.to_string()}));
    }
    world.told().await;
    assert_eq!(world.sandbox.dataverse.deliveries().len(), 6);
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_delivery_races_a_request_for_the_same_contact_and_one_letter_leaves() {
    let world = start().await;
    let ann = world.member("Ann");
    let contacts = [ann];
    let (told, invited) = futures::join!(world.tell(ann), world.invite_contacts(&contacts));
    assert_eq!((told.status, invited.status), (200, 200));
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn whatever_line_the_process_died_at_the_next_delivery_goes_on() {
    let world = start().await;
    let whole = {
        let ann = world.member("Ann");
        let batch = world.tell(ann).await.batch();
        std::fs::read_to_string(world.journal_of(batch))
            .unwrap()
            .lines()
            .count()
    };
    assert!(whole >= 3, "terms, plan and planned");
    for left in 0..whole {
        let contact = world.member(&format!("Person{left}"));
        let first = world.tell(contact).await.batch();
        let path = world.journal_of(first);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: String = text
            .lines()
            .take(left)
            .flat_map(|line| [line, "\n"])
            .collect();
        std::fs::write(&path, lines).unwrap();
        let again = world.tell(contact).await;
        assert_eq!(
            (again.verdict().as_str(), again.batch()),
            ("accepted", first),
            "{left}"
        );
    }
    // The key alone was written.
    let last = world.member("Last");
    let first = world.tell(last).await.batch();
    std::fs::remove_file(world.journal_of(first)).unwrap();
    assert_eq!(world.tell(last).await.batch(), first);
    world.dispatch_until_idle().await;
    for (address, letters) in world.letters_by_address() {
        assert_eq!(letters, 1, "{address}");
    }
    assert_eq!(world.sandbox.graph.letters().len(), whole + 2);
}

#[tokio::test]
async fn killed_at_any_request_a_delivery_that_comes_again_is_one_letter() {
    for skip in 0.. {
        let world = start().await;
        let died = world.kill_at(|fault| Rule::on(Service::Dataverse, fault).skip(skip), true);
        let ann = world.member("Ann");
        let pid = world.host.handler_pid().unwrap();
        let first = world.tell(ann).await;
        if died.count() == 0 {
            assert_eq!(first.verdict(), "accepted");
            assert!(skip >= 2, "{skip} requests");
            return;
        }
        assert!(first.status >= 500, "{}", first.text);
        world.restarted(pid).await;
        assert_eq!(world.tell(ann).await.verdict(), "accepted");
        world.dispatch_until_idle().await;
        world.assert_each_has_one_letter_and_row(&[ann]);
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let world = start().await;
    let ann = world.member("Ann");
    assert_eq!(world.tell(ann).await.verdict(), "accepted");
    world.restart().await;
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
}
