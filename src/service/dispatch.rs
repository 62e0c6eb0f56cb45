//! Owns the taking over of accepted work that nobody is working on.
//!
//! Runs each minute. Batches whose lease is free are worked on side by side, oldest first at each mailbox; the
//! mailboxes' turns keep one from starving the others.

use std::time::Duration;

use serde::Serialize;

use super::work::Work;
use super::{Parts, Service};
use crate::domain::ids::BatchNumber;
use crate::domain::progress::{Journalled, Progress};
use crate::remote::journal::{Journal, StoreError, Take};

/// New chunks are begun for this long, so that a run ends within its 50 seconds; the next tick goes on.
const TIME: Duration = Duration::from_secs(40);

/// Batches in memory at once.
const MOST_AT_ONCE: usize = 32;

/// A journal that was never planned holds no accepted work; it is dropped after this.
const UNPLANNED_KEPT: Duration = Duration::from_hours(24);

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DispatchTally {
    /// Open journals seen.
    pub open: usize,
    /// Batches worked on.
    pub worked: usize,
    /// Batches that ended.
    pub ended: usize,
    /// Letters accepted by Exchange, or rows handed over.
    pub settled: usize,
    /// Entries still to do in the batches worked on.
    pub left: usize,
    /// Batches that stopped because something did not work.
    pub stopped: usize,
}

impl Service {
    /// Works on every open batch that nobody works on.
    pub async fn dispatch(&self) -> Result<DispatchTally, StoreError> {
        let parts = &*self.0;
        let numbers = parts.store.open_numbers().await?;
        let mut tally = DispatchTally {
            open: numbers.len(),
            ..DispatchTally::default()
        };
        let mut taken = take_free(parts, numbers).await?;
        taken.sort_by_key(|(_, progress)| (progress.terms.created, progress.terms.number));
        let works = taken
            .into_iter()
            .map(|(journal, progress)| work_on(parts, journal, progress));
        for done in futures::future::join_all(works).await {
            tally.add(&done);
        }
        Ok(tally)
    }
}

struct Done {
    settled: usize,
    left: usize,
    ended: bool,
    stopped: bool,
}

impl DispatchTally {
    fn add(&mut self, done: &Done) {
        self.worked += 1;
        self.ended += usize::from(done.ended);
        self.settled += done.settled;
        self.left += done.left;
        self.stopped += usize::from(done.stopped);
    }
}

async fn take_free(
    parts: &Parts,
    numbers: Vec<BatchNumber>,
) -> Result<Vec<(Journal, Progress)>, StoreError> {
    let mut taken = Vec::new();
    for number in numbers {
        if taken.len() >= MOST_AT_ONCE {
            break;
        }
        match parts.store.take(number).await {
            Ok(Take::Ours(journal, lines)) => match Journalled::fold(lines) {
                Journalled::Planned(progress) => taken.push((*journal, *progress)),
                Journalled::Unplanned => drop_if_old(parts, *journal).await?,
            },
            Ok(Take::Held | Take::Gone) => {}
            // One unreadable journal must not stop the others.
            Err(error @ StoreError::Unreadable { .. }) => {
                tracing::error!(batch = %number, %error, "a journal is damaged");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(taken)
}

async fn drop_if_old(parts: &Parts, journal: Journal) -> Result<(), StoreError> {
    if journal.idle(&parts.clock).await? > UNPLANNED_KEPT {
        tracing::info!(batch = %journal.number(), "a journal without a plan is dropped");
        return journal.discard().await;
    }
    Ok(())
}

async fn work_on(parts: &Parts, journal: Journal, progress: Progress) -> Done {
    let (number, before) = (progress.terms.number, progress.open());
    let (progress, result) = Work::new(parts, journal, progress, TIME).run(false).await;
    let stopped = match &result {
        Err(super::work::Stopped::Remote(crate::remote::error::RemoteError::OutOfTime))
        | Ok(()) => false,
        Err(error) => {
            tracing::warn!(batch = %number, %error, "work on a batch stopped; the next run goes on");
            true
        }
    };
    let left = progress.open();
    Done {
        settled: before.saturating_sub(left),
        left,
        ended: progress.ended.is_some(),
        stopped,
    }
}
