//! Owns the taking over of an invitation that someone else prepared, before its letter is made.
//!
//! Rows made by hand or by a flow often have no limit: their codes can be redeemed again and again, and for ever.
//! What we send can be redeemed once, until a day that the letter names.

use super::work::{Stopped, Work};
use crate::domain::batch::Plan;
use crate::domain::invitation::{Invitation, Kind, Standing};
use crate::domain::outcome::{Outcome, OutcomeKind, Reason, ReasonCode};
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::invitations::{Change, ChangeTo, Written};
use crate::remote::error::RemoteError;

/// What became of taking a row over.
pub(super) enum Adopted {
    /// It has its limits now.
    Row(Box<Invitation>),
    /// It changed under us, or nobody knows: look at it again.
    Changed,
    /// It cannot be sent.
    Refused(Outcome),
}

/// Whether a row must get its limits before its letter.
pub(super) fn needs_adopting(row: &Invitation, plan: &Plan) -> bool {
    matches!(plan, Plan::Adopt(_)) && !has_limits(row)
}

fn has_limits(row: &Invitation) -> bool {
    row.kind == Kind::Single && row.maximum_redemptions == Some(1) && row.expires.is_some()
}

impl Work<'_> {
    /// Gives a row the limits that it lacks.
    pub(super) async fn adopt(&self, row: &Invitation) -> Result<Adopted, Stopped> {
        if row.kind == Kind::Group {
            return Ok(Adopted::Refused(failed(row, ReasonCode::Conflict)));
        }
        let change = Change {
            id: row.id,
            version: row.version.clone(),
            to: ChangeTo::Bounded {
                expires: row.expires.is_none().then_some(self.terms.expires),
            },
        };
        let written = self
            .parts
            .dataverse
            .change("limit an invitation", &[change], &self.budget)
            .await?;
        match written.into_iter().next() {
            Some(Ok(Written::Done)) => self.check_limits(row).await,
            Some(Ok(Written::Gone)) => Ok(Adopted::Refused(failed(row, ReasonCode::Conflict))),
            Some(Err(RemoteError::Refused { refusal, .. })) => {
                let reason = Reason {
                    code: ReasonCode::DataverseRefused,
                    detail: Some(refusal.to_string().into_boxed_str()),
                };
                Ok(Adopted::Refused(failed(row, reason)))
            }
            _ => Ok(Adopted::Changed),
        }
    }

    /// Reads the row as it is stored now: a process may undo what was just written.
    async fn check_limits(&self, before: &Invitation) -> Result<Adopted, Stopped> {
        let dataverse = &self.parts.dataverse;
        let row = dataverse
            .invitation(before.id, Codes::Included, &self.budget)
            .await?;
        let conflict = || Adopted::Refused(failed(before, ReasonCode::Conflict));
        let Some(row) = row.filter(has_limits) else {
            return Ok(conflict());
        };
        Ok(match row.standing(self.parts.clock.now()) {
            Standing::Unsent | Standing::Pending => Adopted::Row(Box::new(row)),
            // Somebody redeemed or closed it in between: it is judged anew.
            Standing::Redeemed | Standing::Expired | Standing::Revoked => Adopted::Changed,
        })
    }
}

fn failed(row: &Invitation, reason: impl Into<Reason>) -> Outcome {
    Outcome::about(OutcomeKind::Failed, row.id, row.expires).because(reason)
}
