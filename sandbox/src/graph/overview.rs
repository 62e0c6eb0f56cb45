//! What a person sees who looks over the mailboxes' shoulders: each message, where it lies, and what became of it.
//!
//! Bodies are left out: thousands of messages are looked at many times a minute.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Graph;
use super::input::Recipient;
use super::letter::Letter;
use super::mailbox::Mailbox;
use super::message::{Class, Folder, Message};
use super::rules::State;

/// Where a message lies in its mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In Drafts.
    Drafts,
    /// In Sent Items, or sent without a copy there.
    Sent,
    /// In the Inbox.
    Inbox,
    /// In Deleted Items.
    Deleted,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was never handed over.
    Draft,
    /// Exchange has it, and has not told yet whom it reaches.
    Underway,
    /// It reached its recipients.
    Delivered,
    /// It reached nobody.
    Lost,
    /// It came from somebody else.
    Received,
}

/// A message without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its immutable id.
    pub id: String,
    /// Address of its mailbox.
    pub mailbox: String,
    /// Where it lies.
    pub place: Place,
    /// What became of it.
    pub fate: Fate,
    /// How often it reached its recipients.
    pub deliveries: usize,
    /// Who wrote it.
    pub from: String,
    /// Addresses of everyone it goes to.
    pub to: Vec<String>,
    /// Display name of the first recipient, if given.
    pub to_name: Option<String>,
    /// Its subject.
    pub subject: String,
    /// When it was sent or came; for a draft, when it was made.
    pub at: Timestamp,
    /// Whether it is a non-delivery report.
    pub is_report: bool,
    /// For a report, the immutable id of the letter that it is about, where that is still there.
    pub about: Option<String>,
}

impl Graph {
    /// A number that grows whenever a message, its fate or the state of a mailbox may have become another.
    pub(crate) fn touched(&self) -> u64 {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let mailboxes = inner.mailboxes.values_mut();
        mailboxes
            .map(|mailbox| mailbox.settled(now).touched())
            .sum()
    }

    /// Every mailbox by its address, and whether it works.
    pub fn mailboxes(&self) -> Vec<(String, State)> {
        let inner = self.inner.lock();
        let mailboxes = inner.mailboxes.values();
        mailboxes
            .map(|mailbox| (mailbox.address.clone(), mailbox.state))
            .collect()
    }

    /// Every message of every mailbox.
    pub fn overview(&self) -> Vec<Seen> {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let mailboxes = inner.mailboxes.values_mut();
        mailboxes
            .flat_map(|mailbox| mailbox.settled(now).overview())
            .collect()
    }

    /// A message with its body, by its immutable id.
    pub fn message(&self, mailbox: &str, id: &str) -> Option<Letter> {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let mailbox = inner.mailboxes.get_mut(&mailbox.to_lowercase())?;
        mailbox.settled(now).letter(id)
    }
}

impl Mailbox {
    fn settled(&mut self, now: Timestamp) -> &Self {
        self.settle(now);
        self
    }

    fn letter(&self, id: &str) -> Option<Letter> {
        let stored = self.messages.iter().find(|it| it.immutable_id == id);
        let gone = || self.without_copy().find(|it| it.message_id == id).cloned();
        stored
            .map(|message| Letter::of(&self.address, message))
            .or_else(gone)
    }

    /// Letters that were sent, whether or not a copy is left.
    fn without_copy(&self) -> impl Iterator<Item = &Letter> {
        let underway = self.outgoing.iter().map(|outgoing| &outgoing.letter);
        self.delivered.iter().chain(underway)
    }

    fn overview(&self) -> Vec<Seen> {
        let mut fates: BTreeMap<&str, (Fate, usize)> = BTreeMap::new();
        for outgoing in &self.outgoing {
            fates.insert(&outgoing.letter.message_id, (Fate::Underway, 0));
        }
        for letter in &self.delivered {
            let fate = fates
                .entry(&letter.message_id)
                .or_insert((Fate::Delivered, 0));
            *fate = (Fate::Delivered, fate.1 + 1);
        }
        let by_message_id = self.by(|message| &message.internet_message_id);
        let by_conversation = self.by(|message| &message.conversation_id);
        let about = |report: &Message| match &report.content.in_reply_to {
            Some(id) => by_message_id.get(id.as_str()).copied(),
            None => by_conversation
                .get(report.conversation_id.as_str())
                .copied(),
        };
        let mut seen = Vec::with_capacity(self.messages.len());
        for message in &self.messages {
            let known = fates.remove(message.immutable_id.as_str());
            let (fate, deliveries) = known.unwrap_or_else(|| (message.fate(), 0));
            let about = about(message).filter(|_| message.is_report());
            seen.push(self.see(message, fate, deliveries, about));
        }
        let copyless = self.without_copy().filter_map(|letter| {
            let (fate, deliveries) = fates.remove(letter.message_id.as_str())?;
            Some(see_letter(letter, fate, deliveries))
        });
        seen.extend(copyless);
        seen
    }

    /// The ids of the letters, by a key that reports name.
    fn by<'a>(&'a self, key: impl Fn(&'a Message) -> &'a String) -> BTreeMap<&'a str, &'a str> {
        let letters = self.messages.iter().filter(|message| !message.is_report());
        letters
            .map(|message| (key(message).as_str(), message.immutable_id.as_str()))
            .collect()
    }

    fn see(&self, message: &Message, fate: Fate, deliveries: usize, about: Option<&str>) -> Seen {
        let content = &message.content;
        let from = content
            .from
            .as_ref()
            .map_or(&*self.address, Recipient::address);
        let to = content.recipients().map(|it| it.address().to_owned());
        Seen {
            id: message.immutable_id.clone(),
            mailbox: self.address.clone(),
            place: match message.folder {
                Folder::Drafts => Place::Drafts,
                Folder::SentItems => Place::Sent,
                Folder::Inbox => Place::Inbox,
                Folder::DeletedItems => Place::Deleted,
            },
            fate,
            deliveries,
            from: from.to_owned(),
            to: to.collect(),
            to_name: (content.to.first()).and_then(|first| first.email_address.name.clone()),
            subject: content.subject.clone(),
            at: message.sent,
            is_report: message.is_report(),
            about: about.map(str::to_owned),
        }
    }
}

impl Message {
    fn is_report(&self) -> bool {
        self.content.class == Class::NonDelivery
    }

    /// What became of it, where it neither is underway nor was delivered.
    fn fate(&self) -> Fate {
        match self.folder {
            _ if self.is_draft => Fate::Draft,
            Folder::Inbox => Fate::Received,
            _ => Fate::Lost,
        }
    }
}

fn see_letter(letter: &Letter, fate: Fate, deliveries: usize) -> Seen {
    Seen {
        id: letter.message_id.clone(),
        mailbox: letter.mailbox.clone(),
        place: Place::Sent,
        fate,
        deliveries,
        from: letter.mailbox.clone(),
        to: letter.to.clone(),
        to_name: letter.to_name.clone(),
        subject: letter.subject.clone(),
        at: letter.sent_at,
        is_report: false,
        about: None,
    }
}
