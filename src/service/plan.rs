//! Owns the plan: for each contact of a request, an action with everything resolved, or a refusal with its reason.
//!
//! The deciding is pure; what is read from Dataverse and from the store is read before.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::batch::{Entry, Plan};
use crate::domain::email_address::EmailAddress;
use crate::domain::ids::{BatchNumber, ContactId, InvitationId, Site};
use crate::domain::invitation::Invitation;
use crate::domain::outcome::{Outcome, OutcomeKind, Reason, ReasonCode};
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::contacts::{Contact, Survey};
use crate::remote::journal::Whereabouts;

mod pending;

pub(super) use pending::{Maker, maker_of};

/// What to do about a contact with a pending invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenPending {
    /// It stands; nothing is sent.
    Keep,
    /// Its letter is sent again; one that someone else prepared is adopted.
    Resend,
    /// It is closed, and another one is made.
    Replace,
    /// The entry fails.
    Fail,
}

/// What a plan follows beside what was read.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    pub(super) site: &'a Site,
    pub(super) now: Timestamp,
    pub(super) when_pending: WhenPending,
    /// How long after a letter no other one follows; `None` where an Idempotency-Key tells requests apart.
    pub(super) cooldown: Option<Duration>,
    pub(super) send_email: bool,
    pub(super) include_registered: bool,
    /// A row to bind that does not exist: then nobody can be invited.
    pub(super) missing: Option<ReasonCode>,
}

/// Plans a request, chunk by chunk; remembers what earlier chunks held.
#[derive(Debug)]
pub(super) struct Planner<'a> {
    rules: Rules<'a>,
    contacts: HashSet<ContactId>,
    addresses: HashSet<String>,
}

/// Where the journals of the batches are that a survey's rows belong to.
pub(super) type Journals = HashMap<BatchNumber, Whereabouts>;

impl<'a> Planner<'a> {
    pub(super) fn new(rules: Rules<'a>) -> Self {
        Self {
            rules,
            contacts: HashSet::new(),
            addresses: HashSet::new(),
        }
    }

    /// Whether codes must be read: only an invitation with a code can be sent again.
    pub(super) fn codes(&self) -> Codes {
        match self.rules.when_pending {
            WhenPending::Resend => Codes::Included,
            WhenPending::Keep | WhenPending::Replace | WhenPending::Fail => Codes::Left,
        }
    }

    /// Plans one contact.
    pub(super) fn entry(
        &mut self,
        contact: ContactId,
        survey: &Survey,
        journals: &Journals,
    ) -> Entry {
        let name = survey
            .contacts
            .get(&contact)
            .and_then(|contact| contact.name.clone());
        let plan = self
            .decide(contact, survey, journals)
            .unwrap_or_else(Plan::Settled);
        Entry {
            contact,
            name: name.map(String::into_boxed_str),
            plan,
        }
    }

    fn decide(
        &mut self,
        id: ContactId,
        survey: &Survey,
        journals: &Journals,
    ) -> Result<Plan, Outcome> {
        let skipped = |code: ReasonCode| Outcome::without(OutcomeKind::Skipped, code);
        if !self.contacts.insert(id) {
            return Err(skipped(ReasonCode::DuplicateContact));
        }
        let address = check_contact(
            id,
            survey,
            self.rules.send_email,
            self.rules.include_registered,
        )?;
        let address = address.map(|address| address.folded());
        if address
            .as_ref()
            .is_some_and(|address| self.addresses.contains(address))
        {
            return Err(skipped(ReasonCode::DuplicateEmail));
        }
        let decided = self.act(id, survey.invitations_of(id), journals);
        let invited = |outcome: &Outcome| outcome.kind == OutcomeKind::Kept;
        if decided.as_ref().map_or_else(invited, |_| true) {
            self.addresses.extend(address);
        }
        decided
    }

    /// What is done about a contact that can be invited.
    fn act(
        &self,
        contact: ContactId,
        invitations: &[Invitation],
        journals: &Journals,
    ) -> Result<Plan, Outcome> {
        let Rules { site, now, .. } = self.rules;
        let pending = pending(invitations, now, site);
        let newest = newest_numbered(invitations, site);
        let new = site.plan_invitation(contact, newest);
        let plan = pending::decide(&pending, new, &self.rules, journals)?;
        match self.rules.missing {
            Some(code) => Err(Outcome::without(OutcomeKind::Failed, code)),
            None => Ok(plan),
        }
    }
}

/// Whether a contact can be invited: its address where a letter is to be sent.
pub(super) fn check_contact(
    id: ContactId,
    survey: &Survey,
    send_email: bool,
    include_registered: bool,
) -> Result<Option<EmailAddress>, Outcome> {
    let skipped = |reason: Reason| Outcome::without(OutcomeKind::Skipped, reason);
    let contact = survey.contacts.get(&id);
    let contact = contact
        .ok_or_else(|| Outcome::without(OutcomeKind::Failed, ReasonCode::ContactNotFound))?;
    if !contact.active {
        return Err(skipped(ReasonCode::ContactInactive.into()));
    }
    let address = if send_email {
        Some(deliverable(contact).map_err(skipped)?)
    } else {
        None
    };
    if survey.is_registered(id) && !include_registered {
        return Err(skipped(ReasonCode::AlreadyRegistered.into()));
    }
    Ok(address)
}

fn deliverable(contact: &Contact) -> Result<EmailAddress, Reason> {
    let text = contact.email.as_deref().ok_or(ReasonCode::NoEmail)?;
    let address = EmailAddress::parse(text).map_err(|_| ReasonCode::InvalidEmail)?;
    if contact.email_allowed {
        Ok(address)
    } else {
        Err(ReasonCode::EmailNotAllowed.into())
    }
}

/// The invitations that stand in the way; the newest, which counts, comes last.
fn pending<'a>(invitations: &'a [Invitation], now: Timestamp, site: &Site) -> Vec<&'a Invitation> {
    let pending = invitations.iter();
    let mut pending: Vec<_> = pending
        .filter(|row| row.is_pending_for(now, site.website()))
        .collect();
    pending.sort_unstable_by_key(|row| (row.created, row.id));
    pending
}

/// The end of the chain that the next planned id continues: the newest row with a batch number.
///
/// Rows whose journals are gone count too; otherwise the chain would start again at an id that exists.
fn newest_numbered(invitations: &[Invitation], site: &Site) -> Option<InvitationId> {
    let numbered = invitations
        .iter()
        .filter(|row| row.batch.is_some() && row.is_of(site.website()));
    numbered
        .max_by_key(|row| (row.created, row.id))
        .map(|row| row.id)
}
