//! The batch store: journals that are stuck, damaged or elsewhere.

use std::fs::{self, File};
use std::time::SystemTime;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::found::{assert_says, diagnose, findings, healthy, words};
use crate::world::World;

fn write_open(world: &World, number: i64, content: &str) -> File {
    let path = world.store.path().join(format!("open/{number}.jsonl"));
    fs::write(&path, content).unwrap();
    File::options().write(true).open(path).unwrap()
}

#[tokio::test]
async fn journals_that_do_not_move_are_told_with_since_when() {
    let world = healthy().start().await;
    let now = world.sandbox.clock.now();
    let hours = |hours| SystemTime::from(now - SignedDuration::from_hours(hours));
    write_open(&world, 1_000_000_007, "")
        .set_modified(hours(23))
        .unwrap();
    assert_eq!(findings(&diagnose(&world).await), [""; 0]);
    write_open(&world, 1_000_000_008, "")
        .set_modified(hours(25))
        .unwrap();
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), ["warn store.journals"]);
    let said = words(&diagnosis, "store.journals");
    assert_says(
        &said,
        &["1 open batches", "1000000008", "DISPATCH_SCHEDULE"],
    );
    assert!(!said.contains("1000000007"), "{said}");
}

#[tokio::test]
async fn a_damaged_journal_fails() {
    let world = healthy().start().await;
    write_open(&world, 1_000_000_009, "{\"no\":\"line\"}\n");
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), ["fail store.journals"]);
    assert_says(
        &words(&diagnosis, "store.journals"),
        &["damaged", "1000000009"],
    );
}

#[tokio::test]
async fn batches_whose_journal_is_elsewhere_are_counted() {
    let world = healthy().start().await;
    let ann = world.contact("Ann");
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    assert_eq!(
        findings(&diagnose(&world).await),
        [""; 0],
        "its own batch is there"
    );
    let row = |number: Value| json!({"adx_name": "Other", "adx_type": 756_150_000, "importsequencenumber": number});
    let dataverse = &world.sandbox.dataverse;
    dataverse.insert("adx_invitations", &row(json!(7)));
    dataverse.insert("adx_invitations", &row(Value::Null));
    let old = dataverse.insert("adx_invitations", &row(json!(1_000_000_001)));
    let long_ago = json!({"createdon": "2020-01-01T00:00:00Z"});
    dataverse.change("adx_invitations", old, &long_ago);
    assert_eq!(
        findings(&diagnose(&world).await),
        [""; 0],
        "not ours, or too old"
    );
    for _ in 0..2 {
        dataverse.insert("adx_invitations", &row(json!(1_000_000_002)));
    }
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), ["warn store.lostBatches"]);
    let said = words(&diagnosis, "store.lostBatches");
    assert_says(&said, &["1 of the newest 2 batches", "1000000002"]);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_fails() {
    let world = healthy().start().await;
    let open = world.store.path().join("open");
    fs::remove_dir(&open).unwrap();
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), ["fail store.readable"]);
}
