//! Owns what a standing invitation becomes before a letter about it goes out again.
//!
//! Rows made by hand or by a flow often have no limit: their codes can be redeemed again and again, and for ever.
//! What we send can be redeemed once, until a day that the letter names. One that is extended or opened again gets
//! its new expiry first as well: a letter never promises what its row does not keep.

use super::work::{Stopped, Work};
use crate::domain::batch::Plan;
use crate::domain::invitation::{Invitation, Kind, Standing, Status};
use crate::domain::outcome::{Outcome, OutcomeKind, Reason, ReasonCode};
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::invitations::{Change, ChangeTo, Written};
use crate::remote::error::RemoteError;
use crate::remote::journal::Whereabouts;

/// What became of preparing a row.
pub(super) enum Prepared {
    /// It is as its letter needs it.
    Row(Box<Invitation>),
    /// It changed under us, or nobody knows: look at it again.
    Changed,
    /// It cannot be sent.
    Refused(Outcome),
}

/// Who else has an invitation of the same contact that can be redeemed.
pub(super) enum Rival {
    /// A letter about this one went out, or may have: it stands.
    Stands(Outcome),
    /// A batch is just about to send it, or to find out that ours was there first.
    Undecided,
}

impl Work<'_> {
    /// What a row lacks for its letter.
    pub(super) fn missing(&self, row: &Invitation, plan: &Plan) -> Option<ChangeTo> {
        let until = self.terms.expires;
        let expires = match plan {
            Plan::Adopt(_) => row.expires.is_none(),
            Plan::Extend(_) | Plan::Reopen(_) => row.expires.is_none_or(|expires| expires < until),
            _ => return None,
        };
        let reopened = matches!(plan, Plan::Reopen(_)) && !row.active;
        let limited = row.kind == Kind::Single && row.maximum_redemptions == Some(1);
        (expires || reopened || !limited).then_some(ChangeTo::Bounded {
            expires: expires.then_some(until),
            reopened,
        })
    }

    /// Whether an expired row is to be opened again, and still can be.
    pub(super) fn reopens(&self, plan: &Plan, standing: Standing) -> bool {
        let in_time = self.parts.clock.now() < self.terms.expires;
        matches!(plan, Plan::Reopen(_)) && standing == Standing::Expired && in_time
    }

    /// Gives a row what it lacks.
    pub(super) async fn prepare(
        &self,
        row: &Invitation,
        plan: &Plan,
        to: ChangeTo,
    ) -> Result<Prepared, Stopped> {
        if row.kind == Kind::Group {
            return Ok(Prepared::Refused(failed(row, ReasonCode::Conflict)));
        }
        let change = Change::of(row, to);
        let written = self
            .parts
            .dataverse
            .change("prepare an invitation", &[change], &self.budget)
            .await?;
        match written.into_iter().next() {
            Some(Ok(Written::Done)) => self.check_prepared(row, plan).await,
            Some(Ok(Written::Gone)) => Ok(Prepared::Refused(failed(row, ReasonCode::Conflict))),
            Some(Err(RemoteError::Refused { refusal, .. })) => {
                let reason = Reason {
                    code: ReasonCode::DataverseRefused,
                    detail: Some(refusal.to_string().into_boxed_str()),
                };
                Ok(Prepared::Refused(failed(row, reason)))
            }
            _ => Ok(Prepared::Changed),
        }
    }

    /// Reads the row as it is stored now: a process may undo what was just written.
    async fn check_prepared(&self, before: &Invitation, plan: &Plan) -> Result<Prepared, Stopped> {
        let dataverse = &self.parts.dataverse;
        let row = dataverse
            .invitation(before.id, Codes::Included, &self.budget)
            .await?;
        let conflict = || Prepared::Refused(failed(before, ReasonCode::Conflict));
        let Some(row) = row else {
            return Ok(conflict());
        };
        Ok(match row.standing(self.parts.clock.now()) {
            // Somebody redeemed or closed it in between: it is judged anew.
            Standing::Redeemed | Standing::Revoked => Prepared::Changed,
            _ if self.missing(&row, plan).is_some() => conflict(),
            Standing::Expired => Prepared::Changed,
            Standing::Unsent | Standing::Pending => Prepared::Row(Box::new(row)),
        })
    }

    /// Another invitation of the same contact that stands beside one that was opened again.
    ///
    /// A batch that creates an invitation looks for older ones before its letter, and gives way. So an invitation that
    /// is opened again gives way only to one whose batch cannot do so any more.
    pub(super) async fn rival(
        &self,
        own: &Invitation,
        rows: &[Invitation],
    ) -> Result<Option<Rival>, Stopped> {
        let (now, site) = (self.parts.clock.now(), self.parts.policy.site.website());
        let others = rows.iter().filter(|row| row.id != own.id);
        let mut rival = None;
        for row in others.filter(|row| row.is_pending_for(now, site)) {
            let undecided = match row.batch.filter(|_| row.status == Status::New) {
                Some(batch) => self.parts.store.whereabouts(batch).await? == Whereabouts::Open,
                None => false,
            };
            if !undecided {
                let kept = Outcome::about(OutcomeKind::Kept, row.id, row.expires);
                return Ok(Some(Rival::Stands(kept)));
            }
            rival = Some(Rival::Undecided);
        }
        Ok(rival)
    }

    /// Closes what this batch has opened again; `None` where that must be tried again.
    pub(super) async fn close_again(
        &self,
        row: &Invitation,
        outcome: Outcome,
    ) -> Result<Option<Outcome>, Stopped> {
        if !row.active {
            return Ok(Some(outcome));
        }
        let change = Change::of(row, ChangeTo::Closed);
        let written = self
            .parts
            .dataverse
            .change("close an invitation", &[change], &self.budget)
            .await?;
        Ok(match written.into_iter().next() {
            Some(Ok(Written::Done | Written::Gone)) => Some(outcome),
            // To ask again would get the same answer, for ever.
            Some(Err(error @ RemoteError::Refused { .. })) => {
                tracing::error!(invitation = %row.id, %error, "an invitation that was opened again cannot be closed");
                Some(outcome)
            }
            _ => None,
        })
    }
}

fn failed(row: &Invitation, reason: impl Into<Reason>) -> Outcome {
    Outcome::about(OutcomeKind::Failed, row.id, row.expires).because(reason)
}
