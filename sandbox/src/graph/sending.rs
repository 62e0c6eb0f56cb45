//! How a letter leaves a mailbox: the checks, the move to Sent Items, delivery and reports.
//!
//! The order is that of <https://learn.microsoft.com/graph/outlook-things-to-know-about-send-mail>: what is
//! wrong with the list of recipients is refused at once, what is wrong with a recipient comes back later
//! as a report. An accepted message is a draft until transport takes it.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::input::{MessageInput, Recipient};
use super::letter::Letter;
use super::limits::after;
use super::mailbox::{Mailbox, not_found};
use super::message::{Class, Content, Folder, Message};
use super::operation::Refusal;
use super::rules::{Rules, SecondSend};

/// A letter between the mailbox and its recipients.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) delivered: Timestamp,
    pub(super) letter: Letter,
    conversation_id: String,
    /// Recipients that it will not reach.
    lost: Vec<String>,
    report_delay: SignedDuration,
    reports_answer: bool,
}

/// A report on its way back to the sender of a letter.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) due: Timestamp,
    recipient: String,
    subject: String,
    /// `Message-ID` of the letter it is about, where it says so.
    in_reply_to: Option<String>,
    conversation_id: Option<String>,
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
        let due = self.reports.extract_if(.., |report| report.due <= now);
        for report in due.collect::<Vec<_>>() {
            self.report(report);
        }
    }

    fn submit(&mut self, message: &Message, now: Timestamp, rules: &Rules) -> Result<(), Refusal> {
        self.check_sending(message)?;
        let recipients = message.content.recipients().count();
        let delivered = self.meter.submit(now, recipients, rules)?;
        let mut letter = Letter::of(&self.address, message);
        letter.sent_at = delivered;
        let lost = letter.to.extract_if(.., |address| rules.loses(address));
        let lost = lost.collect();
        self.outgoing.push(Outgoing {
            delivered,
            letter,
            conversation_id: message.conversation_id.clone(),
            lost,
            report_delay: rules.report_delay,
            reports_answer: rules.reports_answer,
        });
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

    /// Delivers a letter to those it reaches; the others are reported on.
    fn deliver(&mut self, outgoing: Outgoing) {
        self.next_change();
        let letter = outgoing.letter;
        let answered = outgoing.reports_answer;
        let in_reply_to = answered.then(|| letter.internet_message_id.clone());
        for recipient in outgoing.lost {
            self.reports.push(Report {
                due: after(outgoing.delivered, outgoing.report_delay),
                recipient,
                subject: letter.subject.clone(),
                in_reply_to: in_reply_to.clone(),
                conversation_id: Some(outgoing.conversation_id.clone()),
            });
        }
        if !letter.to.is_empty() {
            self.delivered.push(letter);
        }
    }

    /// Puts an ordinary message into the Inbox.
    pub(super) fn receive(&mut self, subject: &str, now: Timestamp) {
        let person = Recipient::new("Somebody", "somebody@elsewhere.example");
        let content = Content {
            subject: subject.to_owned(),
            importance: "normal".to_owned(),
            to: vec![Recipient::new(&self.address, &self.address)],
            from: Some(person.clone()),
            sender: Some(person),
            ..Content::default()
        };
        self.store(content, None, Folder::Inbox, now);
    }

    /// Lets a report arrive that says nothing of the letter it is about, as other mail systems send them.
    pub(super) fn strange_report(&mut self, now: Timestamp) {
        self.report(Report {
            due: now,
            recipient: "somebody@elsewhere.example".to_owned(),
            subject: "Hello".to_owned(),
            in_reply_to: None,
            conversation_id: None,
        });
    }

    /// Puts a non-delivery report into the Inbox. It answers the letter, and joins its conversation.
    fn report(&mut self, report: Report) {
        let domain = self.address.rsplit('@').next().unwrap_or_default();
        let postmaster = format!("postmaster@{domain}");
        let recipient = report.recipient;
        let content = Content {
            subject: format!("Undeliverable: {}", report.subject),
            is_text: true,
            body: format!("Delivery has failed to {recipient}: nobody is there (550 5.1.10)."),
            importance: "normal".to_owned(),
            to: vec![Recipient::new(&self.address, &self.address)],
            from: Some(Recipient::new("Microsoft Outlook", &postmaster)),
            sender: Some(Recipient::new("Microsoft Outlook", &postmaster)),
            class: Class::NonDelivery,
            in_reply_to: report.in_reply_to,
            ..Content::default()
        };
        let message = self.store(content, None, Folder::Inbox, report.due);
        if let Some(conversation_id) = report.conversation_id {
            message.conversation_id = conversation_id;
        }
    }
}
