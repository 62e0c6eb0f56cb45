//! Owns what the journals tell of some time.
//!
//! Outcome lines have no time, so a batch is told of once, in the period in which it ended. One that is still open after
//! a day is told of as such.

use std::ops::Range;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::findings::Batches;
use super::period::{a_day_old, earlier};
use crate::domain::ids::BatchNumber;
use crate::domain::progress::{Journalled, Progress};
use crate::remote::budget::Budget;
use crate::remote::journal::StoreError;
use crate::service::Parts;

/// Most journals of each kind that a digest reads.
const MOST_JOURNALS: usize = 200;

/// Journals that are read at once: each may be some megabytes long.
const AT_ONCE: usize = 4;

/// How far the store's clock and ours may be apart.
const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_mins(10);

enum Read {
    Progress(Box<Progress>),
    Nothing,
    Unread,
}

/// What happened to batches within `time`.
pub(super) async fn collect(
    parts: &Parts,
    time: &Range<Timestamp>,
    budget: &Budget,
) -> Result<Batches, StoreError> {
    let mut batches = Batches::default();
    let since = earlier(time.start, CLOCK_DIFFERENCE);
    let done = parts.store.done_since(since).await?;
    let open = parts.store.open_numbers().await?;
    batches.unread = beyond(&done) + beyond(&open);
    let numbers = done
        .into_iter()
        .take(MOST_JOURNALS)
        .chain(open.into_iter().take(MOST_JOURNALS));
    let mut read = futures::stream::iter(numbers)
        .map(|number| read(parts, number, budget))
        .buffered(AT_ONCE);
    while let Some(read) = read.next().await {
        match read {
            Read::Progress(progress) => batches.take(*progress, time),
            Read::Nothing => {}
            Read::Unread => batches.unread += 1,
        }
    }
    Ok(batches)
}

fn beyond(numbers: &[BatchNumber]) -> usize {
    numbers.len().saturating_sub(MOST_JOURNALS)
}

async fn read(parts: &Parts, number: BatchNumber, budget: &Budget) -> Read {
    let read = tokio::time::timeout(budget.left(), parts.store.read(number)).await;
    match read {
        Ok(Ok(Some(lines))) => match Journalled::fold(lines) {
            Journalled::Planned(progress) => Read::Progress(progress),
            Journalled::Unplanned => Read::Nothing,
        },
        Ok(Ok(None)) => Read::Nothing,
        Ok(Err(error)) => {
            tracing::warn!(batch = %number, %error, "a journal cannot be read for the digest");
            Read::Unread
        }
        Err(_) => Read::Unread,
    }
}

impl Batches {
    fn take(&mut self, progress: Progress, time: &Range<Timestamp>) {
        match progress.ended {
            Some(ended) if time.contains(&ended) => self.add_ended(progress),
            None if a_day_old(time).contains(&progress.terms.created) => {
                self.stuck.push((progress.terms.number, progress.open()));
            }
            _ => {}
        }
    }
}
