//! Journals as a crash leaves them: half a line, half a plan, or an end that nobody put away.

use std::fs::{self, File};
use std::io::Write;

use jiff::SignedDuration;
use sandbox::graph::State;
use serde_json::json;
use uuid::Uuid;

use crate::world::{Answer, SENDER, Setup, World};

/// A batch that is open because its mailbox does not work; by now it does, and may be used.
async fn open_batch(key: &str) -> (World, Uuid, Answer) {
    let world = Setup::default()
        .setting("INLINE_SECONDS", "2")
        .start()
        .await;
    let ann = world.contact("Ann");
    world
        .sandbox
        .graph
        .mailbox_state(SENDER, State::AccessDenied);
    let answer = world.invite_keyed(key, &json!({"contactIds": [ann]})).await;
    assert_eq!(answer.status, 202);
    world.sandbox.graph.mailbox_state(SENDER, State::Ok);
    world.backdate("resting", SignedDuration::from_hours(1));
    (world, ann, answer)
}

/// Leaves the journal as it was before its plan was whole.
fn unplan(world: &World) {
    let lines = world.journal();
    let whole = lines
        .iter()
        .position(|line| line["line"] == "planned")
        .unwrap();
    world.write_journal(&lines[..whole]);
}

#[tokio::test]
async fn half_a_last_line_counts_as_never_written() {
    for torn in [
        "{\"line\":\"accepted\",\"entries\":[0]}",
        "{\"line\":\"resu",
        "\u{0}\u{0}",
    ] {
        let (world, ann, answer) = open_batch("once").await;
        let mut file = File::options()
            .append(true)
            .open(world.open_journal())
            .unwrap();
        file.write_all(torn.as_bytes()).unwrap();
        let status = world.get(&format!("/api/batches/{}", answer.batch())).await;
        assert_eq!(status.status, 202, "{torn}: {}", status.text);
        world.dispatch_until_idle().await;
        assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
        world.assert_each_has_one_letter_and_row(&[ann]);
    }
}

#[tokio::test]
async fn a_plan_that_is_not_whole_is_never_worked_on() {
    let (world, ann, answer) = open_batch("once").await;
    unplan(&world);
    world.dispatch().await;
    assert_eq!(world.mailed_codes(ann).len(), 0);
    assert_eq!(
        world.open_journals().len(),
        1,
        "a caller may still repeat the request"
    );
    assert_eq!(
        world
            .get(&format!("/api/batches/{}", answer.batch()))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_repeated_request_makes_a_plan_whole_that_its_first_call_left() {
    let (world, ann, answer) = open_batch("once").await;
    unplan(&world);
    let again = world
        .invite_keyed("once", &json!({"contactIds": [ann]}))
        .await;
    assert_eq!((again.status, again.batch()), (200, answer.batch()));
    assert_eq!(world.rows(ann).len(), 1);
}

#[tokio::test]
async fn a_plan_that_is_not_whole_after_a_day_is_dropped() {
    let (world, _, _) = open_batch("once").await;
    unplan(&world);
    let yesterday = world.sandbox.clock.now() - SignedDuration::from_hours(25);
    let file = File::options()
        .append(true)
        .open(world.open_journal())
        .unwrap();
    file.set_modified(yesterday.into()).unwrap();
    world.dispatch().await;
    assert!(world.open_journals().is_empty());
}

#[tokio::test]
async fn a_damaged_journal_stops_no_other() {
    let (world, ann, answer) = open_batch("once").await;
    let damaged = world.store.path().join("open/1000000000.jsonl");
    fs::write(&damaged, "{\"line\":\"nobody knows\"}\n").unwrap();
    world.dispatch().await;
    assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
    world.assert_each_has_one_letter_and_row(&[ann]);
    assert!(damaged.exists(), "a person may want to look at it");
    world.logged("a journal is damaged").await;
}

#[tokio::test]
async fn an_end_that_was_not_put_away_is_only_put_away() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let answer = world.invite_contacts(&[ann]).await;
    let name = format!("{}.jsonl", answer.batch());
    let (open, done) = ["open", "done"]
        .map(|folder| world.store.path().join(folder).join(&name))
        .into();
    fs::rename(&done, &open).unwrap();
    world.sandbox.traffic.clear();
    world.dispatch_until_idle().await;
    assert!(done.exists() && !open.exists());
    assert!(world.sandbox.traffic.entries().is_empty());
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_repeated_request_after_a_crash_before_the_first_line_is_planned() {
    let (world, ann, answer) = open_batch("once").await;
    fs::write(world.open_journal(), "").unwrap();
    let again = world
        .invite_keyed("once", &json!({"contactIds": [ann]}))
        .await;
    assert_eq!((again.status, again.batch()), (200, answer.batch()));
    // The row of the first try is there, in nobody's plan; its batch is this one.
    assert_eq!(world.rows(ann).len(), 1);
}
