//! Owns the closing of invitations that are past their expiry.
//!
//! The portal never closes them, so they look pending for ever. Each row is judged by the domain and closed only
//! in the version that was read; its code stays, so that a resend can reopen it. Runs may overlap or come late:
//! a row that changed is left to the next run.

use std::time::Duration;

use futures::future::join_all;
use serde::Serialize;
use url::Url;

use super::Service;
use crate::domain::ids::InvitationId;
use crate::domain::invitation::Invitation;
use crate::remote::budget::Budget;
use crate::remote::dataverse::invitations::{Change, ChangeTo, Written};
use crate::remote::error::RemoteError;

mod stride;

use stride::Stride;

/// Timer work ends by this; the next tick goes on.
const TIME: Duration = Duration::from_secs(50);

/// What a run did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepTally {
    /// Rows that were past their expiry.
    pub examined: usize,
    /// Rows closed; in a dry run, rows that would be.
    pub closed: usize,
    /// Rows that changed under us and were left alone.
    pub changed: usize,
    /// Rows that Dataverse would not close.
    pub failed: usize,
    /// Whether time ran out before the end: the next run goes on.
    pub more: bool,
    /// Finished journals and keys removed because of their age.
    pub journals_removed: usize,
}

/// What a dry run would close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WouldClose {
    /// The row.
    pub id: InvitationId,
    /// Its name.
    pub name: String,
    /// Its expiry.
    pub expires: Option<jiff::Timestamp>,
}

impl Service {
    /// Closes expired invitations until there are none left or the time is up.
    pub async fn sweep(&self) -> Result<SweepTally, RemoteError> {
        let budget = Budget::within(&self.0.clock, TIME);
        let mut tally = SweepTally::default();
        match self.sweep_pages(&budget, &mut tally).await {
            Ok(()) => {}
            // Running out of time, also in the middle of a call, is how a long sweep ends.
            Err(RemoteError::OutOfTime | RemoteError::Throttled { .. }) => tally.more = true,
            Err(_) if budget.left().is_zero() => tally.more = true,
            Err(error) => return Err(error),
        }
        match self.0.store.expire(self.0.policy.keep).await {
            Ok(removed) => tally.journals_removed = removed,
            Err(error) => tracing::warn!(%error, "old journals could not be removed"),
        }
        Ok(tally)
    }

    /// What [`Service::sweep`] would close now; changes nothing.
    pub async fn preview_sweep(&self) -> Result<Vec<WouldClose>, RemoteError> {
        let budget = Budget::within(&self.0.clock, Duration::from_mins(10));
        let (mut would_close, mut page) = (Vec::new(), None);
        loop {
            let (due, next) = self.expired_page(page, &budget).await?;
            would_close.extend(due.into_iter().map(|row| WouldClose {
                id: row.id,
                name: row.name,
                expires: row.expires,
            }));
            match next {
                Some(next) => page = Some(next),
                None => return Ok(would_close),
            }
        }
    }

    async fn sweep_pages(
        &self,
        budget: &Budget,
        tally: &mut SweepTally,
    ) -> Result<(), RemoteError> {
        let (mut page, mut stride) = (None, Stride::default());
        loop {
            // Rows that there is no time to close need not be read.
            stride
                .next(1, 1, budget.left())
                .ok_or(RemoteError::OutOfTime)?;
            let (due, next) = self.expired_page(page, budget).await?;
            tally.examined += due.len();
            let due = due.into_iter();
            let changes: Vec<_> = due.map(|row| Change::of(&row, ChangeTo::Expired)).collect();
            self.close_all(&changes, &mut stride, (budget, &mut *tally))
                .await?;
            match next {
                Some(next) => page = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn expired_page(
        &self,
        page: Option<Url>,
        budget: &Budget,
    ) -> Result<(Vec<Invitation>, Option<Url>), RemoteError> {
        let (now, scope) = (self.0.clock.now(), self.0.policy.sweep_scope);
        let page = self.0.dataverse.expired(now, scope, page, budget).await?;
        let due = page
            .invitations
            .into_iter()
            .filter(|row| row.sweepable(now, scope));
        Ok((due.collect(), page.next))
    }

    /// Closes rows by several calls at once, which take up to half of the way out: somebody else may be in a hurry.
    async fn close_all(
        &self,
        mut changes: &[Change],
        stride: &mut Stride,
        (budget, tally): (&Budget, &mut SweepTally),
    ) -> Result<(), RemoteError> {
        while !changes.is_empty() {
            let calls = if stride.is_known() {
                (self.0.dataverse.width() / 2).max(1)
            } else {
                1
            };
            let writes = stride.next(changes.len(), calls, budget.left());
            let writes = writes.ok_or(RemoteError::OutOfTime)?;
            let (round, rest) = changes.split_at(changes.len().min(writes * calls));
            let begun = budget.left();
            // None is dropped in the middle because another one failed.
            let closed = join_all(
                round
                    .chunks(writes)
                    .map(|changes| self.close(changes, budget)),
            )
            .await;
            stride.learn(writes, begun.saturating_sub(budget.left()));
            for done in closed.iter().flatten() {
                tally.add(done);
            }
            closed.into_iter().collect::<Result<Vec<_>, _>>()?;
            changes = rest;
        }
        Ok(())
    }

    async fn close(&self, changes: &[Change], budget: &Budget) -> Result<SweepTally, RemoteError> {
        let written = self
            .0
            .dataverse
            .change("close expired invitations", changes, budget)
            .await?;
        let (mut tally, mut first) = (SweepTally::default(), None);
        for (change, written) in changes.iter().zip(written) {
            match written {
                Ok(Written::Done) => tally.closed += 1,
                Ok(Written::Refused | Written::Gone) => tally.changed += 1,
                Err(RemoteError::Throttled { .. }) => tally.more = true,
                Err(error) => {
                    tally.failed += 1;
                    first.get_or_insert((change.id, error));
                }
            }
        }
        // A process that refuses one row is likely to refuse a thousand: one line says it.
        if let Some((invitation, error)) = first {
            tracing::warn!(failed = tally.failed, %invitation, %error, "an expired invitation was not closed");
        }
        Ok(tally)
    }
}

impl SweepTally {
    fn add(&mut self, other: &Self) {
        self.closed += other.closed;
        self.changed += other.changed;
        self.failed += other.failed;
        self.more |= other.more;
    }
}
