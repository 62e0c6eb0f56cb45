//! Owns how a digest reads: numbers and names, and where to look; the words are the template's.
//!
//! A digest goes to the people who run the service. It never holds an address, a code, a link to redeem or the text of
//! a letter.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::source::{HTML, SUBJECT};
use super::{Brand, Letter, LetterError, Letters, values};

/// The name of its template, which no request may ask for.
pub(super) const DIGEST: &str = "digest";

/// The language of the packaged digest.
const FALLBACK: &str = "en";

/// Somebody, or an invitation, that a digest names.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DigestRow {
    /// The contact's name.
    pub name: Option<String>,
    /// The contact's id.
    pub contact: Option<String>,
    /// Where people see the contact.
    pub contact_url: Option<String>,
    /// Where people see the invitation.
    pub invitation_url: Option<String>,
    /// Why it is named, in words.
    pub reason: Option<String>,
    /// Who redeemed it, by name or id, where it was somebody else.
    pub other: Option<String>,
    /// Where people see whoever redeemed it.
    pub other_url: Option<String>,
    /// How often it was redeemed.
    pub redemptions: i32,
}

/// A list, cut at some length.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DigestList {
    /// How many there are, as far as was looked.
    pub count: usize,
    /// The first of them.
    pub rows: Vec<DigestRow>,
    /// How many of `count` are not among `rows`.
    pub hidden: usize,
    /// Whether there are more than was looked at.
    pub more: bool,
}

/// A number of something.
#[derive(Clone, Debug, Serialize)]
pub struct DigestCount {
    /// Of what: a code, a masked mailbox, a batch number.
    pub what: String,
    /// What that means, in words; may be empty.
    pub words: String,
    /// How many.
    pub count: usize,
}

/// What a digest says.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DigestContent {
    /// Batches that ended.
    pub batches: usize,
    /// Batches that were not looked at.
    pub unread_batches: usize,
    /// Letters that Exchange accepted.
    pub sent: usize,
    /// Invitations whose link a caller got.
    pub created: usize,
    /// Why entries failed.
    pub reasons: Vec<DigestCount>,
    /// Entries that failed.
    pub failed: DigestList,
    /// Entries whose letter may or may not have left.
    pub unconfirmed: DigestList,
    /// Batches open for a day.
    pub stuck: Vec<DigestCount>,
    /// Redeemed invitations.
    pub redeemed: DigestList,
    /// Redeemed by another contact than the invited one.
    pub strangers: DigestList,
    /// Redeemed more often than they should be.
    pub overused: DigestList,
    /// Invitations past their expiry.
    pub expired: DigestList,
    /// Invitations whose letter came back.
    pub returned: DigestList,
    /// Non-delivery reports that belong to no invitation.
    pub strange_reports: usize,
    /// Drafts that were left over, by mailbox.
    pub drafts: Vec<DigestCount>,
    /// What could not be looked at, and why.
    pub unseen: Vec<String>,
}

impl DigestContent {
    /// How many things somebody should look at.
    fn to_look_at(&self) -> usize {
        let lists = [
            &self.failed,
            &self.unconfirmed,
            &self.strangers,
            &self.overused,
            &self.returned,
        ];
        let listed: usize = lists.iter().map(|list| list.count).sum();
        listed + self.stuck.len() + self.unseen.len()
    }
}

impl Letters {
    /// The language that a digest is written in, where there is a digest at all: the given one, else English.
    pub fn digest_language<'l>(&self, language: &'l str) -> Option<&'l str> {
        let written = |language: &&str| self.digests.contains(*language);
        [language, FALLBACK].into_iter().find(written)
    }

    /// Makes a digest of some time.
    pub fn render_digest(
        &self,
        language: &str,
        brand: &Brand,
        content: &DigestContent,
        (from, until, zone): (Timestamp, Timestamp, &TimeZone),
    ) -> Result<Letter, LetterError> {
        let values = context! {
            language => language,
            direction => values::direction(language),
            brand => values::brand(brand),
            from => values::moment(from, zone),
            until => values::moment(until, zone),
            to_look_at => content.to_look_at(),
            ..Value::from(Serde(content))
        };
        let file = format!("{language}/{DIGEST}{SUBJECT}");
        let subject = values::subject_line(&self.fill(&file, values.clone())?);
        let html = self.fill(
            &format!("{language}/{DIGEST}{HTML}"),
            context! { subject => subject.as_str(), ..values },
        )?;
        Ok(Letter { subject, html })
    }

    /// Renders a digest with everything and one with nothing.
    pub(super) fn try_out_digest(&self, language: &str, brand: &Brand) -> Result<(), LetterError> {
        let time = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
        self.render_digest(language, brand, &DigestContent::default(), time)?;
        self.render_digest(language, brand, &sample(), time)
            .map(drop)
    }
}

fn sample() -> DigestContent {
    let text = || Some("Sample".to_owned());
    let row = DigestRow {
        name: text(),
        contact: text(),
        contact_url: text(),
        invitation_url: text(),
        reason: text(),
        other: text(),
        other_url: text(),
        redemptions: 2,
    };
    let list = || DigestList {
        count: 3,
        rows: vec![row.clone(), DigestRow::default()],
        hidden: 1,
        more: true,
    };
    let count = || DigestCount {
        what: "Sample".to_owned(),
        words: "Sample".to_owned(),
        count: 2,
    };
    DigestContent {
        batches: 2,
        unread_batches: 1,
        sent: 3,
        created: 1,
        reasons: vec![count()],
        failed: list(),
        unconfirmed: list(),
        stuck: vec![count()],
        redeemed: list(),
        strangers: list(),
        overused: list(),
        expired: list(),
        returned: list(),
        strange_reports: 1,
        drafts: vec![count()],
        unseen: vec!["Sample".to_owned()],
    }
}

#[cfg(test)]
mod tests;
