//! A message as a mailbox keeps it, and as JSON.
//!
//! The JSON has the properties of <https://learn.microsoft.com/graph/api/resources/message>. Extended
//! properties and internet headers are shown only to those who ask for them. Exchange rewrites the HTML it
//! is given; so does this.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::input::{HeaderInput, MessageInput, Recipient};
use super::limits::after;

/// Property tags of the class, and of the id of the message that a reply or a report is about.
/// <https://learn.microsoft.com/graph/api/resources/extended-properties-overview>
pub(super) const MESSAGE_CLASS: &str = "String 0x001A";
pub(super) const IN_REPLY_TO: &str = "String 0x1042";

const META: &str = r#"<meta http-equiv="Content-Type" content="text/html; charset=utf-8">"#;
/// Longest preview of a body, in characters.
const PREVIEW_CHARACTERS: usize = 255;

/// The folders that the sandbox knows, by their well-known names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Folder {
    Drafts,
    SentItems,
    Inbox,
    DeletedItems,
}

impl Folder {
    /// The folder with a well-known name, which compares without case.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "drafts" => Some(Self::Drafts),
            "sentitems" => Some(Self::SentItems),
            "inbox" => Some(Self::Inbox),
            "deleteditems" => Some(Self::DeletedItems),
            _ => None,
        }
    }
}

/// One message. Its id changes when it moves, its immutable id never does.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) immutable_id: String,
    pub(super) folder: Folder,
    pub(super) folder_id: String,
    pub(super) is_draft: bool,
    /// When a message that was handed over for sending leaves the drafts.
    pub(super) leaves: Option<Timestamp>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) sent: Timestamp,
    pub(super) change: u64,
    pub(super) internet_message_id: String,
    pub(super) conversation_id: String,
    pub(super) content: Content,
}

/// What a message is.
/// <https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxomsg/6f3751db-583b-4b31-b2ed-58fcc440e5b9>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Class {
    /// A letter, sent or received.
    #[default]
    Letter,
    /// A report that a letter was not delivered.
    NonDelivery,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Letter => "IPM.Note",
            Self::NonDelivery => "REPORT.IPM.Note.NDR",
        }
    }
}

/// What people wrote.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pub(super) subject: String,
    pub(super) is_text: bool,
    pub(super) body: String,
    pub(super) importance: String,
    pub(super) to: Vec<Recipient>,
    pub(super) cc: Vec<Recipient>,
    pub(super) bcc: Vec<Recipient>,
    pub(super) reply_to: Vec<Recipient>,
    pub(super) from: Option<Recipient>,
    pub(super) sender: Option<Recipient>,
    pub(super) categories: Vec<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) delivery_receipt: bool,
    pub(super) read_receipt: bool,
    pub(super) class: Class,
    /// The `Message-ID` of the message it answers or reports on.
    pub(super) in_reply_to: Option<String>,
}

impl Content {
    /// Takes over what the input has and leaves the rest.
    pub(super) fn apply(&mut self, input: MessageInput) {
        self.properties.extend(input.properties());
        set(&mut self.subject, input.subject);
        let importance = input.importance.map(|text| text.to_ascii_lowercase());
        set(&mut self.importance, importance);
        set(&mut self.to, input.to_recipients);
        set(&mut self.cc, input.cc_recipients);
        set(&mut self.bcc, input.bcc_recipients);
        set(&mut self.reply_to, input.reply_to);
        set(&mut self.categories, input.categories);
        set(
            &mut self.delivery_receipt,
            input.is_delivery_receipt_requested,
        );
        set(&mut self.read_receipt, input.is_read_receipt_requested);
        self.from = input.from.or(self.from.take());
        self.sender = input.sender.or(self.sender.take());
        let pair = |header: HeaderInput| (header.name, header.value);
        let headers = input.internet_message_headers;
        set(
            &mut self.headers,
            headers.map(|list| list.into_iter().map(pair).collect()),
        );
        if let Some(body) = input.body {
            let kind = body.content_type.unwrap_or_else(|| "text".to_owned());
            self.is_text = kind.eq_ignore_ascii_case("text");
            let content = body.content.unwrap_or_default();
            self.body = if self.is_text {
                content
            } else {
                rewritten(&content)
            };
        }
    }

    /// Everyone the message goes to.
    pub(super) fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

fn set<T>(target: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *target = value;
    }
}

/// The HTML as Exchange stores it: a whole document that names its character set.
fn rewritten(html: &str) -> String {
    if let Some(start) = html.find("<head>") {
        let (before, inside) = html.split_at(start + "<head>".len());
        return format!("{before}\r\n{META}{inside}");
    }
    if let Some(start) = html.find("<body") {
        let (before, body) = html.split_at(start);
        return format!("{before}<head>\r\n{META}</head>{body}");
    }
    format!("<html><head>\r\n{META}</head><body>{html}</body></html>")
}

/// The text of a body without its tags, for the preview.
fn preview(body: &str) -> String {
    let mut inside = false;
    let text = body.chars().filter(|&c| {
        let tag = inside || c == '<';
        inside = (inside || c == '<') && c != '>';
        !tag
    });
    text.take(PREVIEW_CHARACTERS).collect()
}

impl Message {
    /// Makes every moment this much older.
    pub(super) fn age(&mut self, by: SignedDuration) {
        for moment in [&mut self.created, &mut self.modified, &mut self.sent] {
            *moment = after(*moment, -by);
        }
        self.leaves = self.leaves.map(|moment| after(moment, -by));
    }

    /// The value of an extended property.
    pub(super) fn extended(&self, id: &str) -> Option<&str> {
        match id {
            MESSAGE_CLASS => Some(self.content.class.name()),
            IN_REPLY_TO => self.content.in_reply_to.as_deref(),
            _ => self.content.properties.get(id).map(String::as_str),
        }
    }

    /// Every property, the hidden ones left out.
    pub(super) fn to_json(&self, immutable_ids: bool) -> Value {
        let content = &self.content;
        let kind = if content.is_text { "text" } else { "html" };
        json!({
            "@odata.etag": format!("W/\"{}\"", self.change_key()),
            "id": if immutable_ids { &self.immutable_id } else { &self.id },
            "createdDateTime": seconds(self.created),
            "lastModifiedDateTime": seconds(self.modified),
            "changeKey": self.change_key(),
            "categories": content.categories,
            "receivedDateTime": seconds(self.sent),
            "sentDateTime": seconds(self.sent),
            "hasAttachments": false,
            "internetMessageId": self.internet_message_id,
            "conversationId": self.conversation_id,
            "subject": content.subject,
            "bodyPreview": preview(&content.body),
            "importance": content.importance,
            "parentFolderId": self.folder_id,
            "isDeliveryReceiptRequested": content.delivery_receipt,
            "isReadReceiptRequested": content.read_receipt,
            "isRead": self.folder != Folder::Inbox,
            "isDraft": self.is_draft,
            "body": {"contentType": kind, "content": content.body},
            "sender": content.sender,
            "from": content.from,
            "toRecipients": people(&content.to),
            "ccRecipients": people(&content.cc),
            "bccRecipients": people(&content.bcc),
            "replyTo": people(&content.reply_to),
            "flag": {"flagStatus": "notFlagged"},
        })
    }

    /// The internet headers, which sent copies do not show.
    pub(super) fn headers_json(&self) -> Option<Value> {
        let pair = |(name, value): &(String, String)| json!({"name": name, "value": value});
        let headers: Vec<Value> = self.content.headers.iter().map(pair).collect();
        (self.is_draft && !headers.is_empty()).then(|| headers.into())
    }

    fn change_key(&self) -> String {
        format!("CQAAABYAAAB{:06}", self.change)
    }
}

/// A moment as Graph writes it: to the second.
pub(super) fn seconds(moment: Timestamp) -> String {
    let whole = Timestamp::from_second(moment.as_second());
    whole.unwrap_or(moment).to_string()
}

/// Recipients with a name each: the address where none was given.
fn people(recipients: &[Recipient]) -> Value {
    let shown = recipients.iter().map(|recipient| {
        let name = recipient.email_address.name.as_deref();
        Recipient::new(name.unwrap_or(recipient.address()), recipient.address())
    });
    json!(shown.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_rewritten_and_text_is_not() {
        let mut content = Content::default();
        for (html, stored) in [
            (
                "<p>a</p>",
                format!("<html><head>\r\n{META}</head><body><p>a</p></body></html>"),
            ),
            (
                "<html><head><title>",
                format!("<html><head>\r\n{META}<title>"),
            ),
            (
                "<html><body>a",
                format!("<html><head>\r\n{META}</head><body>a"),
            ),
        ] {
            let body = json!({"body": {"contentType": "HTML", "content": html}});
            content.apply(MessageInput::read(&body).unwrap());
            assert_eq!(content.body, stored);
        }
        let body = json!({"body": {"contentType": "Text", "content": "<p>"}});
        content.apply(MessageInput::read(&body).unwrap());
        assert_eq!(content.body, "<p>");
    }

    #[test]
    fn previews_have_no_tags() {
        assert_eq!(preview("<p class='a'>One <b>two</b></p>"), "One two");
        assert_eq!(preview(&"a".repeat(300)).len(), 255);
    }
}
