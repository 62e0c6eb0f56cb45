//! How a letter leaves a mailbox: the checks, the move to Sent Items, delivery and reports.
//!
//! The order is that of <https://learn.microsoft.com/graph/outlook-things-to-know-about-send-mail>: what is
//! wrong with the list of recipients is refused at once, what is wrong with a recipient comes back later
//! as a report. An accepted message is a draft until transport takes it.

use http::StatusCode;
use jiff::Timestamp;

use super::input::{MessageInput, Recipient};
use super::letter::Letter;
use super::limits::after;
use super::mailbox::{Mailbox, not_found};
use super::message::{Content, Folder, Message};
use super::operation::Refusal;
use super::rules::{Rules, SecondSend};

/// A letter between the mailbox and its recipients.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) delivered: Timestamp,
    letter: Letter,
}

impl Mailbox {
    /// Hands a stored draft over for sending.
    ///
    /// A draft that was handed over and is still in Drafts goes out once more: nothing public says that
    /// Exchange refuses it, so this takes the worse case.
    pub(super) fn send(
        &mut self,
        id: &str,
        immutable: bool,
        now: Timestamp,
        rules: &Rules,
    ) -> Result<(), Refusal> {
        let change = self.next_change();
        let message = self.find(id, immutable)?;
        if !message.is_draft {
            return Err(match rules.second_send {
                SecondSend::NotFound => not_found(),
                SecondSend::BadRequest => Refusal::new(
                    StatusCode::BAD_REQUEST,
                    "ErrorInvalidOperation",
                    "The message is not a draft.",
                ),
            });
        }
        let mut message = message.clone();
        self.submit(&message, now, rules)?;
        message.modified = now;
        message.change = change;
        message.leaves = Some(after(now, rules.sending_delay));
        let own = Recipient::new(&self.address, &self.address);
        message.content.from.get_or_insert_with(|| own.clone());
        message.content.sender.get_or_insert(own);
        self.leaving.push(message.immutable_id.clone());
        *self.find(id, immutable)? = message;
        Ok(())
    }

    /// Sends a message at once, with a copy in Sent Items if `save`.
    pub(super) fn send_mail(
        &mut self,
        input: MessageInput,
        save: bool,
        now: Timestamp,
        rules: &Rules,
    ) -> Result<(), Refusal> {
        let key = self.create(input, now).immutable_id.clone();
        let sent = self.send(&key, true, now, rules);
        if sent.is_err() || !save {
            self.erase(&key);
        }
        sent
    }

    /// Lets everything happen that is due by `now`.
    pub(super) fn settle(&mut self, now: Timestamp) {
        for key in std::mem::take(&mut self.leaving) {
            if !self.leave(&key, now) {
                self.leaving.push(key);
            }
        }
        let due = self
            .outgoing
            .extract_if(.., |outgoing| outgoing.delivered <= now);
        let mut due: Vec<Outgoing> = due.collect();
        due.sort_by_key(|outgoing| outgoing.delivered);
        for outgoing in due {
            self.deliver(outgoing);
        }
    }

    fn submit(&mut self, message: &Message, now: Timestamp, rules: &Rules) -> Result<(), Refusal> {
        self.check_sending(message)?;
        let recipients = message.content.recipients().count();
        let delivered = self.meter.submit(now, recipients, rules)?;
        let mut letter = Letter::of(&self.address, message);
        letter.sent_at = delivered;
        self.outgoing.push(Outgoing { delivered, letter });
        Ok(())
    }

    fn check_sending(&self, message: &Message) -> Result<(), Refusal> {
        let mut recipients = message.content.recipients().peekable();
        if recipients.peek().is_none() || recipients.any(|r| !r.is_well_formed()) {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "ErrorInvalidRecipients",
                "At least one recipient isn't valid.",
            ));
        }
        let mut senders = (message.content.from.iter()).chain(&message.content.sender);
        if senders.any(|sender| !sender.address().eq_ignore_ascii_case(&self.address)) {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "ErrorSendAsDenied",
                "The user account does not have the right to send mail on behalf of the specified sending account.",
            ));
        }
        Ok(())
    }

    /// Moves a message that was handed over to Sent Items, unless it is not due; whether that is settled.
    fn leave(&mut self, key: &str, now: Timestamp) -> bool {
        let Ok(message) = self.find(key, true) else {
            return true;
        };
        match message.leaves {
            Some(moment) if moment > now => return false,
            Some(moment) => {
                message.leaves = None;
                message.is_draft = false;
                message.sent = moment;
                message.modified = moment;
                if message.folder == Folder::Drafts {
                    self.relocate(key, Folder::SentItems);
                }
            }
            None => {}
        }
        true
    }

    /// Delivers a letter, or reports back for recipients whose domain does not exist.
    fn deliver(&mut self, outgoing: Outgoing) {
        let mut letter = outgoing.letter;
        let is_lost = |address: &mut String| address.to_ascii_lowercase().ends_with(".invalid");
        for address in letter.to.extract_if(.., is_lost) {
            self.report(&address, &letter.subject, outgoing.delivered);
        }
        if !letter.to.is_empty() {
            self.delivered.push(letter);
        }
    }

    /// Puts a non-delivery report into the Inbox.
    fn report(&mut self, recipient: &str, subject: &str, now: Timestamp) {
        let domain = self.address.rsplit('@').next().unwrap_or_default();
        let postmaster = format!("postmaster@{domain}");
        let content = Content {
            subject: format!("Undeliverable: {subject}"),
            is_text: true,
            body: format!(
                "Delivery has failed to {recipient}: the domain does not exist (550 5.4.310)."
            ),
            importance: "normal".to_owned(),
            to: vec![Recipient::new(&self.address, &self.address)],
            from: Some(Recipient::new("Microsoft Outlook", &postmaster)),
            sender: Some(Recipient::new("Microsoft Outlook", &postmaster)),
            ..Content::default()
        };
        self.store(content, None, Folder::Inbox, now);
    }
}
