//! Owns who sends the next letter about an invitation that stands.
//!
//! A letter for a new row is guarded by the row: only one request creates it. A row that stands already has no such
//! guard, and a caller may repeat a request while the first one still waits for its sender's next minute. So each
//! batch claims the letter by a key of the row and its last change: who finds it claimed leaves it out.

use std::time::Duration;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::Parts;
use crate::domain::batch::{Entry, Plan, Seen};
use crate::domain::ids::BatchNumber;
use crate::domain::outcome::{Outcome, OutcomeKind, ReasonCode};
use crate::domain::progress::Journalled;
use crate::remote::journal::{Claim, KeyRecord, StoreError, Take};

/// Claims out at once.
const WIDTH: usize = 16;

/// How far the batch is that has a claim.
enum Holder {
    /// It has work left, or is being planned.
    AtWork,
    /// It ended then, and the row does not show it.
    Ended(Timestamp),
    /// It was never accepted.
    Dead,
}

/// Claims the letters that a plan sends about standing rows; an entry whose letter someone else sends is kept.
///
/// With a `cooldown`, an entry is kept for so long after the end of a batch that left its row unchanged.
pub(super) async fn claim_letters(
    parts: &Parts,
    batch: BatchNumber,
    entries: &mut [Entry],
    cooldown: Option<Duration>,
) -> Result<(), StoreError> {
    let seen = entries.iter().enumerate();
    let seen: Vec<_> = seen
        .filter_map(|(place, entry)| Some((place, entry.plan.seen()?)))
        .collect();
    let mut claims = futures::stream::iter(seen)
        .map(|(place, seen)| async move { (place, claim(parts, batch, seen, cooldown).await) })
        .buffer_unordered(WIDTH);
    while let Some((place, claimed)) = claims.next().await {
        if let Some(kept) = claimed? {
            entries[place].plan = Plan::Settled(kept);
        }
    }
    Ok(())
}

/// Claims one letter; gives how the entry ends where it cannot be had.
async fn claim(
    parts: &Parts,
    batch: BatchNumber,
    seen: Seen,
    cooldown: Option<Duration>,
) -> Result<Option<Outcome>, StoreError> {
    let record = KeyRecord {
        batch,
        body_hash: String::new(),
    };
    let kept = || Outcome::about(OutcomeKind::Kept, seen.id, None);
    for number in 0_u32.. {
        let name = format!("letter-{}-{}-{number}", seen.id, seen.modified.as_second());
        let holder = match parts.store.claim(&name, &record).await? {
            Claim::Taken(first) if first.batch != batch => first.batch,
            Claim::Won | Claim::Taken(_) => return Ok(None),
        };
        match look_at(parts, holder).await? {
            Holder::AtWork => return Ok(Some(kept().because(ReasonCode::InProgress))),
            Holder::Ended(at) if is_within(cooldown, at, parts.clock.now()) => {
                return Ok(Some(kept()));
            }
            Holder::Ended(_) | Holder::Dead => {}
        }
    }
    Ok(Some(kept()))
}

fn is_within(cooldown: Option<Duration>, at: Timestamp, now: Timestamp) -> bool {
    let cooldown = cooldown.and_then(|cooldown| SignedDuration::try_from(cooldown).ok());
    cooldown.is_some_and(|cooldown| now.duration_since(at) < cooldown)
}

/// A batch that was never accepted claims nothing; its journal is made before its claims.
async fn look_at(parts: &Parts, batch: BatchNumber) -> Result<Holder, StoreError> {
    let lines = parts.store.read(batch).await?;
    match lines.map(Journalled::fold) {
        None => return Ok(Holder::Dead),
        Some(Journalled::Planned(progress)) => {
            return Ok(progress.ended.map_or(Holder::AtWork, Holder::Ended));
        }
        Some(Journalled::Unplanned) => {}
    }
    // Whoever plans it holds its lease.
    match parts.store.take(batch).await? {
        Take::Ours(journal, lines) => match Journalled::fold(lines) {
            Journalled::Unplanned => {
                journal.discard().await?;
                Ok(Holder::Dead)
            }
            Journalled::Planned(_) => Ok(Holder::AtWork),
        },
        Take::Held | Take::Gone => Ok(Holder::AtWork),
    }
}
