//! Tells browsers what has changed, by server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! The page is a set of feeds: lists of rows with an id. Some times a second each feed is looked at, and a browser gets
//! the rows that differ from those it was told. The services know nothing of it, and while no browser listens
//! nobody looks.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::{Router, routing::get};
use futures::stream::{self, Stream, StreamExt as _};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::sheet::{Marks, Sheet};
use super::tail::{Kept, Tail};
use super::{Page, contacts, invitations, mail, site, time, traffic, trouble};

/// How often the feeds are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A look that takes long makes the pause after it this many times as long: the services come first.
const REST: u32 = 4;

/// One list of the page.
pub(super) struct Feed {
    /// The name of its events.
    pub(super) name: &'static str,
    /// A number that is another one whenever the rows may be others.
    pub(super) version: fn(&Page) -> u64,
    /// The rows, by an id that stays.
    pub(super) rows: fn(&Page) -> BTreeMap<String, Value>,
}

/// Every feed of the page, by the view that it is for.
const FEEDS: [&[Feed]; 6] = [
    contacts::FEEDS,
    mail::FEEDS,
    site::FEEDS,
    time::FEEDS,
    traffic::FEEDS,
    trouble::FEEDS,
];

/// The lists of the page that only grow.
const TAILS: &[Tail] = traffic::TAILS;

/// The lists of the page that show a table.
const SHEETS: [&[Sheet]; 2] = [contacts::SHEETS, invitations::SHEETS];

/// What may be new in a sheet: its name and its rows.
type News = (&'static str, BTreeMap<String, Option<Value>>);

/// What the feeds showed when they were last looked at.
#[derive(Default)]
pub(super) struct Board {
    shown: Mutex<BTreeMap<&'static str, Shown>>,
    kept: Mutex<BTreeMap<&'static str, Kept>>,
    /// The revision that each listening browser has seen.
    seen: Mutex<Vec<Weak<AtomicU64>>>,
    /// Counts the looks that found something new.
    revision: watch::Sender<u64>,
}

/// The rows of one feed, each with the revision in which it became what it is; `None` are rows that are gone.
#[derive(Default)]
struct Shown {
    version: Option<u64>,
    rows: BTreeMap<String, (u64, Option<Value>)>,
}

impl Shown {
    /// Takes over what a feed has now; whether anything is new.
    fn update(&mut self, revision: u64, mut now: BTreeMap<String, Value>) -> bool {
        let mut news = false;
        for (id, (since, row)) in &mut self.rows {
            let current = now.remove(id);
            if current != *row {
                (*since, *row) = (revision, current);
                news = true;
            }
        }
        news |= !now.is_empty();
        let added = now.into_iter().map(|(id, row)| (id, (revision, Some(row))));
        self.rows.extend(added);
        news
    }

    /// Forgets the rows that every browser knows to be gone.
    fn forget(&mut self, seen: u64) {
        (self.rows).retain(|_, (since, row)| row.is_some() || *since > seen);
    }

    /// Takes over rows that may be others now; whether any is.
    fn take(&mut self, revision: u64, rows: BTreeMap<String, Option<Value>>) -> bool {
        let mut news = false;
        for (id, row) in rows {
            let known = self.rows.get(&id).and_then(|(_, known)| known.as_ref());
            if known != row.as_ref() {
                self.rows.insert(id, (revision, row));
                news = true;
            }
        }
        news
    }

    /// What happened after a revision; everything there is for who has seen nothing yet.
    fn since(&self, seen: u64) -> Option<Value> {
        let reset = seen == 0;
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        for (id, (_, row)) in self.rows.iter().filter(|(_, (since, _))| *since > seen) {
            match row {
                Some(row) => rows.push(row),
                None if reset => {}
                None => gone.push(id),
            }
        }
        let news = reset || !rows.is_empty() || !gone.is_empty();
        news.then(|| json!({"reset": reset, "rows": rows, "gone": gone}))
    }
}

pub(super) fn router() -> Router<Page> {
    Router::new().route("/sandbox/events", get(events))
}

async fn events(State(page): State<Page>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let news = page.board.revision.subscribe();
    let seen = page.board.listener();
    let turns = stream::unfold((page, news, seen), |(page, mut news, seen)| async move {
        let last = seen.load(Ordering::Relaxed);
        let revision = *news.wait_for(|revision| *revision > last).await.ok()?;
        let events = page.board.since(last);
        seen.store(revision, Ordering::Relaxed);
        Some((stream::iter(events), (page, news, seen)))
    });
    Sse::new(turns.flatten().map(Ok)).keep_alive(KeepAlive::default())
}

impl Board {
    /// What a browser that begins to listen has seen: nothing.
    fn listener(&self) -> Arc<AtomicU64> {
        let seen = Arc::default();
        self.seen.lock().push(Arc::downgrade(&seen));
        seen
    }

    /// The revision that every browser has seen; one that has seen nothing will be told everything.
    fn seen_by_all(&self) -> u64 {
        let mut listeners = self.seen.lock();
        listeners.retain(|seen| seen.strong_count() > 0);
        let seen = listeners.iter().filter_map(Weak::upgrade);
        let seen = seen.map(|seen| seen.load(Ordering::Relaxed));
        seen.filter(|seen| *seen > 0).min().unwrap_or(u64::MAX)
    }

    fn since(&self, seen: u64) -> Vec<Event> {
        let shown = self.shown.lock();
        let news = shown.iter().filter_map(|(name, feed)| {
            let data = feed.since(seen)?.to_string();
            Some(Event::default().event(name).data(data))
        });
        let kept = self.kept.lock();
        let added = TAILS.iter().filter_map(|tail| {
            let data = kept.get(tail.name)?.since(seen, tail.kept)?;
            Some(Event::default().event(tail.name).data(data.to_string()))
        });
        news.chain(added).collect()
    }
}

impl Page {
    /// Looks at the feeds for as long as it is polled.
    pub(super) async fn observe(&self) -> Infallible {
        let mut marks = BTreeMap::new();
        loop {
            let started = Instant::now();
            if self.board.revision.receiver_count() > 0 {
                let sheets = self.look_at_sheets(&mut marks).await;
                self.look(sheets);
            }
            sleep(LOOK_EVERY.max(started.elapsed() * REST)).await;
        }
    }

    /// Rows of tables that may be others now.
    async fn look_at_sheets(&self, marks: &mut BTreeMap<&'static str, Marks>) -> Vec<News> {
        let mut found = Vec::new();
        for sheets in SHEETS {
            for sheet in sheets {
                let marks = marks.entry(sheet.name).or_default();
                let rows = sheet.news(&self.sandbox.dataverse, marks).await;
                found.push((sheet.name, rows));
            }
        }
        found
    }

    fn look(&self, sheets: Vec<News>) {
        let revision = *self.board.revision.borrow() + 1;
        let seen = self.board.seen_by_all();
        let mut shown = self.board.shown.lock();
        let mut news = false;
        for feed in FEEDS.iter().copied().flatten() {
            let version = (feed.version)(self);
            let known = shown.entry(feed.name).or_default();
            if known.version != Some(version) {
                known.version = Some(version);
                known.forget(seen);
                news |= known.update(revision, (feed.rows)(self));
            }
        }
        for (name, rows) in sheets {
            news |= shown.entry(name).or_default().take(revision, rows);
        }
        drop(shown);
        let mut kept = self.board.kept.lock();
        for tail in TAILS {
            news |= (kept.entry(tail.name).or_default()).update(revision, tail, self);
        }
        drop(kept);
        if news {
            self.board.revision.send_replace(revision);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<const N: usize>(rows: [(&str, u64); N]) -> BTreeMap<String, Value> {
        let rows = rows.map(|(id, value)| (id.to_owned(), json!({"id": id, "value": value})));
        rows.into()
    }

    #[test]
    fn only_what_changed_is_told() {
        let mut shown = Shown::default();
        assert!(shown.update(1, rows([("a", 1), ("b", 1)])));
        assert!(!shown.update(2, rows([("a", 1), ("b", 1)])));
        assert!(shown.update(2, rows([("a", 1), ("b", 2), ("c", 1)])));
        assert!(shown.update(3, rows([("b", 2), ("c", 1)])));
        let told = |seen| shown.since(seen).unwrap_or_default().to_string();
        assert_eq!(
            told(1),
            r#"{"reset":false,"rows":[{"id":"b","value":2},{"id":"c","value":1}],"gone":["a"]}"#
        );
        assert_eq!(told(2), r#"{"reset":false,"rows":[],"gone":["a"]}"#);
        assert_eq!(told(3), "null");
    }

    #[test]
    fn rows_that_are_gone_are_forgotten_once_every_browser_knows() {
        let board = Board::default();
        assert_eq!(board.seen_by_all(), u64::MAX);
        let (first, second, _new) = (board.listener(), board.listener(), board.listener());
        first.store(2, Ordering::Relaxed);
        second.store(1, Ordering::Relaxed);
        let mut shown = Shown::default();
        shown.update(1, rows([("a", 1), ("b", 1)]));
        shown.update(2, rows([("b", 1)]));
        shown.forget(board.seen_by_all());
        assert_eq!(shown.since(1).unwrap()["gone"], json!(["a"]));
        drop(second);
        shown.forget(board.seen_by_all());
        assert_eq!(shown.rows.len(), 1);
    }

    #[test]
    fn of_rows_that_may_be_others_only_those_that_are_count() {
        let mut shown = Shown::default();
        let some = |id: &str, value: Option<u64>| {
            BTreeMap::from([(
                id.to_owned(),
                value.map(|value| json!({ "id": id, "value": value })),
            )])
        };
        assert!(shown.take(1, some("a", Some(1))));
        assert!(!shown.take(2, some("a", Some(1))));
        assert!(shown.take(3, some("a", Some(2))));
        assert_eq!(shown.since(2).unwrap()["rows"][0]["value"], 2);
        assert!(shown.take(4, some("a", None)));
        assert!(!shown.take(5, some("a", None)));
        assert!(!shown.take(5, some("b", None)), "nobody was told of it");
        assert_eq!(shown.since(3).unwrap()["gone"], json!(["a"]));
        assert!(shown.since(4).is_none());
    }

    #[test]
    fn a_row_that_comes_back_is_told_again() {
        let mut shown = Shown::default();
        shown.update(1, rows([("a", 1)]));
        shown.update(2, rows([]));
        assert!(shown.update(3, rows([("a", 1)])));
        let told = shown.since(2).unwrap();
        assert_eq!(told["rows"][0]["id"], "a");
    }
}
