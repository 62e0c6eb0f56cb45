//! Owns what a batch is: its terms, its plan for each entry, and the lines its journal is made of.
//!
//! Nothing here ever holds an invitation code: a journal outlives the letters by months. A line's shape is a
//! contract with journals already written, so fields are added, never renamed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::{AccountId, BatchNumber, ContactId, InvitationId, WebRoleId, WorkflowId};
use super::invitation::{Invitation, Standing};
use super::outcome::Outcome;

/// How letters are handed to Exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailDelivery {
    /// Draft, then send: a lost answer can be looked up. Needs Mail.ReadWrite and Mail.Send.
    Draft,
    /// One `sendMail` call: a lost answer stays unknown. Needs Mail.Send.
    Send,
}

/// What holds for every entry of a batch, resolved when it was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// The batch's number, written on each row it creates.
    pub number: BatchNumber,
    /// When it was planned.
    pub created: Timestamp,
    /// Until when its invitations can be redeemed.
    pub expires: Timestamp,
    /// Whether letters are sent, or links handed to the caller.
    pub send_email: bool,
    /// Whether contacts with a portal sign-in are invited too.
    pub include_registered: bool,
    /// The sender mailboxes to choose from; fixed, so that a changed setting never moves a letter to another mailbox.
    pub senders: Vec<String>,
    /// What the letter says.
    pub letter: LetterTerms,
    /// What is bound on each row.
    pub bound: Bound,
    /// Who asked, for the record.
    pub requested_by: Option<String>,
}

/// What the letters of a batch have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LetterTerms {
    /// The language of the template set that was asked for; else each letter is in its contact's own.
    pub language: Option<String>,
    /// The template that was asked for; else each letter is made from its plan's own.
    pub template: Option<String>,
    /// A subject that replaces the template's.
    pub subject: Option<String>,
    /// A personal message, plain text.
    pub message: Option<String>,
    /// Where the site leads after redemption.
    pub return_path: Option<String>,
    /// Who invites, by name.
    pub inviter_name: Option<String>,
}

impl LetterTerms {
    /// The template of a letter about which a request says nothing.
    pub const INVITATION: &str = "invitation";
    /// The template of a letter whose link its contact has been sent before.
    pub const RESEND: &str = "resend";
    /// The template of reminders.
    pub const REMINDER: &str = "reminder";

    /// The templates that a plan's letter may be made from, best first: not every language has a letter of its own
    /// for a link that is sent again.
    pub fn templates(&self, plan: &Plan) -> impl Iterator<Item = &str> + Clone {
        let own = match (plan, self.template.as_deref()) {
            (Plan::Remind { .. }, _) => [Some(Self::REMINDER), None],
            (_, Some(named)) => [Some(named), None],
            (Plan::Resend(_) | Plan::Extend(_) | Plan::Reopen(_), None) => {
                [Some(Self::RESEND), Some(Self::INVITATION)]
            }
            // Of what someone else prepared, its contact has had no letter from us.
            (Plan::Settled(_) | Plan::Create(_) | Plan::Replace { .. } | Plan::Adopt(_), None) => {
                [Some(Self::INVITATION), None]
            }
        };
        own.into_iter().flatten()
    }
}

/// Rows that each invitation of a batch points to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    /// The inviting contact.
    pub inviter: Option<ContactId>,
    /// The account that the redeeming contact is assigned to.
    pub account: Option<AccountId>,
    /// The workflow that runs at redemption.
    pub workflow: Option<WorkflowId>,
    /// The web roles that the redeeming contact gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<BoundRole>,
}

/// A web role, and where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundRole {
    /// Which.
    pub id: WebRoleId,
    /// The data model whose table holds it.
    pub model: DataModel,
}

/// How an environment stores the configuration of a site.
/// <https://learn.microsoft.com/power-pages/admin/enhanced-data-model>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DataModel {
    /// Web roles are site components.
    Enhanced,
    /// Web roles have a table of their own.
    Standard,
}

/// The plan for one entry of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The contact, as the request named it.
    pub contact: ContactId,
    /// Its full name, where it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// What is to be done.
    pub plan: Plan,
}

/// What is to be done for one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Plan {
    /// Nothing: the end is known.
    Settled(Outcome),
    /// Create this invitation, then send its letter where the terms say so.
    Create(InvitationId),
    /// The same, and close others in the same step.
    Replace {
        /// Those that are closed.
        old: Vec<InvitationId>,
        /// The one that is created.
        new: InvitationId,
    },
    /// Send a letter about an invitation of ours again.
    Resend(Seen),
    /// Send a letter about an invitation that someone else prepared.
    Adopt(Seen),
    /// Give an invitation that stands the expiry of the terms, then send its letter again.
    Extend(Seen),
    /// Open an expired invitation until the expiry of the terms, then send its letter again.
    Reopen(Seen),
    /// Remind of an invitation before its expiry.
    Remind {
        /// The invitation.
        seen: Seen,
        /// The expiry that is close; of another one its own reminder tells.
        expires: Timestamp,
    },
}

/// An invitation that stands already, as it was when the plan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Which.
    pub id: InvitationId,
    /// When it had last been changed: of requests that saw the same, one sends the letter.
    pub modified: Timestamp,
}

impl Seen {
    /// An invitation as it is now.
    pub fn of(row: &Invitation) -> Self {
        Self {
            id: row.id,
            modified: row.modified,
        }
    }
}

impl Plan {
    /// The invitation whose letter is sent.
    pub fn invitation(&self) -> Option<InvitationId> {
        match self {
            Self::Settled(_) => None,
            Self::Create(id) | Self::Replace { new: id, .. } => Some(*id),
            _ => self.seen().map(|seen| seen.id),
        }
    }

    /// The invitations that are closed when this one is created.
    pub fn replaced(&self) -> &[InvitationId] {
        match self {
            Self::Replace { old, .. } => old,
            _ => &[],
        }
    }

    /// The row that is there before the batch begins.
    pub fn seen(&self) -> Option<Seen> {
        match self {
            Self::Resend(seen)
            | Self::Adopt(seen)
            | Self::Extend(seen)
            | Self::Reopen(seen)
            | Self::Remind { seen, .. } => Some(*seen),
            Self::Settled(_) | Self::Create(_) | Self::Replace { .. } => None,
        }
    }

    /// Whether a letter may go out about an invitation that stands so.
    ///
    /// A row of this batch's own waits unsent; any other standing is someone else's doing. A letter that is sent
    /// again is about an invitation that still stands.
    pub fn may_send(&self, standing: Standing) -> bool {
        match standing {
            Standing::Unsent => !matches!(self, Self::Remind { .. }),
            Standing::Pending => self.seen().is_some(),
            Standing::Redeemed | Standing::Expired | Standing::Revoked => false,
        }
    }
}

/// The day that tells the reminders of one invitation apart: an expiry has one.
pub fn reminder_day(expires: Timestamp) -> String {
    expires.strftime("%Y-%m-%d").to_string()
}

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "camelCase")]
pub enum Line {
    /// The terms; `by` tells the attempts at planning apart.
    Terms {
        /// Which planner.
        by: Uuid,
        /// What holds for every entry.
        terms: Box<Terms>,
    },
    /// Some entries of the plan, in request order.
    Plan {
        /// Which planner.
        by: Uuid,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// The plan is whole: the batch is accepted.
    Planned {
        /// Which planner's plan it is. The first such line wins.
        by: Uuid,
        /// How many entries it has.
        count: usize,
    },
    /// Each row that the batch creates is there; after this line none is created again.
    Created,
    /// Letters are about to be handed over; after this line a row is never created again.
    Attempting {
        /// When.
        at: Timestamp,
        /// Which.
        letters: Vec<Attempt>,
    },
    /// Exchange accepted these letters.
    Accepted {
        /// Entry numbers.
        entries: Vec<usize>,
    },
    /// These letters certainly did not leave: they may be attempted again.
    Released {
        /// Entry numbers.
        entries: Vec<usize>,
    },
    /// A mailbox takes nothing before a moment.
    Resting {
        /// The mailbox.
        mailbox: String,
        /// When it refused.
        at: Timestamp,
        /// When to try again.
        until: Timestamp,
        /// Why.
        cause: RestCause,
    },
    /// Final outcomes. The first for an entry wins.
    Result {
        /// Entry number and outcome.
        outcomes: Vec<(usize, Outcome)>,
    },
    /// Every entry has its outcome.
    End {
        /// When.
        at: Timestamp,
    },
}

/// A letter about to be handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Entry number.
    pub entry: usize,
    /// The draft's immutable id; absent where the letter goes without a draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// A hash of the code it carries, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_hash: Option<String>,
}

/// Why a mailbox rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RestCause {
    /// Exchange asked to wait.
    Throttled,
    /// The mailbox has used up its day's recipients.
    Quota,
    /// Exchange refuses the mailbox.
    Refused,
}
