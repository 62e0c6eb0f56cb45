//! Owns the creating of a batch's rows, and what a row that is already there means.
//!
//! A row is created only where none is with its planned id, so of racing requests one creates it and the others
//! find it. A lost answer is harmless: the row that is found then carries our own number.

use futures::StreamExt;

use super::work::{Stopped, Work};
use crate::domain::batch::Plan;
use crate::domain::ids::{ContactId, InvitationId};
use crate::domain::invitation::{Invitation, Standing};
use crate::domain::outcome::{Outcome, OutcomeKind, Reason, ReasonCode};
use crate::domain::progress::Stage;
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::invitations::{Change, ChangeTo, NewRows, WRITES_A_BATCH, Written};
use crate::remote::error::RemoteError;

/// Passes over rows whose creation was throttled or unclear; what is left then is for the next worker.
const MOST_PASSES: usize = 3;

impl Work<'_> {
    /// Creates the rows that are missing.
    pub(super) async fn create_rows(&self) -> Result<(), Stopped> {
        for _ in 0..MOST_PASSES {
            let missing = self.missing_rows();
            if missing.is_empty() {
                return Ok(());
            }
            if self.parts.clock.now() >= self.terms.expires {
                return self.settle(too_late(&missing)).await;
            }
            let chunks = self.chunks(&missing);
            let width = self.parts.dataverse.width();
            let creating = futures::stream::iter(chunks)
                .map(|chunk| async move { self.create_chunk(&chunk).await })
                .buffer_unordered(width);
            // No chunk is dropped between its writes because another one failed.
            let created: Vec<_> = creating.collect().await;
            created.into_iter().collect::<Result<Vec<()>, _>>()?;
        }
        Ok(())
    }

    pub(super) fn missing_rows(&self) -> Vec<usize> {
        let untried = self.places(|item| item.stage == Stage::Untried && !item.attempted);
        let rows = self.rows.there();
        untried
            .into_iter()
            .filter(|place| !rows.contains(place))
            .collect()
    }

    /// So many entries together as one call has writes for.
    fn chunks(&self, places: &[usize]) -> Vec<Vec<usize>> {
        let (mut chunks, mut writes) = (Vec::<Vec<usize>>::new(), 0);
        let progress = self.lock();
        for place in places {
            let plan = &progress.items[*place].entry.plan;
            let more = 1 + self.terms.bound.roles.len() + plan.replaced().len();
            if chunks.is_empty() || writes + more > WRITES_A_BATCH {
                chunks.push(Vec::new());
                writes = 0;
            }
            writes += more;
            chunks
                .last_mut()
                .into_iter()
                .for_each(|chunk| chunk.push(*place));
        }
        chunks
    }

    async fn create_chunk(&self, places: &[usize]) -> Result<(), Stopped> {
        self.patience.permit(true)?;
        let items = self.items(places);
        let (rows, mut outcomes) = self.rows_to_create(&items).await?;
        let written = self
            .parts
            .dataverse
            .create(
                &self.new_rows(),
                rows.iter().map(|(_, row)| row),
                &self.budget,
            )
            .await?;
        let (mut created, mut exist, mut throttled) = (Vec::new(), Vec::new(), None);
        for ((place, row), written) in rows.iter().zip(written) {
            match written {
                Ok(Written::Done) => created.push(*place),
                Ok(Written::Refused) => exist.push((*place, row.id)),
                Ok(Written::Gone) if self.still_there(&row.closes).await? => {
                    outcomes.push((*place, nothing_to_bind()));
                }
                // One of those it replaces was deleted: the next pass does without.
                Ok(Written::Gone) => {}
                Err(RemoteError::Refused { refusal, .. }) => {
                    outcomes.push((*place, refused(refusal.to_string())));
                }
                Err(error @ RemoteError::Throttled { .. }) => throttled = Some(error),
                Err(error) => {
                    tracing::warn!(batch = %self.terms.number, %error, "a row was not created yet");
                }
            }
        }
        for (place, found) in self.read_existing(&exist).await? {
            match self.judge_existing(&found) {
                Existing::Ours => created.push(place),
                Existing::Settled(outcome) => outcomes.push((place, outcome)),
            }
        }
        self.settle(outcomes).await?;
        self.rows.add(&created);
        if !self.terms.send_email {
            self.hand_over(&created).await?;
        }
        throttled.map_or(Ok(()), |error| Err(error.into()))
    }

    async fn read_existing(
        &self,
        exist: &[(usize, InvitationId)],
    ) -> Result<Vec<(usize, Invitation)>, Stopped> {
        let ids: Vec<_> = exist.iter().map(|(_, id)| *id).collect();
        let found = self
            .parts
            .dataverse
            .invitations(&ids, Codes::Left, &self.budget)
            .await?;
        let places = exist.iter().map(|(place, _)| *place);
        // A row that is not there is created in the next pass: it is gone again, or one that it replaces had changed.
        Ok(places
            .zip(found)
            .filter_map(|(place, row)| Some((place, row?)))
            .collect())
    }

    /// What a row with our planned id means that we did not just create.
    fn judge_existing(&self, row: &Invitation) -> Existing {
        if row.batch == Some(self.terms.number) {
            return Existing::Ours;
        }
        Existing::Settled(self.after_another(row))
    }

    /// How an entry ends whose planned row another batch has created.
    pub(super) fn after_another(&self, row: &Invitation) -> Outcome {
        let about = |kind| Outcome::about(kind, row.id, row.expires);
        match row.standing(self.parts.clock.now()) {
            Standing::Unsent => about(OutcomeKind::Kept).because(ReasonCode::InProgress),
            Standing::Pending => about(OutcomeKind::Kept),
            Standing::Redeemed => {
                about(OutcomeKind::Skipped).because(ReasonCode::AlreadyRegistered)
            }
            Standing::Expired | Standing::Revoked => {
                about(OutcomeKind::Failed).because(ReasonCode::Conflict)
            }
        }
    }

    /// Whether a row that this batch once created is another batch's by now: somebody deleted ours, and the other
    /// one planned the same id.
    pub(super) fn is_anothers(&self, plan: &Plan, row: &Invitation) -> bool {
        let other = |batch| batch != self.terms.number;
        plan.seen().is_none() && row.batch.is_some_and(other)
    }

    fn new_rows(&self) -> NewRows<'_> {
        NewRows {
            batch: self.terms.number,
            expires: self.terms.expires,
            as_sent: !self.terms.send_email,
            bound: &self.terms.bound,
            website: self.parts.policy.site.website(),
            owner: self.parts.policy.owner,
        }
    }

    /// Settles rows whose links the caller hands over: no letter follows, so being there is the end.
    pub(super) async fn hand_over(&self, places: &[usize]) -> Result<(), Stopped> {
        let items = self.items(places);
        let contacts: Vec<ContactId> = items.iter().map(|(_, item)| item.entry.contact).collect();
        if contacts.is_empty() {
            return Ok(());
        }
        let survey = self
            .parts
            .dataverse
            .survey(&contacts, Codes::Left, &self.budget)
            .await?;
        let mut outcomes = Vec::new();
        for (place, item) in &items {
            let rows = survey.invitations_of(item.entry.contact);
            let own = rows.iter().find(|row| Some(row.id) == item.invitation());
            let outcome = match own {
                None => Outcome::without(OutcomeKind::Failed, ReasonCode::Conflict),
                Some(own) => match self.older_pending(own, rows).await? {
                    None => Outcome::about(OutcomeKind::Created, own.id, own.expires),
                    Some(older) => {
                        let kept = Outcome::about(OutcomeKind::Kept, older.id, older.expires);
                        let Some(outcome) = self.close_for(own, kept).await? else {
                            continue;
                        };
                        outcome
                    }
                },
            };
            outcomes.push((*place, outcome));
        }
        self.settle(outcomes).await
    }

    /// Another pending row of ours for the same contact that was there first.
    pub(super) async fn older_pending<'r>(
        &self,
        own: &Invitation,
        rows: &'r [Invitation],
    ) -> Result<Option<&'r Invitation>, Stopped> {
        let (now, site) = (self.parts.clock.now(), self.parts.policy.site.website());
        for row in rows
            .iter()
            .filter(|row| row.id != own.id && row.is_pending_for(now, site))
        {
            let Some(batch) = row
                .batch
                .filter(|_| (row.created, row.id) < (own.created, own.id))
            else {
                continue;
            };
            let whereabouts = self.parts.store.whereabouts(batch).await?;
            if whereabouts != crate::remote::journal::Whereabouts::Nowhere {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Closes a row that this batch created, then gives the outcome; `None` where that must be tried again.
    ///
    /// A row that has changed meanwhile is left alone: someone else decided about it.
    pub(super) async fn close_for(
        &self,
        row: &Invitation,
        outcome: Outcome,
    ) -> Result<Option<Outcome>, Stopped> {
        let redeemed = row.standing(self.parts.clock.now()) == Standing::Redeemed;
        if row.batch != Some(self.terms.number) || !row.active || redeemed {
            return Ok(Some(outcome));
        }
        let change = Change::of(row, ChangeTo::Closed);
        let written = self
            .parts
            .dataverse
            .change("close an invitation", &[change], &self.budget)
            .await?;
        Ok(match written.into_iter().next() {
            Some(Ok(_) | Err(RemoteError::Refused { .. })) => Some(outcome),
            _ => None,
        })
    }
}

enum Existing {
    Ours,
    Settled(Outcome),
}

fn too_late(places: &[usize]) -> Vec<(usize, Outcome)> {
    let expired = || Outcome::without(OutcomeKind::Failed, ReasonCode::Expired);
    places.iter().map(|place| (*place, expired())).collect()
}

/// A create names rows to bind; the service answers "no such row" when one of them has gone since planning.
fn nothing_to_bind() -> Outcome {
    refused("the contact, or another row that the invitation points to, is gone".to_owned())
}

fn refused(detail: String) -> Outcome {
    let reason = Reason {
        code: ReasonCode::DataverseRefused,
        detail: Some(detail.into_boxed_str()),
    };
    Outcome::without(OutcomeKind::Failed, reason)
}
