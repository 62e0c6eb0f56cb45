//! What holds for every batch store, whatever it keeps journals in: each story takes an empty store.
//!
//! Told of a directory in `store.rs`, and of Azure Blob Storage in the `azurite` test binary.

use std::time::Duration;

use jiff::Timestamp;
use portal_invite::domain::batch::Line;
use portal_invite::domain::ids::BatchNumber;
use portal_invite::remote::journal::{
    Claim, Journal, KeyRecord, Store, StoreError, Take, Whereabouts,
};

pub(crate) fn number(offset: i64) -> BatchNumber {
    BatchNumber::try_from(1_000_000_000 + offset).unwrap()
}

/// A line that can be told from others.
pub(crate) fn line(second: i64) -> Line {
    Line::End {
        at: Timestamp::from_second(second).unwrap(),
    }
}

/// Takes a journal whose lease was given back, perhaps a moment ago.
pub(crate) async fn taken(store: &Store, number: BatchNumber) -> (Journal, Vec<Line>) {
    for _ in 0..100 {
        match store.take(number).await.unwrap() {
            Take::Ours(journal, lines) => return (*journal, lines),
            Take::Gone => panic!("the journal is gone"),
            Take::Held => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("the lease was not given back");
}

pub(crate) async fn of_racing_claims_one_wins_and_the_others_learn_who(store: &Store) {
    let claims = (0..20).map(|offset| {
        let record = KeyRecord {
            batch: number(offset),
            body_hash: "h".to_owned(),
        };
        async move { store.claim("k", &record).await.unwrap() }
    });
    let claims = futures::future::join_all(claims).await;
    let winners: Vec<i64> = (0..)
        .zip(&claims)
        .filter_map(|(offset, claim)| (*claim == Claim::Won).then_some(offset))
        .collect();
    let [winner] = winners[..] else {
        panic!("one wins, not {winners:?}")
    };
    let record = store.key("k").await.unwrap().unwrap();
    assert_eq!(record.batch, number(winner));
    let taken = Claim::Taken(record);
    assert_eq!(claims.iter().filter(|claim| **claim == taken).count(), 19);
    assert_eq!(store.key("other").await.unwrap(), None);
}

pub(crate) async fn a_journal_has_one_worker_at_a_time_and_can_be_taken_over(store: &Store) {
    let journal = number(1);
    assert_eq!(store.read(journal).await.unwrap(), None);
    assert_eq!(
        store.whereabouts(journal).await.unwrap(),
        Whereabouts::Nowhere
    );
    assert!(matches!(store.take(journal).await.unwrap(), Take::Gone));
    assert!(store.open_numbers().await.unwrap().is_empty());

    let mut first = store.create(journal).await.unwrap();
    first.append(&[line(1), line(2)]).await.unwrap();
    first.append(&[line(3)]).await.unwrap();
    assert!(matches!(store.take(journal).await.unwrap(), Take::Held));
    let again = store.create(journal).await;
    assert!(matches!(again, Err(StoreError::Exists(_))));
    assert_eq!(store.open_numbers().await.unwrap(), [journal]);
    assert_eq!(store.whereabouts(journal).await.unwrap(), Whereabouts::Open);

    drop(first);
    let (mut second, lines) = taken(store, journal).await;
    assert_eq!(lines, [line(1), line(2), line(3)]);
    second.append(&[line(4)]).await.unwrap();
    let all = [line(1), line(2), line(3), line(4)];
    assert_eq!(store.read(journal).await.unwrap().unwrap(), all);
}

pub(crate) async fn of_racing_workers_one_gets_a_journal(store: &Store) {
    let created = (0..8).map(|_| store.create(number(2)));
    let created = futures::future::join_all(created).await;
    let mut journals: Vec<Journal> = created.into_iter().filter_map(Result::ok).collect();
    assert_eq!(journals.len(), 1);
    journals[0].append(&[line(1)]).await.unwrap();
    journals.clear();

    let (first, _) = taken(store, number(2)).await;
    drop(first);
    let mut got = 0;
    while got == 0 {
        let takes = futures::future::join_all((0..8).map(|_| store.take(number(2)))).await;
        let ours = |take: &Take| matches!(take, Take::Ours(..));
        got = takes.into_iter().map(Result::unwrap).filter(ours).count();
    }
    assert_eq!(got, 1);
}

pub(crate) async fn a_finished_journal_is_read_but_never_worked_on(store: &Store) {
    let mut journal = store.create(number(3)).await.unwrap();
    journal.append(&[line(1)]).await.unwrap();
    journal.finish().await.unwrap();
    assert!(matches!(store.take(number(3)).await.unwrap(), Take::Gone));
    let again = store.create(number(3)).await;
    assert!(matches!(again, Err(StoreError::Exists(_))));
    assert_eq!(store.read(number(3)).await.unwrap(), Some(vec![line(1)]));
    assert_eq!(
        store.whereabouts(number(3)).await.unwrap(),
        Whereabouts::Done
    );
    assert!(store.open_numbers().await.unwrap().is_empty());
}

pub(crate) async fn a_discarded_journal_leaves_nothing(store: &Store) {
    let journal = store.create(number(4)).await.unwrap();
    let idle = journal
        .idle(&portal_invite::clock::Clock::system())
        .await
        .unwrap();
    assert!(idle < Duration::from_mins(1), "{idle:?}");
    journal.discard().await.unwrap();
    assert_eq!(
        store.whereabouts(number(4)).await.unwrap(),
        Whereabouts::Nowhere
    );
    assert!(store.create(number(4)).await.is_ok());
}

pub(crate) async fn many_mebibytes_of_lines_are_stored_whole(store: &Store) {
    let lines: Vec<Line> = (0..250_000).map(line).collect();
    let size = serde_json::to_vec(&lines).unwrap().len();
    assert!(size > 9 << 20, "{size} bytes are three blocks");
    let mut journal = store.create(number(5)).await.unwrap();
    journal.append(&lines).await.unwrap();
    journal.append(&[line(-1)]).await.unwrap();
    let mut read = store.read(number(5)).await.unwrap().unwrap();
    assert_eq!(read.pop(), Some(line(-1)));
    assert!(read == lines);
    journal.finish().await.unwrap();
    assert_eq!(store.read(number(5)).await.unwrap().unwrap().len(), 250_001);
}

pub(crate) async fn finished_journals_and_keys_are_removed_once_they_are_old(store: &Store) {
    let mut journal = store.create(number(6)).await.unwrap();
    journal.append(&[line(1)]).await.unwrap();
    journal.finish().await.unwrap();
    let open = store.create(number(7)).await.unwrap();
    let record = KeyRecord {
        batch: number(6),
        body_hash: "h".to_owned(),
    };
    store.claim("k", &record).await.unwrap();
    assert_eq!(store.expire(Duration::from_hours(1)).await.unwrap(), 0);
    // Any age will do but none; the clocks tick in seconds at most.
    let mut removed = 0;
    while removed < 2 {
        removed += store.expire(Duration::from_millis(1)).await.unwrap();
    }
    assert_eq!(
        store.whereabouts(number(6)).await.unwrap(),
        Whereabouts::Nowhere
    );
    assert_eq!(store.key("k").await.unwrap(), None);
    assert_eq!(
        store.whereabouts(open.number()).await.unwrap(),
        Whereabouts::Open
    );
}

pub(crate) async fn journals_are_listed_by_when_they_were_put_away(store: &Store) {
    let begin = Timestamp::from_second(1).unwrap();
    assert!(store.done_since(begin).await.unwrap().is_empty());
    for offset in [2, 1] {
        let mut journal = store.create(number(offset)).await.unwrap();
        journal.append(&[line(1)]).await.unwrap();
        if offset == 2 {
            journal.finish().await.unwrap();
        }
    }
    assert_eq!(store.done_since(begin).await.unwrap(), [number(2)]);
    let far = Timestamp::from_second(1 << 33).unwrap();
    assert!(store.done_since(far).await.unwrap().is_empty());
}

pub(crate) async fn the_first_note_under_a_name_stays(store: &Store) {
    assert_eq!(store.noted("n").await.unwrap(), None);
    store.note("n", "first").await.unwrap();
    store.note("n", "second").await.unwrap();
    store.note("other", "third").await.unwrap();
    assert_eq!(store.noted("n").await.unwrap().as_deref(), Some("first"));
    assert_eq!(
        store.noted("other").await.unwrap().as_deref(),
        Some("third")
    );
}

/// `put` writes a file in the folder of templates, as its makers do.
pub(crate) async fn templates_are_listed_with_their_version_and_never_removed(
    store: &Store,
    put: impl AsyncFn(&str, &str),
) {
    assert_eq!(store.templates(9).await.unwrap(), []);
    assert_eq!(store.template("en/note.html").await.unwrap(), None);
    for (path, text) in [
        ("en/note.html", "one"),
        ("da/note.html", "to"),
        ("a.html", ""),
    ] {
        put(path, text).await;
    }
    let before = store.templates(9).await.unwrap();
    let seen: Vec<_> = before
        .iter()
        .map(|file| (file.path.as_str(), file.size))
        .collect();
    assert_eq!(
        seen,
        [("a.html", 0), ("da/note.html", 2), ("en/note.html", 3)]
    );
    assert_eq!(store.templates(2).await.unwrap().len(), 2);
    let text = store.template("en/note.html").await.unwrap();
    assert_eq!(text.as_deref(), Some(&b"one"[..]));

    put("en/note.html", "two").await;
    let after = store.templates(9).await.unwrap();
    assert_eq!(
        after[..2],
        before[..2],
        "what was left alone has its version"
    );
    assert_ne!(after[2].version, before[2].version);

    let mut journal = store.create(number(1)).await.unwrap();
    journal.append(&[line(1)]).await.unwrap();
    journal.finish().await.unwrap();
    // Any age will do but none; the clocks tick in seconds at most.
    while store.expire(Duration::from_millis(1)).await.unwrap() == 0 {}
    assert_eq!(store.templates(9).await.unwrap(), after);
}
