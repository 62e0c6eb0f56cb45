//! Owns the step from a plan to a batch: the key, the journal, the work, and twins that come with the same key.

use std::time::Duration;

use uuid::Uuid;

use super::{IdempotencyKey, InviteError, Patience, Planned};
use crate::domain::batch::{Entry, Line, Terms};
use crate::domain::ids::BatchNumber;
use crate::domain::progress::{Journalled, Progress};
use crate::remote::error::RemoteError;
use crate::remote::journal::{Claim, Journal, KeyRecord, StoreError, Take, Whereabouts};
use crate::service::claim::claim_letters;
use crate::service::report::{BatchReport, Window};
use crate::service::work::{Stopped, Work};
use crate::service::{Parts, Service};

/// Entries in one journal line: well under the megabyte that one append may have.
const ENTRIES_A_LINE: usize = 1_000;

/// How often a follower asks how far its twin is.
const FOLLOWING: Duration = Duration::from_millis(250);

impl Service {
    /// The batch that an earlier request with the same key and body made; `None` where none came of it.
    pub(in crate::service) async fn repeated(
        &self,
        key: &IdempotencyKey,
        patience: &Patience,
    ) -> Result<Option<BatchReport>, InviteError> {
        let Some(record) = self.0.store.key(&key.name).await? else {
            return Ok(None);
        };
        check_body(key, &record)?;
        self.follow(record.batch, None, patience).await
    }

    /// Makes the batch this plan's, or follows the twin that was first.
    pub(in crate::service) async fn accept(
        &self,
        mut planned: Planned,
        key: Option<IdempotencyKey>,
        patience: &Patience,
    ) -> Result<BatchReport, InviteError> {
        let keyed = key.is_some();
        if let Some(key) = key {
            let record = KeyRecord {
                batch: planned.terms.number,
                body_hash: key.body_hash.clone(),
            };
            if let Claim::Taken(first) = self.0.store.claim(&key.name, &record).await? {
                check_body(&key, &first)?;
                planned.terms.number = first.batch;
                return self
                    .follow(first.batch, Some(planned), patience)
                    .await?
                    .ok_or(InviteError::Busy);
            }
        }
        loop {
            let number = planned.terms.number;
            match self.0.store.create(number).await {
                Ok(journal) => return self.start(journal, planned, patience).await,
                // A twin saw the key and no journal yet, and made it: the batch is the twin's to begin.
                Err(StoreError::Exists(_)) if keyed => {
                    return self
                        .follow(number, Some(planned), patience)
                        .await?
                        .ok_or(InviteError::Busy);
                }
                Err(StoreError::Exists(_)) => {
                    planned.terms.number =
                        BatchNumber::from_random(self.0.chance.number(), number.urgency());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Journals the plan: from here on the batch is accepted. Then works on it while the caller waits.
    async fn start(
        &self,
        mut journal: Journal,
        planned: Planned,
        patience: &Patience,
    ) -> Result<BatchReport, InviteError> {
        let Planned {
            terms,
            mut entries,
            cooldown,
            budget,
        } = planned;
        claim_letters(&self.0, terms.number, &mut entries, cooldown).await?;
        let planned = journal_plan(&self.0, &mut journal, &terms, &entries).await?;
        if budget.left().is_zero() {
            // The caller is told to come again; what nobody was told of must not be sent.
            journal.discard().await?;
            return Err(InviteError::Busy);
        }
        journal.append(&[planned]).await?;
        tracing::info!(batch = %terms.number, contacts = entries.len(), "a batch is accepted");
        self.work(journal, Progress::new(terms, entries), true, patience)
            .await
    }

    /// Works on a batch while the caller waits, if it does.
    async fn work(
        &self,
        journal: Journal,
        progress: Progress,
        fresh: bool,
        patience: &Patience,
    ) -> Result<BatchReport, InviteError> {
        if !patience.works {
            return Ok(self.report(progress, Window::ALL).await);
        }
        let number = progress.terms.number;
        let work = Work::new(&self.0, journal, progress, patience.time.left());
        let (progress, result) = work.run(fresh).await;
        match result {
            Ok(()) | Err(Stopped::Remote(RemoteError::OutOfTime)) => {}
            Err(error) => {
                tracing::warn!(batch = %number, %error, "work on a batch stopped; the dispatcher goes on");
            }
        }
        Ok(self.report(progress, Window::ALL).await)
    }

    /// Follows a twin's batch: works on it if nobody does, else waits for it, for as long as there is patience.
    ///
    /// `None` where the first request died before its plan was whole and this one has not planned yet.
    async fn follow(
        &self,
        number: BatchNumber,
        planned: Option<Planned>,
        patience: &Patience,
    ) -> Result<Option<BatchReport>, InviteError> {
        loop {
            let late = patience.time.left() <= FOLLOWING;
            match self.0.store.read(number).await?.map(Journalled::fold) {
                Some(Journalled::Planned(progress)) if progress.ended.is_some() || late => {
                    return Ok(Some(self.report(*progress, Window::ALL).await));
                }
                _ if late => return Err(InviteError::Busy),
                _ => {}
            }
            match self.0.store.take(number).await? {
                Take::Ours(journal, lines) => match (Journalled::fold(lines), planned) {
                    (Journalled::Planned(progress), _) => {
                        return Ok(Some(self.work(*journal, *progress, false, patience).await?));
                    }
                    (Journalled::Unplanned, Some(planned)) => {
                        return Ok(Some(self.start(*journal, planned, patience).await?));
                    }
                    (Journalled::Unplanned, None) => return Ok(None),
                },
                Take::Gone if self.0.store.whereabouts(number).await? == Whereabouts::Nowhere => {
                    let Some(planned) = &planned else {
                        return Ok(None);
                    };
                    match self.0.store.create(number).await {
                        Ok(journal) => {
                            return Ok(Some(self.start(journal, planned.clone(), patience).await?));
                        }
                        Err(StoreError::Exists(_)) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Take::Gone | Take::Held => {}
            }
            let _ = patience.time.wait(FOLLOWING).await;
        }
    }
}

/// Writes a plan; gives the line that makes it whole, with which the batch is accepted.
pub(in crate::service) async fn journal_plan(
    parts: &Parts,
    journal: &mut Journal,
    terms: &Terms,
    entries: &[Entry],
) -> Result<Line, StoreError> {
    let number = || u128::from(parts.chance.number());
    let by = Uuid::from_u128(number() << 32 | number());
    let terms = Box::new(terms.clone());
    journal.append(&[Line::Terms { by, terms }]).await?;
    for entries in entries.chunks(ENTRIES_A_LINE) {
        let entries = entries.to_vec();
        journal.append(&[Line::Plan { by, entries }]).await?;
    }
    let count = entries.len();
    Ok(Line::Planned { by, count })
}

fn check_body(key: &IdempotencyKey, record: &KeyRecord) -> Result<(), InviteError> {
    if record.body_hash == key.body_hash {
        return Ok(());
    }
    Err(InviteError::KeyReused)
}
