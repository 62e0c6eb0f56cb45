//! A letter as tests and people look at it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::message::Message;

/// A message that a mailbox sent, drafted or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Address of the mailbox it was in.
    pub mailbox: String,
    /// Addresses of everyone it goes to, hidden recipients included.
    pub to: Vec<String>,
    /// Display name of the first recipient, if given.
    pub to_name: Option<String>,
    /// Its subject.
    pub subject: String,
    /// Its body, as HTML or as text, whichever it was written in.
    pub html: String,
    /// Whether its body is text.
    pub is_text: bool,
    /// Addresses that answers go to.
    pub reply_to: Vec<String>,
    /// Internet headers that the sender added, as names and values.
    pub headers: Vec<(String, String)>,
    /// Extended properties by id; they never leave the mailbox.
    pub extended_properties: BTreeMap<String, String>,
    /// When it was delivered; for a draft, when it was made.
    pub sent_at: Timestamp,
    /// Its immutable id.
    pub message_id: String,
    /// Its `Message-ID`.
    pub internet_message_id: String,
}

impl Letter {
    pub(super) fn of(mailbox: &str, message: &Message) -> Self {
        let content = &message.content;
        let first = content.to.first();
        let addresses = |list: &[super::input::Recipient]| {
            list.iter().map(|r| r.address().to_owned()).collect()
        };
        Self {
            mailbox: mailbox.to_owned(),
            to: content
                .recipients()
                .map(|r| r.address().to_owned())
                .collect(),
            to_name: first.and_then(|r| r.email_address.name.clone()),
            subject: content.subject.clone(),
            html: content.body.clone(),
            is_text: content.is_text,
            reply_to: addresses(&content.reply_to),
            headers: content.headers.clone(),
            extended_properties: content.properties.clone(),
            sent_at: message.sent,
            message_id: message.immutable_id.clone(),
            internet_message_id: message.internet_message_id.clone(),
        }
    }
}
