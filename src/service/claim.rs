//! Owns who sends the next letter about an invitation that stands.
//!
//! A letter for a new row is guarded by the row: only one request creates it. A row that stands already has no such
//! guard, and a caller may repeat a request while the first one still waits for its sender's next minute. So each
//! batch claims the letter by a key of the row and its last change: who finds it claimed leaves it out.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::Parts;
use crate::domain::batch::{Entry, Plan, Seen, reminder_day};
use crate::domain::ids::{BatchNumber, InvitationId};
use crate::domain::outcome::{Outcome, OutcomeKind, ReasonCode};
use crate::domain::progress::Journalled;
use crate::remote::journal::{Claim, KeyRecord, StoreError, Take};

/// Claims out at once.
const WIDTH: usize = 16;

/// How far the batch is that has a claim.
#[derive(Clone, Copy)]
pub(super) enum Holder {
    /// It has work left, or is being planned.
    AtWork(BatchNumber),
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
    let stands = |ended| is_within(cooldown, ended, parts.clock.now());
    for (place, holder) in claim_all(parts, batch, entries, stands).await? {
        let kept = entries[place].plan.seen().map(|seen| seen.id);
        let kept = kept.map(|id| Outcome::about(OutcomeKind::Kept, id, None));
        entries[place].plan = match (holder, kept) {
            (Holder::AtWork(_), Some(kept)) => Plan::Settled(kept.because(ReasonCode::InProgress)),
            (_, Some(kept)) => Plan::Settled(kept),
            (_, None) => continue,
        };
    }
    Ok(())
}

/// Claims reminders; leaves out those that another batch has sent, or is about to.
pub(super) async fn claim_reminders(
    parts: &Parts,
    batch: BatchNumber,
    entries: Vec<Entry>,
) -> Result<Vec<Entry>, StoreError> {
    let others = claim_all(parts, batch, &entries, |_| true).await?;
    let others: HashSet<usize> = others.into_iter().map(|(place, _)| place).collect();
    let entries = entries.into_iter().enumerate();
    let claimed = entries.filter(|(place, _)| !others.contains(place));
    Ok(claimed.map(|(_, entry)| entry).collect())
}

/// Who is just sending the next letter about a row, or has lately tried in vain to.
pub(super) async fn holder(
    parts: &Parts,
    seen: Seen,
    cooldown: Duration,
) -> Result<Option<Holder>, StoreError> {
    let stands = |ended| is_within(Some(cooldown), ended, parts.clock.now());
    find(&Holders::of(parts), &Key::Letter(seen), None, stands).await
}

/// Claims what can be had; gives the entries whose letters others have, with who has them.
async fn claim_all(
    parts: &Parts,
    batch: BatchNumber,
    entries: &[Entry],
    stands: impl Fn(Timestamp) -> bool + Copy,
) -> Result<Vec<(usize, Holder)>, StoreError> {
    let holders = &Holders::of(parts);
    let keys = entries.iter().enumerate();
    let keys: Vec<_> = keys
        .filter_map(|(place, entry)| Some((place, Key::of(&entry.plan)?)))
        .collect();
    let claims = keys.into_iter().map(|(place, key)| async move {
        let holder = find(holders, &key, Some(batch), stands).await?;
        Ok(holder.map(|holder| (place, holder)))
    });
    let mut claims = futures::stream::iter(claims).buffer_unordered(WIDTH);
    let mut others = Vec::new();
    while let Some(claimed) = claims.next().await {
        others.extend(claimed?);
    }
    Ok(others)
}

/// Asks for one key after another until one is free, or held by another batch that still counts; a batch that is
/// named claims the free one.
async fn find(
    holders: &Holders<'_>,
    key: &Key,
    batch: Option<BatchNumber>,
    stands: impl Fn(Timestamp) -> bool,
) -> Result<Option<Holder>, StoreError> {
    for number in 0_u32.. {
        let Some(first) = holders.first(&key.name(number), batch).await? else {
            return Ok(None);
        };
        match holders.get(first).await? {
            Holder::Dead => {}
            Holder::Ended(at) if !stands(at) => {}
            holder => return Ok(Some(holder)),
        }
    }
    Ok(None)
}

/// What only one batch may send.
enum Key {
    /// The next letter about a row that stands so.
    Letter(Seen),
    /// The reminder of an expiry.
    Reminder(InvitationId, Timestamp),
}

impl Key {
    fn of(plan: &Plan) -> Option<Self> {
        match plan {
            Plan::Remind { seen, expires } => Some(Self::Reminder(seen.id, *expires)),
            plan => plan.seen().map(Self::Letter),
        }
    }

    fn name(&self, number: u32) -> String {
        match self {
            Self::Letter(seen) => {
                let modified = seen.modified.as_second();
                format!("letter-{}-{modified}-{number}", seen.id)
            }
            Self::Reminder(id, expires) => {
                format!("remind-{id}-{}-{number}", reminder_day(*expires))
            }
        }
    }
}

fn is_within(cooldown: Option<Duration>, at: Timestamp, now: Timestamp) -> bool {
    let cooldown = cooldown.and_then(|cooldown| SignedDuration::try_from(cooldown).ok());
    cooldown.is_some_and(|cooldown| now.duration_since(at) < cooldown)
}

/// Batches that have claims; one batch can hold thousands, and is looked at once.
struct Holders<'a> {
    parts: &'a Parts,
    known: Mutex<HashMap<BatchNumber, Holder>>,
}

impl<'a> Holders<'a> {
    fn of(parts: &'a Parts) -> Self {
        Self {
            parts,
            known: Mutex::default(),
        }
    }

    /// The batch that has a key; `None` where that is the one that asks, or nobody.
    async fn first(
        &self,
        name: &str,
        batch: Option<BatchNumber>,
    ) -> Result<Option<BatchNumber>, StoreError> {
        let Some(batch) = batch else {
            return Ok(self.parts.store.key(name).await?.map(|key| key.batch));
        };
        let record = KeyRecord {
            batch,
            body_hash: String::new(),
        };
        Ok(match self.parts.store.claim(name, &record).await? {
            Claim::Taken(first) if first.batch != batch => Some(first.batch),
            Claim::Won | Claim::Taken(_) => None,
        })
    }

    async fn get(&self, batch: BatchNumber) -> Result<Holder, StoreError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(&batch).copied();
        if let Some(holder) = found {
            return Ok(holder);
        }
        let holder = look_at(self.parts, batch).await?;
        known().insert(batch, holder);
        Ok(holder)
    }
}

/// A batch that was never accepted claims nothing; its journal is made before its claims.
async fn look_at(parts: &Parts, batch: BatchNumber) -> Result<Holder, StoreError> {
    let lines = parts.store.read(batch).await?;
    match lines.map(Journalled::fold) {
        None => return Ok(Holder::Dead),
        Some(Journalled::Planned(progress)) => {
            let ended = progress.ended.map(Holder::Ended);
            return Ok(ended.unwrap_or(Holder::AtWork(batch)));
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
            Journalled::Planned(_) => Ok(Holder::AtWork(batch)),
        },
        Take::Held | Take::Gone => Ok(Holder::AtWork(batch)),
    }
}
