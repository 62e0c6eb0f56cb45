//! The stories of every batch store, told of a directory.

use portal_invite::clock::Clock;
use portal_invite::remote::journal::Store;
use tempfile::TempDir;

use crate::store_suite;

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
