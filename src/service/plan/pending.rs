//! Owns what a request does about a contact with pending invitations: `whenPending`, case by case.
//!
//! What matters is whose the newest one is and whether its letter is out. A row names the batch that made it; the
//! batch is ours if its journal is in our store. A row with the number of another deployment is never touched.

use super::{Journals, Rules, WhenPending};
use crate::domain::batch::{Plan, Seen};
use crate::domain::ids::InvitationId;
use crate::domain::invitation::{Invitation, Status};
use crate::domain::outcome::{Outcome, OutcomeKind, ReasonCode};
use crate::remote::journal::{StoreError, Whereabouts};
use crate::service::Parts;

/// Invitations that one new one replaces, the newest first: a changeset has room for no more than a thousand writes, and
/// a try under a lease has 15 seconds for them.
const MOST_REPLACED: usize = 200;

/// Who made a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum Maker {
    /// A batch of ours on which work is left.
    OpenBatch,
    /// A batch of ours that has ended.
    EndedBatch,
    /// A person, a flow or a workflow.
    Someone,
    /// Another deployment of this service, or one of our batches too old to be kept.
    OtherDeployment,
}

/// Decides about the pending invitations of one contact; the newest comes last.
///
/// `new` is the id of the invitation that would replace them.
pub(super) fn decide(
    pending: &[&Invitation],
    new: InvitationId,
    rules: &Rules<'_>,
    journals: &Journals,
) -> Result<Plan, Outcome> {
    let Some(newest) = pending.last() else {
        return Ok(Plan::Create(new));
    };
    let case = Case {
        row: newest,
        maker: maker(newest, journals),
        rules,
    };
    match rules.when_pending {
        WhenPending::Keep => Err(case.kept()),
        WhenPending::Fail => Err(
            Outcome::about(OutcomeKind::Failed, newest.id, newest.expires)
                .because(ReasonCode::AlreadyInvited),
        ),
        WhenPending::Resend => case.resend(),
        WhenPending::Replace => {
            let being_sent = |row: &&&Invitation| {
                row.status == Status::New && maker(row, journals) == Maker::OpenBatch
            };
            if let Some(row) = pending.iter().find(being_sent) {
                return Err(in_progress(row));
            }
            let old = pending.iter().rev();
            let old = old.filter(|row| maker(row, journals) != Maker::OtherDeployment);
            let old = old.map(|row| row.id).take(MOST_REPLACED);
            case.replace(old.collect(), new)
        }
    }
}

struct Case<'a> {
    row: &'a Invitation,
    maker: Maker,
    rules: &'a Rules<'a>,
}

impl Case<'_> {
    fn kept(&self) -> Outcome {
        let kept = Outcome::about(OutcomeKind::Kept, self.row.id, self.row.expires);
        match (self.row.status, self.maker) {
            (Status::New, Maker::OpenBatch) => in_progress(self.row),
            (Status::New, Maker::EndedBatch) => kept.because(ReasonCode::Unconfirmed),
            (Status::New, _) => kept.because(ReasonCode::PreparedElsewhere),
            _ => kept,
        }
    }

    fn resend(&self) -> Result<Plan, Outcome> {
        let seen = Seen::of(self.row);
        match (self.maker, self.row.status) {
            (Maker::OtherDeployment, _) => Err(self.kept()),
            (Maker::OpenBatch, Status::New) => Err(in_progress(self.row)),
            _ if self.cooling() => Err(self.kept()),
            (Maker::OpenBatch | Maker::EndedBatch, _) => Ok(Plan::Resend(seen)),
            (Maker::Someone, _) if self.row.code.is_some() => Ok(Plan::Adopt(seen)),
            // Nothing could stand in its letter.
            (Maker::Someone, _) => Err(self.kept()),
        }
    }

    fn replace(&self, old: Vec<InvitationId>, new: InvitationId) -> Result<Plan, Outcome> {
        if self.maker == Maker::OtherDeployment || self.cooling() {
            return Err(self.kept());
        }
        Ok(Plan::Replace { old, new })
    }

    /// Whether a letter, or a link, went out so lately that this may be the same request once more: Power Automate
    /// repeats what it had no answer to. What someone prepared and nobody sent cannot be that.
    /// <https://learn.microsoft.com/power-automate/limits-and-config#retry-policy>
    fn cooling(&self) -> bool {
        let sent = self.row.status == Status::Sent || self.maker != Maker::Someone;
        let age = self.rules.now.duration_since(self.row.modified);
        let cooldown = self.rules.cooldown.filter(|_| sent);
        cooldown.is_some_and(|cooldown| {
            age < jiff::SignedDuration::try_from(cooldown).unwrap_or_default()
        })
    }
}

fn in_progress(row: &Invitation) -> Outcome {
    Outcome::about(OutcomeKind::Kept, row.id, row.expires).because(ReasonCode::InProgress)
}

fn maker(row: &Invitation, journals: &Journals) -> Maker {
    let Some(batch) = row.batch else {
        return Maker::Someone;
    };
    let whereabouts = journals.get(&batch).copied();
    Maker::of_batch(whereabouts.unwrap_or(Whereabouts::Nowhere))
}

/// Who made a row, asked of the store.
pub(in crate::service) async fn maker_of(
    parts: &Parts,
    row: &Invitation,
) -> Result<Maker, StoreError> {
    let Some(batch) = row.batch else {
        return Ok(Maker::Someone);
    };
    parts.store.whereabouts(batch).await.map(Maker::of_batch)
}

impl Maker {
    fn of_batch(whereabouts: Whereabouts) -> Self {
        match whereabouts {
            Whereabouts::Open => Self::OpenBatch,
            Whereabouts::Done => Self::EndedBatch,
            Whereabouts::Nowhere => Self::OtherDeployment,
        }
    }
}
