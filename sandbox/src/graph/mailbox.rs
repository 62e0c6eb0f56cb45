//! One mailbox: its messages and their folders, ids and changes.
//!
//! A message keeps its immutable id when it moves and gets another id of the ordinary kind. Everything
//! happens at a given moment; no clock is read here. How letters leave is in `sending`.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::input::MessageInput;
use super::letter::Letter;
use super::limits::{Meter, after};
use super::message::{Content, Folder, Message};
use super::operation::Refusal;
use super::rules::State;
use super::sending::{Outgoing, Report};

/// A mailbox.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) address: String,
    pub(super) state: State,
    pub(super) meter: Meter,
    pub(super) messages: Vec<Message>,
    /// Immutable ids of drafts that were handed over and have not left yet.
    pub(super) leaving: Vec<String>,
    pub(super) outgoing: Vec<Outgoing>,
    /// Reports that are on their way back.
    pub(super) reports: Vec<Report>,
    pub(super) delivered: Vec<Letter>,
    changes: u64,
    chance: fastrand::Rng,
}

impl Mailbox {
    pub(super) fn new(address: &str, chance: fastrand::Rng) -> Self {
        Self {
            address: address.to_owned(),
            state: State::default(),
            meter: Meter::default(),
            messages: Vec::new(),
            leaving: Vec::new(),
            outgoing: Vec::new(),
            reports: Vec::new(),
            delivered: Vec::new(),
            changes: 0,
            chance,
        }
    }

    /// The messages in a folder, oldest first.
    pub(super) fn letters_in(&self, folder: Folder) -> Vec<Letter> {
        let inside = self.messages.iter().filter(|m| m.folder == folder);
        inside.map(|m| Letter::of(&self.address, m)).collect()
    }

    /// Stores a new draft and gives its place.
    pub(super) fn create(&mut self, input: MessageInput, now: Timestamp) -> &mut Message {
        let internet_message_id = input.internet_message_id.clone();
        let mut content = Content {
            importance: "normal".to_owned(),
            ..Content::default()
        };
        content.apply(input);
        self.store(content, internet_message_id, Folder::Drafts, now)
    }

    /// The message with an id of the asked-for kind; an id of the other kind is refused, because each
    /// request must say which kind it speaks: <https://learn.microsoft.com/graph/outlook-immutable-id>.
    pub(super) fn find(&mut self, id: &str, immutable: bool) -> Result<&mut Message, Refusal> {
        let named = |message: &&mut Message| message.immutable_id == id || message.id == id;
        // Most of what is asked for is new, and there may be thousands.
        let newest_first = self.messages.iter_mut().rev();
        let found = { newest_first }.find(named).ok_or_else(not_found)?;
        if (found.immutable_id == id) == immutable {
            return Ok(found);
        }
        tracing::error!("an id came without the preference for its kind");
        Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "ErrorInvalidIdMalformed",
            "Id is malformed.",
        ))
    }

    /// Changes a draft.
    pub(super) fn update(
        &mut self,
        id: &str,
        immutable: bool,
        input: MessageInput,
        now: Timestamp,
    ) -> Result<&Message, Refusal> {
        let change = self.next_change();
        let message = self.find(id, immutable)?;
        if input.internet_message_headers.is_some() {
            return Err(Refusal::unknown("changing internetMessageHeaders"));
        }
        if !message.is_draft {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "ErrorInvalidPropertyUpdateSentMessage",
                "The message was sent; its properties cannot be changed.",
            ));
        }
        if let Some(id) = &input.internet_message_id {
            message.internet_message_id.clone_from(id);
        }
        message.content.apply(input);
        message.modified = now;
        message.change = change;
        Ok(message)
    }

    /// Moves a message to Deleted Items, or out of the mailbox if it is there.
    pub(super) fn delete(&mut self, id: &str, immutable: bool) -> Result<(), Refusal> {
        let message = self.find(id, immutable)?;
        let (key, gone) = (
            message.immutable_id.clone(),
            message.folder == Folder::DeletedItems,
        );
        if gone {
            self.erase(&key);
        } else {
            self.relocate(&key, Folder::DeletedItems);
        }
        Ok(())
    }

    /// Takes a message out of the mailbox for good; whether it was there.
    pub(super) fn erase(&mut self, immutable_id: &str) -> bool {
        self.next_change();
        let before = self.messages.len();
        self.messages
            .retain(|message| message.immutable_id != immutable_id);
        self.messages.len() < before
    }

    /// Makes every moment this much older.
    pub(super) fn age(&mut self, by: SignedDuration) {
        self.next_change();
        self.meter.age(by);
        for message in &mut self.messages {
            message.age(by);
        }
        for outgoing in &mut self.outgoing {
            outgoing.delivered = after(outgoing.delivered, -by);
        }
        for report in &mut self.reports {
            report.due = after(report.due, -by);
        }
        for letter in &mut self.delivered {
            letter.sent_at = after(letter.sent_at, -by);
        }
    }

    pub(super) fn store(
        &mut self,
        content: Content,
        internet_message_id: Option<String>,
        folder: Folder,
        now: Timestamp,
    ) -> &mut Message {
        let random = self.chance.u128(..);
        let message = Message {
            id: self.draw_id("AAMkAG"),
            immutable_id: self.draw_id("AAkALg"),
            folder,
            folder_id: self.folder_id(folder),
            is_draft: folder == Folder::Drafts,
            leaves: None,
            created: now,
            modified: now,
            sent: now,
            change: self.next_change(),
            internet_message_id: internet_message_id
                .unwrap_or_else(|| format!("<{random:032X}@sandbox.prod.outlook.com>")),
            conversation_id: format!("AAQkAG{:032x}=", random.reverse_bits()),
            content,
        };
        self.messages.push_mut(message)
    }

    pub(super) fn relocate(&mut self, key: &str, folder: Folder) {
        let (id, change) = (self.draw_id("AAMkAG"), self.next_change());
        let folder_id = self.folder_id(folder);
        if let Ok(message) = self.find(key, true) {
            message.id = id;
            message.change = change;
            message.folder = folder;
            message.folder_id = folder_id;
        }
    }

    /// The opaque id of a folder: the same at each call, another for each mailbox.
    pub(super) fn folder_id(&self, folder: Folder) -> String {
        use base64::Engine;
        let name = format!("{}/{folder:?}", self.address.to_lowercase());
        let encoded = base64::engine::general_purpose::URL_SAFE.encode(name);
        format!("AAMkAGF{encoded}")
    }

    /// A new id: opaque, case-sensitive, and with signs that an address must escape or may not.
    fn draw_id(&mut self, prefix: &str) -> String {
        use base64::Engine;
        let mut bytes = [0; 32];
        self.chance.fill(&mut bytes);
        let encoded = base64::engine::general_purpose::URL_SAFE.encode(bytes);
        format!("{prefix}{encoded}")
    }

    /// Grows with every change of what is in the mailbox, and of what became of it.
    pub(super) fn touched(&self) -> u64 {
        self.changes
    }

    pub(super) fn next_change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }
}

pub(super) fn not_found() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "ErrorItemNotFound",
        "The specified object was not found in the store.",
    )
}
