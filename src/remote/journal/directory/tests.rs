//! Tests of the directory store: racing, takeover, torn lines and lost leases.

use super::*;
use jiff::Timestamp;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Clock::system()).unwrap();
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
async fn of_racing_claims_one_wins_and_the_others_learn_who() {
    let (_folder, store) = store();
    let claims = (0..20).map(|offset| {
        let record = KeyRecord {
            batch: number(offset),
            body_hash: "h".to_owned(),
        };
        let store = store.clone();
        async move { store.claim("k", &record).await.unwrap() }
    });
    let claims = futures::future::join_all(claims).await;
    let winner = claims
        .iter()
        .position(|claim| *claim == Claim::Won)
        .unwrap();
    for (place, claim) in claims
        .iter()
        .enumerate()
        .filter(|(place, _)| *place != winner)
    {
        let Claim::Taken(record) = claim else {
            panic!("{place} won too")
        };
        assert_eq!(record.batch, number(i64::try_from(winner).unwrap()));
    }
}

#[tokio::test]
async fn a_journal_has_one_worker_at_a_time_and_can_be_taken_over() {
    let (_folder, store) = store();
    let mut journal = store.create(number(1)).await.unwrap();
    journal.append(&[end()]).await.unwrap();
    assert!(matches!(store.take(number(1)).await.unwrap(), Take::Held));
    assert!(matches!(
        store.create(number(1)).await,
        Err(StoreError::Exists(_))
    ));
    drop(journal);
    let Take::Ours(journal, lines) = store.take(number(1)).await.unwrap() else {
        panic!("a dropped journal can be taken")
    };
    assert_eq!(lines, [end()]);
    journal.finish().await.unwrap();
    assert!(matches!(store.take(number(1)).await.unwrap(), Take::Gone));
    assert_eq!(store.read(number(1)).await.unwrap(), Some(vec![end()]));
    assert!(store.open_numbers().await.unwrap().is_empty());
    assert_eq!(
        store.whereabouts(number(1)).await.unwrap(),
        Whereabouts::Done
    );
    assert!(matches!(
        store.create(number(1)).await,
        Err(StoreError::Exists(_))
    ));
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
async fn finished_journals_are_removed_once_they_are_old() {
    let (_folder, store) = store();
    let mut journal = store.create(number(5)).await.unwrap();
    journal.append(&[end()]).await.unwrap();
    journal.finish().await.unwrap();
    assert_eq!(store.expire(Duration::from_hours(1)).await.unwrap(), 0);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(store.expire(Duration::from_millis(1)).await.unwrap(), 1);
    assert_eq!(
        store.whereabouts(number(5)).await.unwrap(),
        Whereabouts::Nowhere
    );
}
