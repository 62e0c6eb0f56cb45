//! What callers are told about batches, and that it never goes backwards.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use portal_invite::domain::ids::BatchNumber;
use portal_invite::domain::outcome::Counts;
use portal_invite::service::report::BatchReport;
use sandbox::Storage;

use super::super::process::{CONTAINER, Process};

/// What was seen of each batch so far.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    batches: BTreeMap<BatchNumber, Counts>,
    /// Answers as callers read them, without links that were asked for.
    answers: String,
}

impl Seen {
    /// An answer to a request with so many entries. It may come late, from a process that was frozen over it.
    pub(super) fn answer(&self, report: &BatchReport, entries: usize) {
        assert_eq!(report.counts.requested, entries);
        self.told(report);
    }

    /// An answer about a batch, perhaps another request's.
    pub(super) fn told(&self, report: &BatchReport) {
        let number = report.number.unwrap();
        self.read(report);
        self.0.lock().unwrap().batches.entry(number).or_default();
    }

    /// What is said about a batch now, compared with what was said before.
    pub(super) fn report(&self, report: &BatchReport) {
        self.read(report);
        let (number, counts) = (report.number.unwrap(), report.counts.clone());
        let before = self.0.lock().unwrap().batches.insert(number, counts);
        let (before, now) = (of(&before.unwrap_or_default()), of(&report.counts));
        let backwards = before.iter().zip(now).any(|(old, new)| *old > new);
        assert!(!backwards, "{before:?} became {now:?}");
    }

    fn read(&self, report: &BatchReport) {
        let counts = &report.counts;
        let settled = of(counts).iter().sum::<usize>();
        assert_eq!(settled + counts.pending, counts.requested, "{counts:?}");
        if report.finished {
            assert_eq!(counts.pending, 0);
            assert_eq!(report.results.len(), counts.requested);
        }
        let words = report.results.iter().map(|entry| {
            assert!(entry.redeem_url.is_none() || counts.created > 0);
            format!("{:?} {:?}\n", entry.reason, entry.contact_name)
        });
        self.0.lock().unwrap().answers.extend(words);
    }

    /// Batches that somebody was told of.
    pub(super) fn numbers(&self) -> Vec<BatchNumber> {
        self.0.lock().unwrap().batches.keys().copied().collect()
    }

    pub(super) fn answers(&self) -> String {
        self.0.lock().unwrap().answers.clone()
    }

    /// Asks about every batch that is in the store.
    pub(super) async fn look(&self, observer: &Process, storage: &Storage) {
        for number in numbers(storage) {
            if let Ok(report) = observer.service.batch(number).await {
                self.report(&report);
            }
        }
    }
}

/// The numbers of the journals in a store.
fn numbers(storage: &Storage) -> Vec<BatchNumber> {
    let names = storage.names(CONTAINER).into_iter();
    let number = |name: String| {
        let name = name.strip_prefix("open/")?.strip_suffix(".jsonl")?;
        BatchNumber::try_from(name.parse::<i64>().ok()?).ok()
    };
    names.filter_map(number).collect()
}

/// How many entries ended, by how they did.
fn of(counts: &Counts) -> [usize; 6] {
    let Counts {
        sent,
        created,
        kept,
        skipped,
        failed,
        unconfirmed,
        ..
    } = counts;
    [*sent, *created, *kept, *skipped, *failed, *unconfirmed]
}
