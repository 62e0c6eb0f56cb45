//! What went over the wire, kept in memory for tests and for the page that shows it.
//!
//! Headers are not kept, so no bearer token is, and neither are bodies; paths and queries are kept as they came.

mod described;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::faults::Service;

pub use self::described::{Described, Kind, Step};

/// How many requests are kept where batches are described: a sandbox with a page may run for days.
const KEPT: usize = 2_000;

/// One request and how it ended.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number in the order in which requests arrived, from 1.
    pub number: u64,
    /// When it arrived.
    pub at: Timestamp,
    /// How long it took, until the answer was whole or the connection broke.
    pub took: Duration,
    /// The service it was for.
    pub service: Service,
    /// Its method.
    pub method: Method,
    /// Its path and query, still percent-encoded.
    pub path: String,
    /// Length of its body, in bytes.
    pub request_bytes: usize,
    /// Length of the answer's body, in bytes.
    pub answer_bytes: usize,
    /// Status of the answer; `None` where the connection broke instead.
    pub status: Option<u16>,
    /// The kinds of scripted faults that it met, those of its operations left out.
    pub faults: Vec<&'static str>,
    /// How many operations a `$batch` held; 0 for any other request.
    pub operations: usize,
    /// What a `$batch` held; empty unless the log was told to describe them.
    pub described: Described,
}

/// What a `$batch` held: a service leaves it among the extensions of its response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations {
    /// How many operations there were.
    pub(crate) count: usize,
    /// Those that were carried out, in order of completion.
    pub(crate) steps: Arc<[Step]>,
}

#[derive(Debug, Default)]
struct Log {
    entries: VecDeque<Entry>,
    arrived: u64,
    ended: u64,
    describes: bool,
}

/// A shared log of requests in the order in which they ended; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Mutex<Log>>);

impl Traffic {
    /// Every request so far; where batches are described, the last ones.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().entries.iter().cloned().collect()
    }

    /// The requests that ended after the first `ended`, at most the last `most`, and how many have ended by now.
    pub fn after(&self, ended: u64, most: usize) -> (Vec<Entry>, u64) {
        let log = self.0.lock();
        let new = usize::try_from(log.ended.saturating_sub(ended)).unwrap_or(usize::MAX);
        let skipped = log.entries.len().saturating_sub(new.min(most));
        (
            log.entries.iter().skip(skipped).cloned().collect(),
            log.ended,
        )
    }

    /// How many requests `service` got, broken connections included.
    pub fn count(&self, service: Service) -> usize {
        let log = self.0.lock();
        log.entries.iter().filter(|e| e.service == service).count()
    }

    /// Forgets every request.
    pub fn clear(&self) {
        self.0.lock().entries.clear();
    }

    /// From now on says what batches hold, and keeps only the last requests.
    pub fn describe(&self) {
        self.0.lock().describes = true;
    }

    /// The number of a request that arrives.
    pub(crate) fn arrive(&self) -> u64 {
        let mut log = self.0.lock();
        log.arrived += 1;
        log.arrived
    }

    /// Keeps a request that ended, and what its batch held.
    pub(crate) fn record(&self, mut entry: Entry, operations: &Operations) {
        entry.operations = operations.count;
        if self.0.lock().describes {
            entry.described = Described::of(&operations.steps);
        }
        let mut log = self.0.lock();
        log.ended += 1;
        log.entries.push_back(entry);
        if log.describes && log.entries.len() > KEPT {
            log.entries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(traffic: &Traffic) -> Entry {
        Entry {
            number: traffic.arrive(),
            at: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            service: Service::Graph,
            method: Method::GET,
            path: "/".to_owned(),
            request_bytes: 0,
            answer_bytes: 0,
            status: Some(200),
            faults: Vec::new(),
            operations: 0,
            described: Described::default(),
        }
    }

    fn record(traffic: &Traffic, count: usize) {
        for _ in 0..count {
            traffic.record(entry(traffic), &Operations::default());
        }
    }

    fn numbers(traffic: &Traffic, ended: u64, most: usize) -> (Vec<u64>, u64) {
        let (entries, ended) = traffic.after(ended, most);
        (entries.iter().map(|entry| entry.number).collect(), ended)
    }

    #[test]
    fn a_reader_gets_what_is_new_to_it() {
        let traffic = Traffic::default();
        record(&traffic, 3);
        assert_eq!(numbers(&traffic, 0, 10), (vec![1, 2, 3], 3));
        assert_eq!(numbers(&traffic, 2, 10), (vec![3], 3));
        assert_eq!(numbers(&traffic, 0, 2), (vec![2, 3], 3));
        assert_eq!(numbers(&traffic, 3, 10), (vec![], 3));
        traffic.clear();
        record(&traffic, 1);
        assert_eq!(numbers(&traffic, 2, 10), (vec![4], 4));
    }

    #[test]
    fn only_a_log_that_describes_batches_forgets_the_oldest_requests() {
        let (whole, described) = (Traffic::default(), Traffic::default());
        described.describe();
        for traffic in [&whole, &described] {
            record(traffic, KEPT + 1);
        }
        assert_eq!(whole.entries().len(), KEPT + 1);
        assert_eq!(described.entries().len(), KEPT);
        assert_eq!(described.entries()[0].number, 2);
    }

    #[test]
    fn batches_are_described_only_where_that_was_asked_for() {
        let traffic = Traffic::default();
        let step = Step {
            method: Method::POST,
            target: "contacts".to_owned(),
            status: 204,
            creates: true,
            struck: false,
        };
        let operations = Operations {
            count: 1,
            steps: [step].into(),
        };
        traffic.record(entry(&traffic), &operations);
        traffic.describe();
        traffic.record(entry(&traffic), &operations);
        let described = traffic.entries();
        let told: Vec<_> = (described.iter())
            .map(|entry| (entry.operations, entry.described.first.len()))
            .collect();
        assert_eq!(told, [(1, 0), (1, 1)]);
    }
}
