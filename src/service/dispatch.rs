//! Owns the taking over of accepted work that nobody is working on.
//!
//! Runs each minute. Batches whose lease is free are worked on side by side, the oldest first; the mailboxes' turns
//! keep one from starving the others. What a rule asked for comes after what somebody asked for, and reminders last.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures::StreamExt;
use serde::Serialize;

use super::work::{Stopped, Work};
use super::{Parts, Service};
use crate::domain::ids::{BatchNumber, Urgency};
use crate::domain::progress::{Journalled, Progress, Stage};
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;
use crate::remote::journal::{Journal, StoreError, Take};

/// New chunks are begun for this long, so that a run ends before the next tick: one that it outlasts is left out.
/// <https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer>
const TIME: Duration = Duration::from_secs(50);

/// Batches in memory at once; when one is done for now, the next is taken.
const MOST_AT_ONCE: usize = 32;

/// Between two looks at batches that somebody else works on. A caller's POST may end right after a run has begun, and its
/// letters need not wait for the next one.
const HELD_PAUSE: Duration = Duration::from_secs(2);

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
    /// Works on every open batch that nobody works on, for as long as there is time.
    pub async fn dispatch(&self) -> Result<DispatchTally, StoreError> {
        let parts = &*self.0;
        let budget = Budget::within(&parts.clock, TIME);
        let numbers = parts.store.open_numbers().await?;
        let mut tally = DispatchTally {
            open: numbers.len(),
            ..DispatchTally::default()
        };
        let mut held = Vec::new();
        for urgency in Urgency::ALL {
            let numbers = numbers.iter().copied();
            let numbers = numbers.filter(|number| number.urgency() == urgency);
            let done = work_on_all(parts, numbers.collect(), &budget).await;
            held.extend(tally.add_all(done)?);
        }
        while !held.is_empty() && budget.wait(HELD_PAUSE).await.is_ok() {
            let done = work_on_all(parts, held, &budget).await;
            held = tally.add_all(done)?;
        }
        Ok(tally)
    }
}

/// Works on batches side by side, in their order. One whose mailboxes rest gives its place to the next one at once.
async fn work_on_all(
    parts: &Parts,
    numbers: Vec<BatchNumber>,
    budget: &Budget,
) -> Vec<Result<Done, StoreError>> {
    let run = &Run {
        budget,
        full: AtomicBool::new(false),
        others: numbers.len().saturating_sub(1),
    };
    let works = futures::stream::iter(numbers)
        .map(|number| work_on(parts, number, run))
        .buffer_unordered(MOST_AT_ONCE);
    // No batch is dropped between two lines because another one's journal cannot be read.
    works.collect().await
}

/// What the batches that are worked on side by side have in common.
struct Run<'a> {
    budget: &'a Budget,
    /// A batch which nobody waits for found no room in any mailbox: then there is none for younger ones, of which there
    /// may be thousands.
    full: AtomicBool,
    /// How many there are beside each of them.
    others: usize,
}

/// What came of one batch.
enum Done {
    /// There is nothing to do.
    Nothing,
    /// Somebody else works on it.
    Held(BatchNumber),
    /// It was worked on.
    Worked {
        settled: usize,
        left: usize,
        ended: bool,
        stopped: bool,
    },
}

impl DispatchTally {
    /// Counts what came of each batch, and gives those that somebody else works on.
    fn add_all(
        &mut self,
        done: Vec<Result<Done, StoreError>>,
    ) -> Result<Vec<BatchNumber>, StoreError> {
        let mut held = Vec::new();
        for done in done {
            match done? {
                Done::Held(number) => held.push(number),
                done => self.add(&done),
            }
        }
        Ok(held)
    }

    fn add(&mut self, done: &Done) {
        if let Done::Worked {
            settled,
            left,
            ended,
            stopped,
        } = done
        {
            self.worked += 1;
            self.ended += usize::from(*ended);
            self.settled += settled;
            self.left += left;
            self.stopped += usize::from(*stopped);
        }
    }
}

/// Works on a batch, if nobody does and time is left.
async fn work_on(parts: &Parts, number: BatchNumber, run: &Run<'_>) -> Result<Done, StoreError> {
    if run.budget.left().is_zero() || run.full.load(Relaxed) {
        return Ok(Done::Nothing);
    }
    match parts.store.take(number).await {
        Ok(Take::Ours(journal, lines)) => match Journalled::fold(lines) {
            Journalled::Planned(progress) if must_wait(parts, &progress, run.budget.left()) => {
                run.full
                    .store(number.urgency() != Urgency::Request, Relaxed);
                Ok(Done::Nothing)
            }
            Journalled::Planned(progress) => Ok(carry_on(parts, *journal, *progress, run).await),
            Journalled::Unplanned => drop_if_old(parts, *journal).await.map(|()| Done::Nothing),
        },
        Ok(Take::Held) => Ok(Done::Held(number)),
        Ok(Take::Gone) => Ok(Done::Nothing),
        // One damaged journal must not stop the others.
        Err(error @ StoreError::Unreadable { .. }) => {
            tracing::error!(batch = %number, %error, "a journal is damaged");
            Ok(Done::Nothing)
        }
        Err(error) => Err(error),
    }
}

/// Whether nothing but first letters is left, and no mailbox takes one in this run.
///
/// A run would ask about the rows of the batch and do nothing else. With thousands of small batches those questions alone
/// would use up what Dataverse answers.
fn must_wait(parts: &Parts, progress: &Progress, time: Duration) -> bool {
    let open = || progress.items.iter().filter(|item| item.is_open());
    let has_room = |sender: &String| parts.mailboxes.has_room(sender, time);
    progress.terms.send_email
        && open().count() > 0
        && open().all(|item| item.stage == Stage::Untried)
        && !progress.terms.senders.iter().any(has_room)
}

async fn drop_if_old(parts: &Parts, journal: Journal) -> Result<(), StoreError> {
    if journal.idle(&parts.clock).await? > UNPLANNED_KEPT {
        tracing::info!(batch = %journal.number(), "a journal without a plan is dropped");
        return journal.discard().await;
    }
    Ok(())
}

async fn carry_on(parts: &Parts, journal: Journal, progress: Progress, run: &Run<'_>) -> Done {
    let (number, before) = (progress.terms.number, progress.open());
    let work = Work::new(parts, journal, progress, run.budget.left()).beside(run.others);
    let (progress, result) = work.run(false).await;
    let stopped = match &result {
        Err(Stopped::Remote(RemoteError::OutOfTime)) | Ok(()) => false,
        Err(error) => {
            tracing::warn!(batch = %number, %error, "work on a batch stopped; the next run goes on");
            true
        }
    };
    let left = progress.open();
    Done::Worked {
        settled: before.saturating_sub(left),
        left,
        ended: progress.ended.is_some(),
        stopped,
    }
}
