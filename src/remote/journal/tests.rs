//! Tests of what only a directory can suffer: torn lines, and files that somebody else writes or removes.
//!
//! What holds for every store is told in `tests/it/store_suite.rs`.

use std::fs;

use jiff::Timestamp;

use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_directory(folder.path(), Clock::system()).unwrap();
    (folder, store)
}

fn number(offset: i64) -> BatchNumber {
    BatchNumber::try_from(1_000_000_000 + offset).unwrap()
}

fn end() -> Line {
    Line::End {
        at: Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off_at_takeover() {
    let (folder, store) = store();
    let mut journal = store.create(number(2)).await.unwrap();
    journal.append(&[end()]).await.unwrap();
    drop(journal);
    let path = folder.path().join("open/1000000002.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(br#"{"line":"acc"#);
    fs::write(&path, bytes).unwrap();
    assert_eq!(store.read(number(2)).await.unwrap(), Some(vec![end()]));
    let Take::Ours(mut journal, lines) = store.take(number(2)).await.unwrap() else {
        panic!()
    };
    assert_eq!(lines.len(), 1);
    journal.append(&[end()]).await.unwrap();
    assert_eq!(store.read(number(2)).await.unwrap().unwrap().len(), 2);
}

#[tokio::test]
async fn a_dropped_journal_is_free_at_once() {
    let (_folder, store) = store();
    let mut journal = store.create(number(1)).await.unwrap();
    for _ in 0..100 {
        drop(journal);
        let Take::Ours(taken, _) = store.take(number(1)).await.unwrap() else {
            panic!("a lock outlived its journal")
        };
        journal = *taken;
    }
}

#[tokio::test]
async fn an_append_after_someone_else_wrote_or_the_file_is_gone_is_refused() {
    let (folder, store) = store();
    let path = folder.path().join("open/1000000003.jsonl");
    let mut journal = store.create(number(3)).await.unwrap();
    fs::write(&path, b"x").unwrap();
    assert!(matches!(
        journal.append(&[end()]).await,
        Err(StoreError::LeaseLost(_))
    ));
    assert!(
        !journal.tenure().holds(),
        "a lost lease stops everything else too"
    );

    let mut other = store.create(number(4)).await.unwrap();
    fs::remove_file(folder.path().join("open/1000000004.jsonl")).unwrap();
    assert!(matches!(
        other.append(&[end()]).await,
        Err(StoreError::LeaseLost(_))
    ));
}

#[tokio::test]
async fn a_token_never_travels_over_plain_http() {
    let credential = azure_identity::DeveloperToolsCredential::new(None).unwrap();
    let nobody: super::super::http::InProcess = Arc::new(|_| unreachable!("nothing is sent"));
    let url = "http://127.0.0.1:10000/account/portal-invite"
        .parse()
        .unwrap();
    let opened = Store::in_container(
        &url,
        credential,
        &Transport::InProcess(nobody),
        (Clock::system(), Chance::seeded(1)),
    );
    assert!(opened.unwrap_err().to_string().contains("https"));
}
