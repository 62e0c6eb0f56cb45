//! The stories of every batch store, told of a directory.

use portal_invite::clock::Clock;
use portal_invite::remote::journal::{Store, StoreError};
use tempfile::TempDir;

use crate::store_suite::{self, line, number};

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_directory(folder.path(), Clock::system()).unwrap();
    (folder, store)
}

#[tokio::test]
async fn of_racing_claims_one_wins_and_the_others_learn_who() {
    let (_folder, store) = store();
    store_suite::of_racing_claims_one_wins_and_the_others_learn_who(&store).await;
}

#[tokio::test]
async fn a_journal_has_one_worker_at_a_time_and_can_be_taken_over() {
    let (_folder, store) = store();
    store_suite::a_journal_has_one_worker_at_a_time_and_can_be_taken_over(&store).await;
}

#[tokio::test]
async fn of_racing_workers_one_gets_a_journal() {
    let (_folder, store) = store();
    store_suite::of_racing_workers_one_gets_a_journal(&store).await;
}

#[tokio::test]
async fn a_finished_journal_is_read_but_never_worked_on() {
    let (_folder, store) = store();
    store_suite::a_finished_journal_is_read_but_never_worked_on(&store).await;
}

#[tokio::test]
async fn a_discarded_journal_leaves_nothing() {
    let (_folder, store) = store();
    store_suite::a_discarded_journal_leaves_nothing(&store).await;
}

#[tokio::test]
async fn many_mebibytes_of_lines_are_stored_whole() {
    let (_folder, store) = store();
    store_suite::many_mebibytes_of_lines_are_stored_whole(&store).await;
}

#[tokio::test]
async fn finished_journals_and_keys_are_removed_once_they_are_old() {
    let (_folder, store) = store();
    store_suite::finished_journals_and_keys_are_removed_once_they_are_old(&store).await;
}

/// A file lock never runs out; a worker that was frozen stops all the same, as it would with a blob.
#[tokio::test]
async fn a_worker_that_froze_writes_no_more_lines() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
    let store = Store::in_directory(folder.path(), clock.clone()).unwrap();
    let mut journal = store.create(number(1)).await.unwrap();
    journal.append(&[line(1)]).await.unwrap();
    clock.skew(41);
    let refused = journal.append(&[line(2)]).await;
    assert!(
        matches!(refused, Err(StoreError::LeaseLost(_))),
        "{refused:?}"
    );
    drop(journal);
    assert_eq!(store.read(number(1)).await.unwrap(), Some(vec![line(1)]));
}

#[tokio::test]
async fn journals_are_listed_by_when_they_were_put_away() {
    let (_folder, store) = store();
    store_suite::journals_are_listed_by_when_they_were_put_away(&store).await;
}

#[tokio::test]
async fn the_first_note_under_a_name_stays() {
    let (_folder, store) = store();
    store_suite::the_first_note_under_a_name_stays(&store).await;
}

#[tokio::test]
async fn templates_are_listed_with_their_version_and_never_removed() {
    let (folder, store) = store();
    let templates = folder.path().join("templates");
    let put = async |path: &str, text: &str| {
        let file = templates.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    store_suite::templates_are_listed_with_their_version_and_never_removed(&store, put).await;
}
