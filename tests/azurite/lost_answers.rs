//! The answer to a call got lost: what was done is found out, never done twice and never given up.

use http::Method;
use portal_invite::remote::journal::{Claim, KeyRecord, StoreError, Take, Whereabouts};

use crate::azurite::{Azurite, Trouble};
use crate::store_suite::{line, number, taken};

fn record(offset: i64) -> KeyRecord {
    KeyRecord {
        batch: number(offset),
        body_hash: "h".to_owned(),
    }
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn an_append_is_made_once_whether_the_request_or_its_answer_got_lost() {
    let azurite = Azurite::new();
    let store = azurite.store();
    let mut journal = store.create(number(1)).await.unwrap();
    journal.append(&[line(1)]).await.unwrap();
    azurite.spoil(Method::PUT, "comp=appendblock", Trouble::LostAfter, 1);
    journal.append(&[line(2)]).await.unwrap();
    azurite.spoil(Method::PUT, "comp=appendblock", Trouble::LostBefore, 2);
    journal.append(&[line(3)]).await.unwrap();
    // Neither the answer to the append nor the first look at what became of it.
    azurite.spoil(Method::PUT, "comp=appendblock", Trouble::LostAfter, 1);
    azurite.spoil(Method::GET, "open/", Trouble::LostAfter, 1);
    journal.append(&[line(4)]).await.unwrap();
    journal.append(&[line(5)]).await.unwrap();
    assert_eq!(azurite.spoiled(), 5);
    let lines: Vec<_> = (1..=5).map(line).collect();
    assert_eq!(store.read(number(1)).await.unwrap().unwrap(), lines);
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn an_append_that_arrives_when_it_is_tried_again_is_made_once() {
    let azurite = Azurite::new();
    let store = azurite.store();
    let mut journal = store.create(number(1)).await.unwrap();
    azurite.spoil(Method::PUT, "comp=appendblock", Trouble::Late, 1);
    journal.append(&[line(1)]).await.unwrap();
    journal.append(&[line(2)]).await.unwrap();
    assert_eq!(azurite.spoiled(), 1);
    let lines = store.read(number(1)).await.unwrap().unwrap();
    assert_eq!(lines, [line(1), line(2)]);
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn other_bytes_where_ours_should_be_end_the_work() {
    let azurite = Azurite::new();
    let mut journal = azurite.store().create(number(1)).await.unwrap();
    azurite.spoil(Method::PUT, "comp=appendblock", Trouble::Forged, 1);
    let appended = journal.append(&[line(1)]).await;
    assert!(
        matches!(appended, Err(StoreError::LeaseLost(_))),
        "{appended:?}"
    );
    assert!(!journal.tenure().holds());
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn our_own_lost_claim_counts_as_won_and_a_twin_s_does_not() {
    let azurite = Azurite::new();
    let store = azurite.store();
    // The container is there: its making is not what this is about.
    store.claim("other", &record(1)).await.unwrap();
    azurite.spoil(Method::PUT, "keys/", Trouble::LostAfter, 1);
    assert_eq!(store.claim("k", &record(1)).await.unwrap(), Claim::Won);
    assert_eq!(azurite.spoiled(), 1);
    // Even one that says the same: each batch has one who began it.
    let twin = azurite.apart().store();
    let taken = Claim::Taken(record(1));
    assert_eq!(twin.claim("k", &record(1)).await.unwrap(), taken);
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn a_journal_is_made_and_leased_although_both_answers_got_lost() {
    let azurite = Azurite::new();
    let store = azurite.store();
    // The container is there: its making is not what this is about.
    store.claim("k", &record(1)).await.unwrap();
    azurite.spoil(Method::PUT, "open/", Trouble::LostAfter, 1);
    azurite.spoil(Method::PUT, "comp=lease", Trouble::LostAfter, 1);
    let mut journal = store.create(number(1)).await.unwrap();
    assert_eq!(azurite.spoiled(), 2);
    journal.append(&[line(1)]).await.unwrap();
    assert!(matches!(store.take(number(1)).await.unwrap(), Take::Held));
    drop(journal);
    assert_eq!(taken(&store, number(1)).await.1, [line(1)]);
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn a_container_is_made_although_the_answer_got_lost() {
    let azurite = Azurite::new();
    azurite.spoil(Method::PUT, "restype=container", Trouble::LostAfter, 1);
    let claim = azurite.store().claim("k", &record(1)).await;
    assert_eq!(claim.unwrap(), Claim::Won);
    assert_eq!(azurite.spoiled(), 1);
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn a_journal_is_finished_although_answers_got_lost() {
    let azurite = Azurite::new();
    let store = azurite.store();
    let mut journal = store.create(number(1)).await.unwrap();
    journal.append(&[line(1)]).await.unwrap();
    azurite.spoil(Method::PUT, "done/", Trouble::LostAfter, 1);
    azurite.spoil(Method::DELETE, "open/", Trouble::LostAfter, 1);
    journal.finish().await.unwrap();
    assert_eq!(azurite.spoiled(), 2);
    let whereabouts = store.whereabouts(number(1)).await.unwrap();
    assert_eq!(whereabouts, Whereabouts::Done);
    assert_eq!(store.read(number(1)).await.unwrap(), Some(vec![line(1)]));
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn a_leftover_of_a_finished_journal_is_only_removed() {
    let azurite = Azurite::new();
    let store = azurite.store();
    let mut journal = store.create(number(1)).await.unwrap();
    journal.append(&[line(1)]).await.unwrap();
    azurite.spoil(Method::DELETE, "open/", Trouble::LostBefore, 4);
    assert!(journal.finish().await.is_err());
    let whereabouts = store.whereabouts(number(1)).await.unwrap();
    assert_eq!(whereabouts, Whereabouts::Open);
    let (leftover, lines) = taken(&store, number(1)).await;
    assert_eq!(lines, [line(1)]);
    leftover.finish().await.unwrap();
    assert!(store.open_numbers().await.unwrap().is_empty());
    assert_eq!(store.read(number(1)).await.unwrap(), Some(vec![line(1)]));
}
