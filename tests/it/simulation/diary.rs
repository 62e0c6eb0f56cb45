//! What happened in a run, for the person who reads a failure, and how often, for the one who doubts a success.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use sandbox::{Clock, Sandbox};

/// How often each kind of thing happened.
pub(super) type Totals = BTreeMap<String, u64>;

#[derive(Default)]
struct Pages {
    notes: Vec<(Timestamp, String)>,
    totals: Totals,
}

/// The diary of one run; clones share it.
#[derive(Clone)]
pub(super) struct Diary {
    clock: Clock,
    pages: Arc<Mutex<Pages>>,
    detailed: bool,
}

impl Diary {
    /// Notes are kept only where they are wanted; counts always are.
    pub(super) fn new(clock: &Clock, detailed: bool) -> Self {
        Self {
            clock: clock.clone(),
            pages: Arc::default(),
            detailed,
        }
    }

    pub(super) fn note(&self, words: impl FnOnce() -> String) {
        if self.detailed {
            let note = (self.clock.now(), words());
            self.pages.lock().unwrap().notes.push(note);
        }
    }

    pub(super) fn count(&self, what: &str, times: usize) {
        let mut pages = self.pages.lock().unwrap();
        *pages.totals.entry(what.to_owned()).or_default() += times as u64;
    }

    pub(super) fn totals(&self) -> Totals {
        self.pages.lock().unwrap().totals.clone()
    }

    /// Notes and traffic, in the order of time.
    pub(super) fn tell(&self, sandbox: &Sandbox) -> String {
        let mut lines = self.pages.lock().unwrap().notes.clone();
        lines.extend(sandbox.traffic.entries().into_iter().map(|entry| {
            let status = entry
                .status
                .map_or("dropped".to_owned(), |status| status.to_string());
            let path: String = entry.path.chars().take(160).collect();
            let words = format!("  {:?} {} {path} -> {status}", entry.service, entry.method);
            (entry.at, words)
        }));
        lines.sort_by_key(|(at, _)| *at);
        let told = lines.iter().map(|(at, words)| format!("{at} {words}\n"));
        told.collect()
    }
}
