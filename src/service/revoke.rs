//! Owns revoking an invitation: it is closed and its code removed, so that its link is dead for good.
//!
//! Only a redemption is stronger. A letter that is just leaving is not stopped: whoever follows its link is told by the
//! portal that the code is not valid.

use std::time::Duration;

use super::Service;
use super::claim::{Holder, holder};
use super::plan::{Maker, maker_of};
use crate::domain::batch::Seen;
use crate::domain::ids::InvitationId;
use crate::domain::invitation::{Invitation, Standing, Status};
use crate::remote::budget::Budget;
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::invitations::{Change, ChangeTo, Written};
use crate::remote::error::RemoteError;
use crate::remote::journal::StoreError;

/// A caller waits for this at most.
const TIME: Duration = Duration::from_mins(1);

/// Times a row may change under us before the caller is told to come again.
const MOST_ROUNDS: usize = 5;

/// Why an invitation is not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// No such invitation at this site.
    #[error("there is no such invitation")]
    Unknown,
    /// Its contact is in.
    #[error("the invitation was redeemed")]
    Redeemed,
    /// It was changed again and again.
    #[error("the invitation is being changed by someone else")]
    Contended,
    /// Dataverse could not be asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The batch store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A revoked invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Which.
    pub id: InvitationId,
    /// Whether a letter with its dead link may still arrive.
    pub letter_may_follow: bool,
}

impl Service {
    /// Closes an invitation and removes its code; again as often as asked.
    pub async fn revoke(&self, id: InvitationId) -> Result<Revocation, RevokeError> {
        let parts = &*self.0;
        let budget = Budget::within(&parts.clock, TIME);
        for _ in 0..MOST_ROUNDS {
            let row = parts.find(id, Codes::Included, &budget).await?;
            let row = row.ok_or(RevokeError::Unknown)?;
            if row.standing(parts.clock.now()) == Standing::Redeemed {
                return Err(RevokeError::Redeemed);
            }
            let closed = !row.active && row.code.is_none();
            if closed || self.close_for_good(&row, &budget).await? {
                let letter_may_follow = self.is_being_sent(&row).await?;
                tracing::info!(invitation = %id, letter_may_follow, "an invitation is revoked");
                return Ok(Revocation {
                    id,
                    letter_may_follow,
                });
            }
        }
        Err(RevokeError::Contended)
    }

    /// Whether the row was closed; otherwise somebody changed it, or nobody knows.
    async fn close_for_good(&self, row: &Invitation, budget: &Budget) -> Result<bool, RemoteError> {
        let change = Change::of(row, ChangeTo::Closed);
        let dataverse = &self.0.dataverse;
        let written = dataverse
            .change("revoke an invitation", &[change], budget)
            .await?;
        match written.into_iter().next() {
            Some(Ok(Written::Done)) => Ok(true),
            Some(Err(error @ RemoteError::Refused { .. })) => Err(error),
            _ => Ok(false),
        }
    }

    async fn is_being_sent(&self, row: &Invitation) -> Result<bool, StoreError> {
        let parts = &*self.0;
        if row.status == Status::New && maker_of(parts, row).await? == Maker::OpenBatch {
            return Ok(true);
        }
        let seen = Seen::of(row);
        let holder = holder(parts, seen, Duration::ZERO).await?;
        Ok(matches!(holder, Some(Holder::AtWork(_))))
    }
}
