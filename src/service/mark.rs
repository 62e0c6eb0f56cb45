//! Owns the marking of a row as Sent once its letter is accepted.
//!
//! A recipient may redeem seconds after the letter, so the mark is conditional and a redeemed row is left alone.
//! The mailed code wins: a process that replaced the code meanwhile is healed, because the letter is out.

use std::time::Duration;

use jiff::Timestamp;

use super::work::{Stopped, Work};
use crate::domain::ids::{BatchNumber, InvitationId};
use crate::domain::invitation::{Invitation, Standing, Status, Version};
use crate::domain::invitation_code::InvitationCode;
use crate::domain::outcome::{Outcome, OutcomeKind, Reason, ReasonCode};
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::invitations::{Change, ChangeTo, Written};
use crate::remote::error::RemoteError;

/// Times a row may change under us before the mark is left to the next worker.
const MOST_ROUNDS: usize = 5;

/// A letter that Exchange has accepted, and the row it belongs to.
#[derive(Clone, Debug)]
pub(super) struct Mailed {
    pub(super) place: usize,
    pub(super) id: InvitationId,
    pub(super) version: Version,
    /// The batch that created the row.
    pub(super) batch: Option<BatchNumber>,
    /// The code that the letter carries; unknown where the letter cannot be found any more.
    pub(super) code: Option<InvitationCode>,
    pub(super) expires: Option<Timestamp>,
}

enum Marked {
    Settled(Outcome),
    /// The row changed: try again with what it is now.
    Again(Box<Mailed>),
    /// Not before this wait is over.
    Later(Duration),
}

impl Work<'_> {
    /// Marks rows as Sent and records the outcome of each.
    pub(super) async fn mark(&self, mut mailed: Vec<Mailed>) -> Result<(), Stopped> {
        for _ in 0..MOST_ROUNDS {
            if mailed.is_empty() {
                return Ok(());
            }
            mailed = self.mark_once(mailed).await?;
        }
        self.wait_with(
            mailed.iter().map(|mailed| mailed.place),
            Duration::from_secs(5),
        );
        Ok(())
    }

    /// One round; gives back those whose row had changed.
    async fn mark_once(&self, mailed: Vec<Mailed>) -> Result<Vec<Mailed>, Stopped> {
        let changes: Vec<_> = mailed
            .iter()
            .map(|mailed| Change {
                id: mailed.id,
                version: mailed.version.clone(),
                to: ChangeTo::Sent(mailed.code.clone()),
            })
            .collect();
        let written = self
            .parts
            .dataverse
            .change("mark invitations as sent", &changes, &self.budget)
            .await;
        let written = match written {
            Ok(written) => written,
            Err(error @ (RemoteError::LeaseLost | RemoteError::OutOfTime)) => {
                return Err(error.into());
            }
            Err(error) => vec![Err(error); mailed.len()],
        };
        let (mut again, mut outcomes) = (Vec::new(), Vec::new());
        for (mailed, written) in mailed.into_iter().zip(written) {
            let place = mailed.place;
            match self.after_mark(mailed, written).await? {
                Marked::Settled(outcome) => outcomes.push((place, outcome)),
                Marked::Again(mailed) => again.push(*mailed),
                Marked::Later(wait) => self.wait_with([place], wait),
            }
        }
        self.settle(outcomes).await?;
        Ok(again)
    }

    async fn after_mark(
        &self,
        mailed: Mailed,
        written: Result<Written, RemoteError>,
    ) -> Result<Marked, Stopped> {
        let sent = Outcome::about(OutcomeKind::Sent, mailed.id, mailed.expires);
        match written {
            Ok(Written::Done) => Ok(Marked::Settled(sent)),
            Ok(Written::Gone) => {
                tracing::warn!(invitation = %mailed.id, "an invitation was deleted after its letter was accepted");
                Ok(Marked::Settled(sent))
            }
            Ok(Written::Refused) => self.after_change(mailed).await,
            Err(RemoteError::Refused { refusal, .. }) => {
                tracing::error!(invitation = %mailed.id, %refusal, "a letter is out, and its row cannot be marked");
                let reason = Reason {
                    code: ReasonCode::DataverseRefused,
                    detail: Some("the letter went out; its row could not be marked as sent".into()),
                };
                Ok(Marked::Settled(sent.because(reason)))
            }
            Err(RemoteError::Throttled { wait, .. }) => Ok(Marked::Later(wait)),
            Err(_) => Ok(Marked::Later(Duration::from_secs(5))),
        }
    }

    /// Someone changed the row between our reading and our marking.
    async fn after_change(&self, mailed: Mailed) -> Result<Marked, Stopped> {
        let row = self
            .parts
            .dataverse
            .invitation(mailed.id, Codes::Included, &self.budget)
            .await?;
        let sent = Outcome::about(OutcomeKind::Sent, mailed.id, mailed.expires);
        // An id that was deleted may come back with another batch.
        let Some(row) = row.filter(|row| row.batch == mailed.batch) else {
            return Ok(Marked::Settled(sent));
        };
        match row.standing(self.parts.clock.now()) {
            Standing::Redeemed => Ok(Marked::Settled(sent)),
            _ if !row.active => {
                tracing::warn!(invitation = %row.id, "an invitation was closed while its letter left: its link is dead");
                Ok(Marked::Settled(sent))
            }
            _ if is_marked(&row, mailed.code.as_ref()) => Ok(Marked::Settled(sent)),
            _ => {
                warn_if_overwritten(&row, mailed.code.as_ref());
                let version = row.version;
                Ok(Marked::Again(Box::new(Mailed { version, ..mailed })))
            }
        }
    }
}

/// Our own mark whose answer was lost, or one that comes to the same.
fn is_marked(row: &Invitation, code: Option<&InvitationCode>) -> bool {
    let same_code = match (code, &row.code) {
        (None, _) => true,
        (Some(mailed), Some(stored)) => mailed.same_as(stored),
        (Some(_), None) => false,
    };
    row.status == Status::Sent && same_code
}

fn warn_if_overwritten(row: &Invitation, code: Option<&InvitationCode>) {
    let overwritten = code.is_some_and(|mailed| {
        !row.code
            .as_ref()
            .is_some_and(|stored| stored.same_as(mailed))
    });
    if overwritten {
        tracing::warn!(
            invitation = %row.id,
            "a process replaced the code after the letter was made; the mailed code is put back. \
             Look for a workflow or plug-in on adx_invitation that makes codes"
        );
    }
}
