//! Owns the carrying out of a planned batch, for as long as its lease and its time allow.
//!
//! The same code serves the POST that wrote the journal and the dispatcher that takes it over. Everything it needs
//! to know stands in the journal or in the remote services, so it can stop between any two lines: rows first,
//! then letters, mailbox by mailbox, then the end.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Parts;
use crate::domain::batch::{Line, RestCause, Terms};
use crate::domain::email_address::EmailAddress;
use crate::domain::ids::InvitationId;
use crate::domain::outcome::Outcome;
use crate::domain::progress::{Item, Progress, Rest, Stage};
use crate::remote::budget::Budget;
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::invitations::WRITES_A_BATCH;
use crate::remote::error::RemoteError;
use crate::remote::journal::{Journal, StoreError};

/// What a chunk may take beyond the time in which it was begun, so that its letters are marked as well.
pub(super) const SLACK: Duration = Duration::from_secs(8);

/// Why work on a batch stopped before its end. Nothing is lost by it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// A remote service could not go on.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The journal could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A batch under our lease.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) parts: &'a Parts,
    pub(super) terms: Terms,
    /// What calls may take: a chunk that was begun is brought to its end.
    pub(super) budget: Budget,
    /// How long new chunks are begun.
    pub(super) patience: Budget,
    journal: tokio::sync::Mutex<Journal>,
    progress: Mutex<Progress>,
    /// Entries whose row is surely there: created by us, or found.
    rows: Mutex<BTreeSet<usize>>,
    /// Entries that are not worth another look before a moment.
    waits: Mutex<HashMap<usize, Instant>>,
}

/// What a mailbox has to do next.
#[derive(Debug)]
pub(super) enum Next {
    /// Look into letters whose fate is open.
    Look(Vec<usize>),
    /// Send letters that were never tried; at most as many as the second number says.
    Letters(Vec<usize>),
    /// Nothing before this moment.
    Wait(Duration),
    /// Nothing more in this run.
    Nothing,
}

impl<'a> Work<'a> {
    /// Work on a batch whose lease is `journal`: new chunks begin within `time`, and end within [`SLACK`] more.
    pub(super) fn new(
        parts: &'a Parts,
        journal: Journal,
        progress: Progress,
        time: Duration,
    ) -> Self {
        // Rows that were there before the batch need no creating.
        let seen = progress.items.iter().enumerate();
        let seen = seen.filter(|(_, item)| item.entry.plan.seen().is_some());
        let rows = seen.map(|(place, _)| place).collect();
        let patience = Budget::within(&parts.clock, time).under(journal.tenure());
        let budget = patience.clone().with_slack(SLACK);
        Self {
            parts,
            terms: progress.terms.clone(),
            budget,
            patience,
            journal: tokio::sync::Mutex::new(journal),
            progress: Mutex::new(progress),
            rows: Mutex::new(rows),
            waits: Mutex::default(),
        }
    }

    /// Works until all is settled, the time is up or something does not work; gives the batch as it stands then.
    ///
    /// `fresh` says that no worker was here before: then no row of the batch can exist.
    pub(super) async fn run(self, fresh: bool) -> (Progress, Result<(), Stopped>) {
        let result = self.carry_out(fresh).await;
        let finished = self.lock().ended.is_some();
        let journal = self.journal.into_inner();
        let progress = self
            .progress
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if !finished {
            return (progress, result);
        }
        let moved = journal.finish().await;
        (progress, result.and(moved.map_err(Stopped::from)))
    }

    async fn carry_out(&self, fresh: bool) -> Result<(), Stopped> {
        if self.lock().ended.is_some() {
            return Ok(());
        }
        if !fresh {
            self.find_rows().await?;
        }
        let created = self.create_rows().await;
        if self.terms.send_email && !matches!(created, Err(Stopped::Store(_))) {
            let mailboxes = self.mailboxes();
            let deliveries = mailboxes.iter().map(|mailbox| self.deliver_from(mailbox));
            let delivered = futures::future::join_all(deliveries).await;
            delivered.into_iter().collect::<Result<Vec<()>, _>>()?;
        }
        created?;
        if self.lock().open() == 0 {
            let at = self.parts.clock.now();
            self.record(vec![Line::End { at }]).await?;
        }
        Ok(())
    }

    /// Learns which rows a former worker created.
    async fn find_rows(&self) -> Result<(), Stopped> {
        let dataverse = &self.parts.dataverse;
        let found = dataverse
            .invitations_of_batch(self.terms.number, Codes::Left, &self.budget)
            .await?;
        let found: BTreeSet<InvitationId> = found.into_iter().map(|row| row.id).collect();
        let there =
            |item: &Item| item.attempted || item.invitation().is_some_and(|id| found.contains(&id));
        let places = self.places(there);
        self.rows().extend(places.iter().copied());
        if self.terms.send_email {
            return Ok(());
        }
        // No letter will come by here again.
        for places in places.chunks(WRITES_A_BATCH) {
            self.hand_over(places).await?;
        }
        Ok(())
    }

    /// Writes lines to the journal, then takes them in.
    pub(super) async fn record(&self, lines: Vec<Line>) -> Result<(), Stopped> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut journal = self.journal.lock().await;
        journal.append(&lines).await?;
        let mut progress = self.lock();
        for line in lines {
            progress.apply(line);
        }
        Ok(())
    }

    /// Records final outcomes.
    pub(super) async fn settle(&self, outcomes: Vec<(usize, Outcome)>) -> Result<(), Stopped> {
        if outcomes.is_empty() {
            return Ok(());
        }
        self.record(vec![Line::Result { outcomes }]).await
    }

    /// Records that a mailbox takes nothing for a while.
    pub(super) async fn rest(
        &self,
        mailbox: &str,
        wait: Duration,
        cause: RestCause,
    ) -> Result<(), Stopped> {
        let at = self.parts.clock.now();
        tracing::warn!(
            batch = %self.terms.number,
            mailbox = masked(mailbox),
            wait_seconds = wait.as_secs(),
            ?cause,
            "a sender mailbox rests"
        );
        let until = at.saturating_add(
            jiff::SignedDuration::try_from(wait).unwrap_or(jiff::SignedDuration::MAX),
        );
        let line = Line::Resting {
            mailbox: mailbox.to_owned(),
            at,
            until: until.unwrap_or(Timestamp::MAX),
            cause,
        };
        self.record(vec![line]).await
    }

    /// The sender of an entry: chosen from the plan's pool by the invitation's id, for good.
    pub(super) fn sender_of(&self, invitation: InvitationId) -> &str {
        let senders = &self.terms.senders;
        let place = invitation.uuid().as_u128() % (senders.len().max(1) as u128);
        usize::try_from(place)
            .ok()
            .and_then(|place| senders.get(place))
            .map_or("", String::as_str)
    }

    fn mailboxes(&self) -> BTreeSet<String> {
        let progress = self.lock();
        let open = progress.items.iter().filter(|item| item.is_open());
        open.filter_map(Item::invitation)
            .map(|id| self.sender_of(id).to_owned())
            .collect()
    }

    /// What a mailbox has to do next; letters come `chunk` at a time.
    pub(super) fn next(&self, mailbox: &str, chunk: usize) -> Next {
        let (now, instant) = (self.parts.clock.now(), self.parts.clock.instant());
        let progress = self.lock();
        let rows = self.rows();
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = progress
            .resting
            .get(mailbox)
            .filter(|rest| rest.until > now);
        // A mailbox that has used up its day can still be read.
        let unreadable = rest.is_some_and(|rest| rest.cause != RestCause::Quota);
        let rested = rest.and_then(|rest| Duration::try_from(rest.until.duration_since(now)).ok());
        let (mut looks, mut letters, mut earliest) = (Vec::new(), Vec::new(), None);
        for (place, item) in progress.items.iter().enumerate() {
            let ours = item
                .invitation()
                .is_some_and(|id| self.sender_of(id) == mailbox);
            if !item.is_open() || !ours || !rows.contains(&place) {
                continue;
            }
            let rests = unreadable || rest.is_some() && item.stage == Stage::Untried;
            let due = waits.get(&place).copied().unwrap_or(instant);
            let due = due.max(instant + rested.filter(|_| rests).unwrap_or_default());
            match item.stage {
                _ if due > instant => {
                    earliest = Some(earliest.map_or(due, |earliest: Instant| earliest.min(due)));
                }
                Stage::Untried => letters.push(place),
                Stage::Attempting { .. } | Stage::Accepted { .. } => looks.push(place),
                Stage::Settled(_) => {}
            }
        }
        looks.truncate(crate::remote::graph::REQUESTS_A_BATCH);
        letters.truncate(chunk);
        match (looks.is_empty(), letters.is_empty(), earliest) {
            (false, _, _) => Next::Look(looks),
            (true, false, _) => Next::Letters(letters),
            (true, true, Some(due)) => Next::Wait(due.saturating_duration_since(instant)),
            (true, true, None) => Next::Nothing,
        }
    }

    /// Lets entries alone for a while.
    pub(super) fn wait_with(&self, places: impl IntoIterator<Item = usize>, wait: Duration) {
        let due = self.parts.clock.instant() + wait;
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.extend(places.into_iter().map(|place| (place, due)));
    }

    /// The rest of a mailbox, if it rests or rested lately.
    pub(super) fn rest_of(&self, mailbox: &str) -> Option<Rest> {
        self.lock().resting.get(mailbox).cloned()
    }

    /// How long a mailbox rests from now.
    pub(super) fn rest_left(&self, mailbox: &str) -> Duration {
        let left = self
            .rest_of(mailbox)
            .map(|rest| rest.until.duration_since(self.parts.clock.now()));
        left.and_then(|left| Duration::try_from(left).ok())
            .unwrap_or_default()
    }

    /// The entries that a condition holds for.
    pub(super) fn places(&self, condition: impl Fn(&Item) -> bool) -> Vec<usize> {
        let progress = self.lock();
        let chosen = progress
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| condition(item));
        chosen.map(|(place, _)| place).collect()
    }

    /// Copies of entries with their places.
    pub(super) fn items(&self, places: &[usize]) -> Vec<(usize, Item)> {
        let progress = self.lock();
        let items = places
            .iter()
            .filter_map(|place| Some((*place, progress.items.get(*place)?.clone())));
        items.filter(|(_, item)| item.is_open()).collect()
    }

    /// Notes that rows are there.
    pub(super) fn rows(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mailbox as a log may name it.
fn masked(mailbox: &str) -> String {
    EmailAddress::parse(mailbox).map_or_else(|_| String::new(), |address| address.to_string())
}
