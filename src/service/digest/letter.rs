//! Owns which of the findings a digest names, and where it sends its readers.
//!
//! Lists are short, because a letter that is too long is cut by mail programs and read by nobody.

use jiff::Timestamp;
use uuid::Uuid;

use super::findings::{Case, Findings};
use super::masked;
use crate::domain::ids::{ContactId, InvitationId};
use crate::domain::invitation::Invitation;
use crate::letter::{
    DigestContent, DigestCount, DigestFailures, DigestList, DigestRow, Letter, LetterError, Letters,
};
use crate::service::Parts;

/// Most names in one list.
const MOST_NAMED: usize = 8;

/// Makes the letter.
pub(super) fn compose(
    parts: &Parts,
    letters: &Letters,
    findings: &Findings,
    from: Timestamp,
    until: Timestamp,
) -> Result<Letter, LetterError> {
    let policy = &parts.policy;
    let content = Naming { parts, findings }.content();
    let language = &policy.default_language;
    let language = letters.digest_language(language).unwrap_or(language);
    let time = (from, until, &policy.time_zone);
    letters.render_digest(language, &policy.brand, &content, time)
}

struct Naming<'a> {
    parts: &'a Parts,
    findings: &'a Findings,
}

impl Naming<'_> {
    fn content(&self) -> DigestContent {
        let Findings {
            batches,
            rows,
            mailboxes,
            returned,
            unseen,
            ..
        } = self.findings;
        let those = |wanted: fn(&&Invitation) -> bool| rows.redeemed.iter().filter(wanted);
        DigestContent {
            batches: batches.ended,
            unread_batches: batches.unread,
            sent: batches.sent,
            created: batches.created,
            reasons: (batches.reasons.iter())
                .map(|(code, count)| DigestFailures {
                    reason: (*code).into(),
                    count: *count,
                })
                .collect(),
            failed: self.cases(&batches.failed),
            unconfirmed: self.cases(&batches.unconfirmed),
            stuck: (batches.stuck.iter())
                .map(|(number, open)| counted(&number.to_string(), *open))
                .collect(),
            redeemed: self.list(rows.redeemed.iter(), rows.more_redeemed),
            strangers: self.list(those(|row| row.is_redeemed_by_another()), false),
            overused: self.list(those(|row| row.is_overused()), false),
            expired: self.list(rows.expired.iter(), rows.more_expired),
            returned: self.list(
                returned.iter(),
                mailboxes.iter().any(|mailbox| mailbox.more),
            ),
            strange_reports: mailboxes.iter().map(|mailbox| mailbox.strange).sum(),
            drafts: (mailboxes.iter().filter(|mailbox| mailbox.drafts > 0))
                .map(|mailbox| counted(&masked(&mailbox.address), mailbox.drafts))
                .collect(),
            unseen: unseen.clone(),
        }
    }

    fn list<'r>(&self, rows: impl Iterator<Item = &'r Invitation>, more: bool) -> DigestList {
        let rows: Vec<_> = rows.collect();
        let named = rows.iter().take(MOST_NAMED).map(|row| self.row(row));
        DigestList {
            count: rows.len(),
            rows: named.collect(),
            hidden: rows.len().saturating_sub(MOST_NAMED),
            more,
        }
    }

    fn cases(&self, cases: &[Case]) -> DigestList {
        let named = cases.iter().take(MOST_NAMED).map(|case| self.case(case));
        DigestList {
            count: cases.len(),
            rows: named.collect(),
            hidden: cases.len().saturating_sub(MOST_NAMED),
            more: false,
        }
    }

    fn row(&self, row: &Invitation) -> DigestRow {
        let other = row
            .redeemed_contact
            .filter(|_| row.is_redeemed_by_another());
        DigestRow {
            invitation_url: Some(self.invitation(row.id)),
            redemptions: row.redemptions,
            other: other.map(|contact| self.name(contact).unwrap_or_else(|| contact.to_string())),
            other_url: other.map(|contact| self.page("contact", contact.uuid())),
            ..self.person(row.contact, None)
        }
    }

    fn case(&self, case: &Case) -> DigestRow {
        DigestRow {
            invitation_url: case.invitation.map(|id| self.invitation(id)),
            reason: case.reason.map(Into::into),
            ..self.person(Some(case.contact), case.name.clone())
        }
    }

    fn person(&self, contact: Option<ContactId>, name: Option<String>) -> DigestRow {
        DigestRow {
            name: name.or_else(|| self.name(contact?)),
            contact: contact.map(|contact| contact.to_string()),
            contact_url: contact.map(|contact| self.page("contact", contact.uuid())),
            ..DigestRow::default()
        }
    }

    fn name(&self, contact: ContactId) -> Option<String> {
        self.findings.names.get(&contact).cloned()
    }

    fn invitation(&self, id: InvitationId) -> String {
        self.page("adx_invitation", id.uuid())
    }

    fn page(&self, table: &'static str, id: Uuid) -> String {
        self.parts.dataverse.page_of(table, id).to_string()
    }
}

fn counted(what: &str, count: usize) -> DigestCount {
    let what = what.to_owned();
    DigestCount { what, count }
}
