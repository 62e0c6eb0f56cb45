//! How mailboxes behave where the real service leaves room: the knobs that tests turn.

use std::collections::BTreeSet;

use jiff::SignedDuration;

/// What happens to letters over the rate of a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rate {
    /// They are accepted and delivered late, as callers of Exchange Online report.
    #[default]
    Queue,
    /// They are refused with 429.
    Refuse,
}

/// What a second `send` of a message that was already sent answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondSend {
    /// 404 `ErrorItemNotFound`.
    #[default]
    NotFound,
    /// 400 `ErrorInvalidOperation`.
    BadRequest,
}

/// The rules of every mailbox.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long an accepted letter stays a draft, before it moves to Sent Items and is delivered.
    pub sending_delay: SignedDuration,
    /// What happens over [`Rules::letters_per_minute`].
    pub rate: Rate,
    /// Requests a mailbox takes in ten minutes.
    pub requests_per_window: usize,
    /// Letters a mailbox may send in 60 seconds.
    pub letters_per_minute: usize,
    /// Recipients a mailbox may write to in 24 hours.
    pub daily_recipients: usize,
    /// What a second `send` of a sent message answers.
    pub second_send: SecondSend,
    /// Addresses that no letter reaches, in lower case; those of the domain `.invalid` never are.
    pub undeliverable: BTreeSet<String>,
    /// How long after the delivery of a letter its sender hears of those it did not reach.
    pub report_delay: SignedDuration,
    /// Whether a report names the letter it is about; else it only joins the letter's conversation.
    pub reports_answer: bool,
}

impl Rules {
    /// Whether letters to an address come back.
    pub(super) fn loses(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        address.ends_with(".invalid") || self.undeliverable.contains(&address)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            sending_delay: SignedDuration::ZERO,
            rate: Rate::default(),
            requests_per_window: 10_000,
            letters_per_minute: 30,
            daily_recipients: 10_000,
            second_send: SecondSend::default(),
            undeliverable: BTreeSet::new(),
            report_delay: SignedDuration::from_secs(3),
            reports_answer: true,
        }
    }
}

/// Whether a mailbox works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It does.
    #[default]
    Ok,
    /// The app may not use it: 403 `ErrorAccessDenied`.
    AccessDenied,
    /// The user has no Exchange Online mailbox: 404 `MailboxNotEnabledForRESTAPI`.
    NoMailbox,
    /// It is full: writing and sending answer 507 `ErrorQuotaExceeded`, reading and deleting work.
    Full,
}
