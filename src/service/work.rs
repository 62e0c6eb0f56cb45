//! Owns the carrying out of a planned batch, for as long as its lease and its time allow.
//!
//! The same code serves the POST that wrote the journal and the dispatcher that takes it over. Everything it needs
//! to know stands in the journal or in the remote services, so it can stop between any two lines: rows, and letters
//! for those that are there, mailbox by mailbox; then the end.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Parts;
use super::rows::Rows;
use crate::domain::batch::{Line, RestCause, Terms};
use crate::domain::email_address::EmailAddress;
use crate::domain::ids::InvitationId;
use crate::domain::outcome::Outcome;
use crate::domain::progress::{Item, Progress, Rest, Stage};
use crate::remote::budget::Budget;
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
    /// Whether no other batch is known to want the same mailboxes.
    pub(super) alone: bool,
    journal: tokio::sync::Mutex<Journal>,
    progress: Mutex<Progress>,
    pub(super) rows: Rows,
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
    /// Nothing before more rows are there.
    Rows,
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
        let patience = Budget::within(&parts.clock, time).under(journal.tenure());
        let budget = patience.clone().with_slack(SLACK);
        Self {
            parts,
            terms: progress.terms.clone(),
            budget,
            patience,
            alone: true,
            journal: tokio::sync::Mutex::new(journal),
            rows: Rows::known(&progress),
            progress: Mutex::new(progress),
            waits: Mutex::default(),
        }
    }

    /// The same work, with or without other batches that may want the same mailboxes.
    pub(super) fn beside(mut self, others: usize) -> Self {
        self.alone = others == 0;
        self
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
        let known = fresh || self.lock().created;
        if !known {
            self.find_rows().await?;
        }
        let creating = async {
            let created = self.create_rows().await;
            self.rows.complete();
            created?;
            if known {
                Ok(())
            } else {
                self.note_rows().await
            }
        };
        // Both go on to their end: nothing is dropped between two lines because the other failed.
        let (created, delivered) = futures::future::join(creating, self.deliver()).await;
        delivered.and(created)?;
        if self.lock().open() == 0 {
            let at = self.parts.clock.now();
            self.record(vec![Line::End { at }]).await?;
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

    /// Delivers what each mailbox has to send, side by side.
    async fn deliver(&self) -> Result<(), Stopped> {
        if !self.terms.send_email {
            return Ok(());
        }
        let mailboxes = self.mailboxes().into_iter();
        let deliveries = mailboxes.map(|(mailbox, places)| self.deliver_from(mailbox, places));
        let delivered = futures::future::join_all(deliveries).await;
        delivered.into_iter().collect()
    }

    /// The mailboxes that have something to do, each with its entries.
    fn mailboxes(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut mailboxes = BTreeMap::<_, Vec<usize>>::new();
        for (place, item) in self.lock().items.iter().enumerate() {
            if let Some(id) = item.invitation().filter(|_| item.is_open()) {
                mailboxes.entry(self.sender_of(id)).or_default().push(place);
            }
        }
        mailboxes
    }

    /// What a mailbox has to do next; letters come `chunk` at a time, and less than that only when no more rows come.
    /// `places` are its entries, of which those that are settled go.
    pub(super) fn next(
        &self,
        mailbox: &str,
        places: &mut Vec<usize>,
        chunk: usize,
        growing: bool,
    ) -> Next {
        let (now, instant) = (self.parts.clock.now(), self.parts.clock.instant());
        let progress = self.lock();
        let rows = self.rows.there();
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = progress
            .resting
            .get(mailbox)
            .filter(|rest| rest.until > now);
        // A mailbox that has used up its day can still be read.
        let unreadable = rest.is_some_and(|rest| rest.cause != RestCause::Quota);
        let rested = rest.and_then(|rest| Duration::try_from(rest.until.duration_since(now)).ok());
        let (mut looks, mut letters, mut earliest) = (Vec::new(), Vec::new(), None);
        places.retain(|place| progress.items[*place].is_open());
        for place in places.iter().copied().filter(|place| rows.contains(place)) {
            let item = &progress.items[place];
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
        let short = growing && letters.len() < chunk;
        if short && looks.is_empty() && places.iter().any(|place| !rows.contains(place)) {
            return Next::Rows;
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

    /// How far each entry is.
    pub(super) fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mailbox as a log may name it.
fn masked(mailbox: &str) -> String {
    EmailAddress::parse(mailbox).map_or_else(|_| String::new(), |address| address.to_string())
}
