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
use crate::domain::outcome::ReasonCode;

/// The name of its template, which no request may ask for.
pub(super) const DIGEST: &str = "digest";

/// The language of the packaged digest.
pub(super) const FALLBACK: &str = "en";

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
    /// Why it is named.
    pub reason: Option<DigestReason>,
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

/// Why something failed.
#[derive(Clone, Debug, Serialize)]
pub struct DigestReason {
    /// Stable, for languages that say it in their own words.
    pub code: ReasonCode,
    /// In English words.
    pub words: &'static str,
}

impl From<ReasonCode> for DigestReason {
    fn from(code: ReasonCode) -> Self {
        let words = code.message();
        Self { code, words }
    }
}

/// How often something failed for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct DigestFailures {
    /// Why.
    pub reason: DigestReason,
    /// How often.
    pub count: usize,
}

/// A number of something.
#[derive(Clone, Debug, Serialize)]
pub struct DigestCount {
    /// Of what: a masked mailbox, a batch number.
    pub what: String,
    /// How many.
    pub count: usize,
}

/// What a digest could not look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Unseen {
    /// The journals.
    Batches,
    /// Who redeemed.
    Redemptions,
    /// Which invitations expired.
    Expired,
    /// A sender's mailbox.
    Mailbox,
    /// The invitations of letters that came back.
    Returned,
    /// How contacts are called.
    Names,
}

impl Unseen {
    const ALL: [Self; 6] = [
        Self::Batches,
        Self::Redemptions,
        Self::Expired,
        Self::Mailbox,
        Self::Returned,
        Self::Names,
    ];
}

/// A place that a digest could not look into, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DigestGap {
    /// Which.
    pub what: Unseen,
    /// Whose mailbox, masked.
    pub mailbox: Option<String>,
    /// What went wrong, in English, free of secrets.
    pub error: Option<String>,
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
    pub reasons: Vec<DigestFailures>,
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
    pub unseen: Vec<DigestGap>,
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
        time: (Timestamp, Timestamp, &TimeZone),
    ) -> Result<Letter, LetterError> {
        self.make_digest(language, brand, content, time)
            .map_err(LetterError::without_values)
    }

    fn make_digest(
        &self,
        language: &str,
        brand: &Brand,
        content: &DigestContent,
        (from, until, zone): (Timestamp, Timestamp, &TimeZone),
    ) -> Result<Letter, LetterError> {
        let (start, end) = values::sides(language);
        let values = context! {
            language => language,
            direction => values::direction(language),
            start => start,
            end => end,
            brand => values::brand(brand),
            from => values::moment(from, zone, language),
            until => values::moment(until, zone, language),
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
        self.make_digest(language, brand, &DigestContent::default(), time)?;
        self.make_digest(language, brand, &sample(), time).map(drop)
    }
}

/// Something of everything that a digest can say, so that a language which lacks a word for it is found out.
pub(super) fn sample() -> DigestContent {
    let text = || Some("Sample".to_owned());
    let row = |reason: Option<ReasonCode>| DigestRow {
        name: text(),
        contact: text(),
        contact_url: text(),
        invitation_url: text(),
        reason: reason.map(DigestReason::from),
        other: text(),
        other_url: text(),
        redemptions: 2,
    };
    let list = || DigestList {
        count: 3,
        rows: vec![row(None), DigestRow::default()],
        hidden: 1,
        more: true,
    };
    let count = || DigestCount {
        what: "Sample".to_owned(),
        count: 2,
    };
    let failures = |code: ReasonCode| DigestFailures {
        reason: code.into(),
        count: 2,
    };
    let gap = |what| DigestGap {
        what,
        mailbox: (what == Unseen::Mailbox).then(|| "Sample".to_owned()),
        error: text(),
    };
    DigestContent {
        batches: 2,
        unread_batches: 1,
        sent: 3,
        created: 1,
        reasons: ReasonCode::ALL.map(failures).into(),
        failed: DigestList {
            rows: ReasonCode::ALL.map(|code| row(Some(code))).into(),
            ..list()
        },
        unconfirmed: list(),
        stuck: vec![count()],
        redeemed: list(),
        strangers: list(),
        overused: list(),
        expired: list(),
        returned: list(),
        strange_reports: 1,
        drafts: vec![count()],
        unseen: Unseen::ALL.map(gap).into(),
    }
}

#[cfg(test)]
mod tests;
