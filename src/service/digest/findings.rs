//! Owns what a digest can tell of, and when it is worth a letter.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::batch::Entry;
use crate::domain::ids::{BatchNumber, ContactId, InvitationId};
use crate::domain::invitation::Invitation;
use crate::domain::outcome::{Outcome, OutcomeKind, ReasonCode};
use crate::domain::progress::{Progress, Stage};
use crate::letter::DigestGap;

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) batches: Batches,
    pub(super) rows: Rows,
    pub(super) mailboxes: Vec<Mailbox>,
    /// The invitations whose letters came back, as they are now.
    pub(super) returned: Vec<Invitation>,
    /// The full names of contacts.
    pub(super) names: BTreeMap<ContactId, String>,
    /// What could not be looked at, and why, free of secrets.
    pub(super) unseen: Vec<DigestGap>,
}

/// What the journals say.
#[derive(Debug, Default)]
pub(super) struct Batches {
    /// Batches that ended.
    pub(super) ended: usize,
    /// Journals that were not read, because there are too many or the time was up.
    pub(super) unread: usize,
    pub(super) sent: usize,
    pub(super) created: usize,
    /// How many entries failed for which reason.
    pub(super) reasons: BTreeMap<ReasonCode, usize>,
    pub(super) failed: Vec<Case>,
    pub(super) unconfirmed: Vec<Case>,
    /// Batches that are open for a day, and how many of their entries are.
    pub(super) stuck: Vec<(BatchNumber, usize)>,
}

/// An entry of a batch that someone should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) contact: ContactId,
    pub(super) name: Option<String>,
    pub(super) invitation: Option<InvitationId>,
    pub(super) reason: Option<ReasonCode>,
}

/// What Dataverse says.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Redeemed invitations, each once.
    pub(super) redeemed: Vec<Invitation>,
    pub(super) more_redeemed: bool,
    pub(super) expired: Vec<Invitation>,
    pub(super) more_expired: bool,
}

/// What one sender mailbox says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) address: String,
    /// The invitations whose letters came back.
    pub(super) returned: BTreeSet<InvitationId>,
    /// Reports about other messages, or about one that cannot be told.
    pub(super) strange: usize,
    /// Drafts of ours that were left over.
    pub(super) drafts: usize,
    /// Whether there are more reports than one look takes in.
    pub(super) more: bool,
}

impl Findings {
    /// Whether anything happened.
    pub(super) fn has_news(&self) -> bool {
        let batches = &self.batches;
        let counts = [
            batches.sent,
            batches.created,
            batches.failed.len(),
            batches.unconfirmed.len(),
            batches.stuck.len(),
            self.rows.redeemed.len(),
            self.rows.expired.len(),
        ];
        counts.iter().any(|count| *count > 0) || self.mailboxes.iter().any(Mailbox::has_news)
    }

    /// Whether something could not be looked at.
    pub(super) fn has_gaps(&self) -> bool {
        !self.unseen.is_empty() || self.batches.unread > 0
    }

    /// The contacts whose names are to be told, apart from those of journals, which hold them.
    pub(super) fn contacts(&self) -> Vec<ContactId> {
        let rows = self.rows.redeemed.iter().chain(&self.rows.expired);
        let rows = rows.chain(&self.returned);
        let contacts = rows.flat_map(|row| [row.contact, row.redeemed_contact]);
        let contacts: BTreeSet<_> = contacts.flatten().collect();
        contacts.into_iter().collect()
    }

    /// The invitations whose letters came back, from whichever mailbox.
    pub(super) fn returned_ids(&self) -> Vec<InvitationId> {
        let ids: BTreeSet<_> = self
            .mailboxes
            .iter()
            .flat_map(|mailbox| mailbox.returned.iter().copied())
            .collect();
        ids.into_iter().collect()
    }
}

impl Mailbox {
    fn has_news(&self) -> bool {
        !self.returned.is_empty() || self.strange > 0 || self.drafts > 0
    }
}

impl Batches {
    /// Takes in a batch that ended: each of its entries has an outcome.
    pub(super) fn add_ended(&mut self, progress: Progress) {
        self.ended += 1;
        for item in progress.items {
            if let Stage::Settled(outcome) = item.stage {
                self.add(item.entry, &outcome);
            }
        }
    }

    fn add(&mut self, entry: Entry, outcome: &Outcome) {
        let reason = outcome.reason.as_ref().map(|reason| reason.code);
        let case = || Case {
            contact: entry.contact,
            name: entry.name.map(String::from),
            invitation: outcome.invitation,
            reason,
        };
        match outcome.kind {
            OutcomeKind::Sent => self.sent += 1,
            OutcomeKind::Created => self.created += 1,
            OutcomeKind::Unconfirmed => self.unconfirmed.push(case()),
            OutcomeKind::Failed => {
                if let Some(reason) = reason {
                    *self.reasons.entry(reason).or_default() += 1;
                }
                self.failed.push(case());
            }
            OutcomeKind::Kept
            | OutcomeKind::Pending
            | OutcomeKind::Planned
            | OutcomeKind::Skipped => {}
        }
    }
}

/// The invitation that a delivery key names; keys of other letters name none.
pub(super) fn invitation_of(key: &str) -> Option<InvitationId> {
    key.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_key_begins_with_the_invitation() {
        let id = "0756d88c-3cd6-5b08-b237-706fbed827a6";
        let named = id.parse().ok();
        assert_eq!(invitation_of(&format!("{id}/invite/1734829102")), named);
        assert_eq!(invitation_of(&format!("{id}/remind/2026-12-06")), named);
        assert_eq!(invitation_of("digest/1734829102"), None);
    }

    #[test]
    fn only_what_happened_is_news() {
        let mut findings = Findings::default();
        findings.batches.ended = 3;
        findings.mailboxes.push(Mailbox::default());
        assert!(!findings.has_news() && !findings.has_gaps());
        findings.batches.unread = 1;
        assert!(!findings.has_news() && findings.has_gaps());
        findings.mailboxes[0].drafts = 1;
        assert!(findings.has_news());
    }
}
