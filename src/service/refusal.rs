//! Owns what a letter that surely did not leave means for its entry and for its mailbox.
//!
//! The recipient's fault ends the entry; the sender's rests the mailbox, for a day at most; anything passing waits.

use std::time::Duration;

use super::compose::Ready;
use super::work::{Stopped, Work};
use crate::domain::batch::RestCause;
use crate::domain::invitation::{Invitation, Standing};
use crate::domain::outcome::{Outcome, OutcomeKind, Reason, ReasonCode};
use crate::domain::progress::Item;
use crate::remote::dataverse::Codes;
use crate::remote::error::{Refusal, RemoteError};
use crate::remote::graph::Answer;

/// How long a mailbox rests that is refused or has used up its day.
pub(super) const LONG_REST: Duration = Duration::from_hours(1);

/// How long a mailbox may be refused before its letters are given up: rights take hours to arrive.
/// <https://learn.microsoft.com/exchange/permissions-exo/application-rbac>
pub(super) const PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

impl Work<'_> {
    /// Whether a mailbox has been refused for so long that its letters are given up.
    pub(super) fn out_of_patience(&self, mailbox: &str) -> bool {
        let rest = self
            .rest_of(mailbox)
            .filter(|rest| rest.cause == RestCause::Refused);
        rest.is_some_and(|rest| self.parts.clock.now().duration_since(rest.since) >= PATIENCE)
    }

    /// Deals with letters that surely did not leave: the recipient's fault ends the entry, the sender's rests the
    /// mailbox, anything passing waits.
    pub(super) async fn after_refusals(
        &self,
        mailbox: &str,
        refused: Vec<(Ready, Answer<()>)>,
    ) -> Result<(), Stopped> {
        let mut rest: Option<(Duration, RestCause)> = None;
        let mut outcomes = Vec::new();
        for (ready, answer) in refused {
            match answer {
                Answer::Wait(wait) => rest = rest.or(Some((wait, RestCause::Throttled))),
                Answer::Refused(refusal) => match blame(&refusal) {
                    Blame::Quota => rest = Some((LONG_REST, RestCause::Quota)),
                    Blame::Sender => rest = Some((LONG_REST, RestCause::Refused)),
                    Blame::Recipient => {
                        outcomes.extend(
                            self.refuse_recipient(ready.place, &ready.row, &refusal)
                                .await?,
                        );
                    }
                },
                Answer::Done(()) | Answer::Unclear(_) => {
                    self.wait_with([ready.place], Duration::from_secs(5));
                }
            }
        }
        self.settle(outcomes).await?;
        match rest {
            Some((wait, cause)) => self.rest(mailbox, wait, cause).await,
            None => Ok(()),
        }
    }

    /// Ends an entry whose recipient Exchange refuses.
    pub(super) async fn refuse_recipient(
        &self,
        place: usize,
        row: &Invitation,
        refusal: &Refusal,
    ) -> Result<Option<(usize, Outcome)>, Stopped> {
        let reason = Reason {
            code: ReasonCode::RecipientRefused,
            detail: Some(refusal.to_string().into_boxed_str()),
        };
        let outcome = Outcome::without(OutcomeKind::Failed, reason);
        let closed = self.close_for(row, outcome).await?;
        Ok(closed.map(|outcome| (place, outcome)))
    }

    /// Ends entries for good, closing rows that no letter was ever sent for.
    pub(super) async fn give_up(
        &self,
        items: &[(usize, Item)],
        code: ReasonCode,
    ) -> Result<(), Stopped> {
        let mut outcomes = Vec::new();
        for (place, item) in items {
            let outcome = Outcome::without(OutcomeKind::Failed, code);
            let id = item.invitation();
            let row = match id {
                Some(id) => {
                    self.parts
                        .dataverse
                        .invitation(id, Codes::Left, &self.budget)
                        .await?
                }
                None => None,
            };
            let unsent = row.filter(|row| row.standing(self.parts.clock.now()) == Standing::Unsent);
            let closed = match &unsent {
                Some(row) => self.close_for(row, outcome).await?,
                None => Some(outcome),
            };
            outcomes.extend(closed.map(|outcome| (*place, outcome)));
        }
        self.settle(outcomes).await
    }
}

pub(super) enum Blame {
    Quota,
    Sender,
    Recipient,
}

/// <https://learn.microsoft.com/graph/errors>
pub(super) fn blame(refusal: &Refusal) -> Blame {
    match refusal.status {
        // The day's limit is told with several statuses, so its code decides.
        _ if refusal.code == "ErrorExceededMessageLimit" => Blame::Quota,
        429 => Blame::Quota,
        401 | 403 | 404 | 405 | 507 => Blame::Sender,
        _ => Blame::Recipient,
    }
}

/// A draft that was sent, or is being sent, is not there to be sent again.
pub(super) fn draft_is_gone(refusal: &Refusal) -> bool {
    let about_recipient = refusal.code.contains("Recipient");
    refusal.code == "ErrorItemNotFound" || (refusal.status == 400 && !about_recipient)
}

/// A call that failed as a whole says the same about each letter in it.
pub(super) fn as_answer(error: &RemoteError) -> Answer<()> {
    match error {
        RemoteError::Throttled { wait, .. } => Answer::Wait(*wait),
        RemoteError::Refused { refusal, .. } => Answer::Refused(refusal.clone()),
        RemoteError::Unclear { detail, .. } | RemoteError::Unreadable { detail, .. } => {
            Answer::Unclear(detail.clone())
        }
        RemoteError::NotSent { .. }
        | RemoteError::Identity { .. }
        | RemoteError::OutOfTime
        | RemoteError::LeaseLost => Answer::Wait(Duration::from_secs(1)),
    }
}
