//! Owns how an entry of a request can end: outcome, reason and the counts over them.
//!
//! The names are the contract with callers: flows branch on `outcome` and `reason.code`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::InvitationId;

/// What became of one entry of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OutcomeKind {
    /// A letter was accepted by Exchange.
    Sent,
    /// A row was created and no letter asked for.
    Created,
    /// An invitation that was there already stands.
    Kept,
    /// Accepted, not sent yet; never in a final answer.
    Pending,
    /// A dry run would invite.
    Planned,
    /// Not invited, and nothing is wrong with the service.
    Skipped,
    /// Not invited, and someone should look.
    Failed,
    /// The letter may or may not have gone out.
    Unconfirmed,
}

impl OutcomeKind {
    /// Every outcome, in the order answers show them.
    pub const ALL: [Self; 8] = [
        Self::Sent,
        Self::Created,
        Self::Kept,
        Self::Pending,
        Self::Planned,
        Self::Skipped,
        Self::Failed,
        Self::Unconfirmed,
    ];
}

/// Why an entry ended as it did; stable codes, which docs/TROUBLESHOOTING.md explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(strum::VariantArray))]
#[serde(rename_all = "camelCase")]
pub enum ReasonCode {
    /// No such contact.
    ContactNotFound,
    /// The contact is deactivated.
    ContactInactive,
    /// No primary e-mail address.
    NoEmail,
    /// The primary e-mail address is not one.
    InvalidEmail,
    /// The contact does not want e-mail.
    EmailNotAllowed,
    /// An earlier contact of the request has the same address.
    DuplicateEmail,
    /// The contact stands in the request already.
    DuplicateContact,
    /// The contact has a portal sign-in.
    AlreadyRegistered,
    /// A pending invitation stands, and the request says to fail then.
    AlreadyInvited,
    /// Another request is just sending it.
    InProgress,
    /// Someone else prepared an invitation and has not sent it.
    PreparedElsewhere,
    /// Whether the letter went out is unknown.
    Unconfirmed,
    /// The account to assign to does not exist.
    AccountNotFound,
    /// The inviting contact does not exist.
    InviterNotFound,
    /// The web role does not exist.
    RoleNotFound,
    /// The redemption workflow does not exist or is not a workflow on contacts.
    WorkflowNotFound,
    /// Exchange refused the recipient.
    RecipientRefused,
    /// Exchange refused the sender mailbox for a day.
    SenderRefused,
    /// Dataverse refused the row.
    DataverseRefused,
    /// The invitation expired before its letter.
    Expired,
    /// A remote service asked us to wait.
    Throttled,
    /// The row changed in a way that leaves nothing to do.
    Conflict,
}

impl ReasonCode {
    /// Every code.
    pub const ALL: [Self; 22] = [
        Self::ContactNotFound,
        Self::ContactInactive,
        Self::NoEmail,
        Self::InvalidEmail,
        Self::EmailNotAllowed,
        Self::DuplicateEmail,
        Self::DuplicateContact,
        Self::AlreadyRegistered,
        Self::AlreadyInvited,
        Self::InProgress,
        Self::PreparedElsewhere,
        Self::Unconfirmed,
        Self::AccountNotFound,
        Self::InviterNotFound,
        Self::RoleNotFound,
        Self::WorkflowNotFound,
        Self::RecipientRefused,
        Self::SenderRefused,
        Self::DataverseRefused,
        Self::Expired,
        Self::Throttled,
        Self::Conflict,
    ];

    /// What a person reads.
    pub const fn message(self) -> &'static str {
        match self {
            Self::ContactNotFound => "There is no contact with this id.",
            Self::ContactInactive => "The contact is deactivated.",
            Self::NoEmail => "The contact has no primary e-mail address.",
            Self::InvalidEmail => "The contact's primary e-mail address is not valid.",
            Self::EmailNotAllowed => "The contact is marked as not wanting e-mail.",
            Self::DuplicateEmail => "Another contact in this request has the same e-mail address.",
            Self::DuplicateContact => "The contact is already in this request.",
            Self::AlreadyRegistered => "The contact already has a sign-in to the site.",
            Self::AlreadyInvited => "The contact already has a pending invitation.",
            Self::InProgress => "Another request is sending this invitation.",
            Self::PreparedElsewhere => {
                "Someone else prepared an invitation for this contact and has not sent it."
            }
            Self::Unconfirmed => {
                "It could not be confirmed whether the letter went out. Look in the sender's mailbox."
            }
            Self::AccountNotFound => "The account to assign to does not exist.",
            Self::InviterNotFound => "The inviting contact does not exist.",
            Self::RoleNotFound => "A web role does not exist.",
            Self::WorkflowNotFound => "The redemption workflow does not exist or is not active.",
            Self::RecipientRefused => "Exchange refused the recipient.",
            Self::SenderRefused => {
                "Exchange has refused the sender mailbox for a day. Check its permissions."
            }
            Self::DataverseRefused => "Dataverse refused the invitation.",
            Self::Expired => "The invitation expired before its letter could be sent.",
            Self::Throttled => "A remote service asked to wait longer than this request lasts.",
            Self::Conflict => "The invitation was changed or removed by someone else.",
        }
    }
}

/// A reason and, where a remote service said more, its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The stable code.
    pub code: ReasonCode,
    /// What the remote service said, free of secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<str>>,
}

impl Reason {
    /// What a person reads: the reason and the remote service's words.
    pub fn message(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} ({detail})", self.code.message()),
            None => self.code.message().to_owned(),
        }
    }
}

impl From<ReasonCode> for Reason {
    fn from(code: ReasonCode) -> Self {
        Self { code, detail: None }
    }
}

/// The end of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What became of it.
    pub kind: OutcomeKind,
    /// Why, where it is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The invitation that stands for the contact now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// Until when that invitation can be redeemed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl Outcome {
    /// An outcome without an invitation.
    pub fn without(kind: OutcomeKind, reason: impl Into<Reason>) -> Self {
        Self {
            kind,
            reason: Some(reason.into()),
            invitation: None,
            expires: None,
        }
    }

    /// An outcome with the invitation it is about.
    pub fn about(kind: OutcomeKind, invitation: InvitationId, expires: Option<Timestamp>) -> Self {
        Self {
            kind,
            reason: None,
            invitation: Some(invitation),
            expires,
        }
    }

    /// The same, with a reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Reason>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// How many entries ended how; every count is always there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Entries of the request, duplicates included.
    pub requested: usize,
    /// See [`OutcomeKind::Sent`].
    pub sent: usize,
    /// See [`OutcomeKind::Created`].
    pub created: usize,
    /// See [`OutcomeKind::Kept`].
    pub kept: usize,
    /// See [`OutcomeKind::Pending`].
    pub pending: usize,
    /// See [`OutcomeKind::Planned`].
    pub planned: usize,
    /// See [`OutcomeKind::Skipped`].
    pub skipped: usize,
    /// See [`OutcomeKind::Failed`].
    pub failed: usize,
    /// See [`OutcomeKind::Unconfirmed`].
    pub unconfirmed: usize,
}

impl Counts {
    /// Adds one entry.
    pub fn add(&mut self, kind: OutcomeKind) {
        self.requested += 1;
        let count = match kind {
            OutcomeKind::Sent => &mut self.sent,
            OutcomeKind::Created => &mut self.created,
            OutcomeKind::Kept => &mut self.kept,
            OutcomeKind::Pending => &mut self.pending,
            OutcomeKind::Planned => &mut self.planned,
            OutcomeKind::Skipped => &mut self.skipped,
            OutcomeKind::Failed => &mut self.failed,
            OutcomeKind::Unconfirmed => &mut self.unconfirmed,
        };
        *count += 1;
    }

    /// Whether nothing failed and nothing is unconfirmed.
    pub fn ok(&self) -> bool {
        self.failed == 0 && self.unconfirmed == 0
    }
}

impl FromIterator<OutcomeKind> for Counts {
    fn from_iter<I: IntoIterator<Item = OutcomeKind>>(kinds: I) -> Self {
        let mut counts = Self::default();
        kinds.into_iter().for_each(|kind| counts.add(kind));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_whatever_the_outcomes() {
        let counts: Counts = OutcomeKind::ALL
            .into_iter()
            .chain([OutcomeKind::Sent])
            .collect();
        assert_eq!(
            (counts.requested, counts.sent, counts.unconfirmed),
            (9, 2, 1)
        );
        assert!(!counts.ok());
        let sum = counts.sent + counts.created + counts.kept + counts.pending + counts.planned;
        assert_eq!(
            sum + counts.skipped + counts.failed + counts.unconfirmed,
            counts.requested
        );
    }

    #[test]
    fn codes_are_spelled_as_the_contract_says() {
        let spelled = serde_json::to_value([
            ReasonCode::ContactNotFound,
            ReasonCode::NoEmail,
            ReasonCode::PreparedElsewhere,
        ]);
        assert_eq!(
            spelled.unwrap(),
            serde_json::json!(["contactNotFound", "noEmail", "preparedElsewhere"])
        );
    }
}
