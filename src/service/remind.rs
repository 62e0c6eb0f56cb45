//! Owns deciding whom to remind: invitations of ours that were sent, wait to be redeemed, and expire within days.
//!
//! It only writes journals, batches of reminders that read alike; the dispatcher sends them after everything else. Each
//! reminder is claimed by a key of the invitation and its expiry, so that none goes twice, however often this runs.

use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::claim::claim_reminders;
use super::invite::{MOST_CONTACTS, journal_plan};
use super::{Parts, Service};
use crate::domain::batch::{Bound, Entry, LetterTerms, Plan, Seen, Terms};
use crate::domain::expiry::{self, ValidDays};
use crate::domain::ids::{BatchNumber, Urgency};
use crate::domain::invitation::Invitation;
use crate::domain::progress::Journalled;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;
use crate::remote::journal::StoreError;

/// Rows are read and journals begun for this long; what is left then is due tomorrow as well.
const TIME: Duration = Duration::from_secs(40);

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemindTally {
    /// Invitations that expire within `REMIND_DAYS_BEFORE`.
    pub examined: usize,
    /// Reminders that the dispatcher will send.
    pub planned: usize,
    /// Batches that they are in.
    pub batches: usize,
    /// Whether time ran out before the end: the next run goes on.
    pub more: bool,
}

/// Why nobody could be reminded, or not everybody.
#[derive(Debug, thiserror::Error)]
pub enum RemindError {
    /// Dataverse could not be asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The batch store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What reminders of one batch have in common.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Kind {
    letter: LetterTerms,
    include_registered: bool,
}

/// How the batch that made a row wants its contact reminded; `None` for one that is not ours, or handed out links.
type Kinds = HashMap<BatchNumber, Option<Kind>>;

impl Service {
    /// Plans a reminder of each invitation that expires soon.
    pub async fn remind(&self) -> Result<RemindTally, RemindError> {
        let parts = &*self.0;
        let mut tally = RemindTally::default();
        let days = i64::from(parts.policy.remind_days_before);
        let Ok(days) = ValidDays::try_from(days) else {
            return Ok(tally);
        };
        let now = parts.clock.now();
        let zone = &parts.policy.time_zone;
        let horizon = expiry::end_of(expiry::last_day_after(now, days, zone), zone);
        let budget = Budget::within(&parts.clock, TIME);
        let (mut kinds, mut page) = (Kinds::new(), None);
        loop {
            let read = parts
                .dataverse
                .expiring(now, horizon, page, &budget)
                .await?;
            tally.examined += read.invitations.len();
            let due = due(parts, read.invitations, horizon, &mut kinds).await?;
            for (kind, entries) in due {
                for entries in entries.chunks(MOST_CONTACTS) {
                    self.plan_reminders(&kind, entries.to_vec(), &mut tally)
                        .await?;
                }
            }
            tally.more = budget.left().is_zero();
            page = read.next.filter(|_| !tally.more);
            if page.is_none() {
                return Ok(tally);
            }
        }
    }

    async fn plan_reminders(
        &self,
        kind: &Kind,
        entries: Vec<Entry>,
        tally: &mut RemindTally,
    ) -> Result<(), StoreError> {
        let parts = &*self.0;
        let mut journal = loop {
            let number = BatchNumber::from_random(parts.chance.number(), Urgency::Reminder);
            match parts.store.create(number).await {
                Err(StoreError::Exists(_)) => {}
                created => break created?,
            }
        };
        let entries = claim_reminders(parts, journal.number(), entries).await?;
        if entries.is_empty() {
            return journal.discard().await;
        }
        let terms = terms(parts, kind, journal.number());
        let planned = journal_plan(parts, &mut journal, &terms, &entries).await?;
        journal.append(&[planned]).await?;
        tally.planned += entries.len();
        tally.batches += 1;
        Ok(())
    }
}

/// The reminders of some rows, by what they have in common.
async fn due(
    parts: &Parts,
    rows: Vec<Invitation>,
    horizon: Timestamp,
    kinds: &mut Kinds,
) -> Result<BTreeMap<Kind, Vec<Entry>>, StoreError> {
    let (now, site) = (parts.clock.now(), parts.policy.site.website());
    let mut due: BTreeMap<Kind, Vec<Entry>> = BTreeMap::new();
    let remindable = |row: &Invitation| row.is_of(site) && row.remindable(now, horizon);
    for row in rows.into_iter().filter(remindable) {
        let Some(batch) = row.batch else {
            continue;
        };
        let kind = match kinds.entry(batch) {
            Slot::Occupied(known) => known.into_mut(),
            Slot::Vacant(slot) => slot.insert(kind(parts, batch).await?),
        };
        if let Some(kind) = kind
            && let Some(entry) = reminder(row)
        {
            due.entry(kind.clone()).or_default().push(entry);
        }
    }
    Ok(due)
}

fn reminder(row: Invitation) -> Option<Entry> {
    Some(Entry {
        contact: row.contact?,
        plan: Plan::Remind {
            seen: Seen::of(&row),
            expires: row.expires?,
        },
        name: Some(row.name.into_boxed_str()),
    })
}

/// Whoever was handed a link by somebody is not written to by us.
async fn kind(parts: &Parts, batch: BatchNumber) -> Result<Option<Kind>, StoreError> {
    let lines = parts.store.read(batch).await?;
    let Some(Journalled::Planned(progress)) = lines.map(Journalled::fold) else {
        return Ok(None);
    };
    let Terms {
        letter,
        include_registered,
        send_email,
        ..
    } = progress.terms;
    let known = |language: &String| parts.policy.languages.contains_key(language);
    Ok(send_email.then(|| Kind {
        letter: LetterTerms {
            language: letter.language.filter(known),
            template: None,
            // What a person wrote for the first letter need not suit a second one.
            subject: None,
            message: None,
            return_path: letter.return_path,
            inviter_name: letter.inviter_name,
        },
        include_registered,
    }))
}

fn terms(parts: &Parts, kind: &Kind, number: BatchNumber) -> Terms {
    let now = parts.clock.now();
    Terms {
        number,
        created: now,
        // No reminder makes a row: each has an expiry of its own.
        expires: now,
        send_email: true,
        include_registered: kind.include_registered,
        senders: parts.policy.senders.clone(),
        letter: kind.letter.clone(),
        bound: Bound::default(),
        requested_by: None,
    }
}
