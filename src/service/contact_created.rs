//! Owns inviting a contact unasked, because it meets the rule in the settings and nobody ever invited it.
//!
//! Dataverse tells of each contact that is made or changed, perhaps twice, perhaps ten thousand in an hour. So it is
//! answered after one question where nothing is to be done. Otherwise a batch of one is accepted, which the dispatcher
//! works on. A key a contact makes repeated and racing deliveries one batch.

use std::time::Duration;

use super::Service;
use super::invite::{
    ExpiryChoice, IdempotencyKey, InviteError, InviteRequest, Source, WhenPending,
};
use crate::domain::batch::Bound;
use crate::domain::ids::{BatchNumber, ContactId};
use crate::domain::outcome::{OutcomeKind, Reason, ReasonCode};
use crate::domain::progress::{Item, Journalled};
use crate::remote::budget::Budget;
use crate::remote::dataverse::listing::InvitationQuery;
use crate::remote::dataverse::rule::RuleError;
use crate::remote::error::Refusal;
use crate::remote::journal::StoreError;

/// Dataverse waits 60 seconds for an answer.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks>
const TIME: Duration = Duration::from_secs(45);

/// Who asks, for the record.
const REQUESTED_BY: &str = "AUTO_INVITE_FILTER";

/// What was done about a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is invited: now, or by an earlier delivery whose batch is not finished.
    Accepted(BatchNumber),
    /// No rule is set.
    NotConfigured,
    /// It does not meet the rule, or is gone.
    NotMatched,
    /// It is no contact that can be invited, or not any more.
    NotInvitable(Reason),
}

/// Why nothing could be done about a contact.
#[derive(Debug, thiserror::Error)]
pub enum ContactCreatedError {
    /// Dataverse does not understand the rule.
    #[error("Dataverse refuses the app setting AUTO_INVITE_FILTER: {0}")]
    Rule(Refusal),
    /// It could not be accepted.
    #[error(transparent)]
    Invite(#[from] InviteError),
}

impl From<RuleError> for ContactCreatedError {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Rejected(refusal) => Self::Rule(refusal),
            RuleError::Remote(error) => Self::Invite(error.into()),
        }
    }
}

/// What earlier deliveries about a contact came to.
enum Earlier {
    /// Nothing that stands; a batch goes under this key.
    Nothing(IdempotencyKey),
    /// A batch that is not finished.
    Open(BatchNumber),
    /// An invitation.
    Invited,
}

impl Service {
    /// Accepts an invitation of a contact that was made or changed, if the rule says so and it never had one.
    pub async fn contact_created(
        &self,
        contact: ContactId,
    ) -> Result<Verdict, ContactCreatedError> {
        let Some(rule) = self.0.policy.auto_invite_filter.as_deref() else {
            return Ok(Verdict::NotConfigured);
        };
        let budget = Budget::within(&self.0.clock, TIME);
        let every = self.every(contact);
        let ruling = self.0.dataverse.rule(contact, rule, &every, &budget);
        let ruling = ruling.await?;
        if !ruling.matches {
            return Ok(Verdict::NotMatched);
        }
        if ruling.invited {
            return Ok(already_invited());
        }
        let key = match self.earlier(contact).await.map_err(InviteError::from)? {
            Earlier::Nothing(key) => key,
            Earlier::Open(batch) => return Ok(Verdict::Accepted(batch)),
            Earlier::Invited => return Ok(already_invited()),
        };
        let accepted = self
            .accept_for_later(&request(contact), key, budget)
            .await?;
        Ok(match accepted {
            Ok(batch) => Verdict::Accepted(batch),
            Err(outcome) => outcome
                .reason
                .map_or_else(already_invited, Verdict::NotInvitable),
        })
    }

    /// Every invitation of a contact for this site, people's too.
    fn every(&self, contact: ContactId) -> InvitationQuery {
        InvitationQuery {
            id: None,
            standing: None,
            contact: Some(contact),
            batch: None,
            site: self.0.policy.site.website(),
            now: self.0.clock.now(),
            since: None,
            before: None,
        }
    }

    /// An entry that came to nothing, such as an address that was taken away again, is no invitation: then the contact
    /// gets another key. A key whose batch was never accepted is used again.
    async fn earlier(&self, contact: ContactId) -> Result<Earlier, StoreError> {
        let store = &self.0.store;
        let mut attempt = 0;
        loop {
            let key = IdempotencyKey::of_contact(contact, attempt);
            let Some(record) = store.key(key.name()).await? else {
                return Ok(Earlier::Nothing(key));
            };
            let lines = store.read(record.batch).await?;
            match lines.map(Journalled::fold) {
                None | Some(Journalled::Unplanned) => return Ok(Earlier::Nothing(key)),
                Some(Journalled::Planned(batch)) if batch.ended.is_none() => {
                    return Ok(Earlier::Open(record.batch));
                }
                Some(Journalled::Planned(batch)) if batch.items.iter().any(is_invited) => {
                    return Ok(Earlier::Invited);
                }
                Some(Journalled::Planned(_)) => attempt += 1,
            }
        }
    }
}

fn is_invited(item: &Item) -> bool {
    !matches!(
        item.outcome_kind(),
        OutcomeKind::Skipped | OutcomeKind::Failed
    )
}

fn already_invited() -> Verdict {
    Verdict::NotInvitable(ReasonCode::AlreadyInvited.into())
}

/// An invitation as the settings have it.
fn request(contact: ContactId) -> InviteRequest {
    InviteRequest {
        source: Source::Listed(vec![contact]),
        expiry: ExpiryChoice::Default,
        when_pending: WhenPending::Keep,
        bound: Bound::default(),
        web_roles: Vec::new(),
        language: None,
        template: None,
        subject: None,
        message: None,
        return_path: None,
        send_email: true,
        include_registered: false,
        requested_by: Some(REQUESTED_BY.to_owned()),
        dry_run: false,
    }
}
