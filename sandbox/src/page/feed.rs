//! Tells browsers what has changed, by server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! The page is a set of feeds: lists of rows with an id. Some times a second each feed is looked at, and a browser gets
//! the rows that differ from those it was told. The services know nothing of it, and while no browser listens
//! nobody looks.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::{Router, routing::get};
use futures::stream::{self, Stream, StreamExt as _};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

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
const FEEDS: [&[Feed]; 7] = [
    contacts::FEEDS,
    invitations::FEEDS,
    mail::FEEDS,
    site::FEEDS,
    time::FEEDS,
    traffic::FEEDS,
    trouble::FEEDS,
];

/// What the feeds showed when they were last looked at.
#[derive(Default)]
pub(super) struct Board {
    shown: Mutex<BTreeMap<&'static str, Shown>>,
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
    let turns = stream::unfold((page, news, 0), |(page, mut news, seen)| async move {
        let revision = *news.wait_for(|revision| *revision > seen).await.ok()?;
        let events = page.board.since(seen);
        Some((stream::iter(events), (page, news, revision)))
    });
    Sse::new(turns.flatten().map(Ok)).keep_alive(KeepAlive::default())
}

impl Board {
    fn since(&self, seen: u64) -> Vec<Event> {
        let shown = self.shown.lock();
        let news = shown.iter().filter_map(|(name, feed)| {
            let data = feed.since(seen)?.to_string();
            Some(Event::default().event(name).data(data))
        });
        news.collect()
    }
}

impl Page {
    /// Looks at the feeds for as long as it is polled.
    pub(super) async fn observe(&self) -> Infallible {
        loop {
            let started = Instant::now();
            if self.board.revision.receiver_count() > 0 {
                self.look();
            }
            sleep(LOOK_EVERY.max(started.elapsed() * REST)).await;
        }
    }

    fn look(&self) {
        let revision = *self.board.revision.borrow() + 1;
        let mut shown = self.board.shown.lock();
        let mut news = false;
        for feed in FEEDS.iter().copied().flatten() {
            let version = (feed.version)(self);
            let known = shown.entry(feed.name).or_default();
            if known.version != Some(version) {
                known.version = Some(version);
                news |= known.update(revision, (feed.rows)(self));
            }
        }
        drop(shown);
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
    fn a_row_that_comes_back_is_told_again() {
        let mut shown = Shown::default();
        shown.update(1, rows([("a", 1)]));
        shown.update(2, rows([]));
        assert!(shown.update(3, rows([("a", 1)])));
        let told = shown.since(2).unwrap();
        assert_eq!(told["rows"][0]["id"], "a");
    }
}
