//! Owns a letter's JSON, and the delivery key by which the mailbox remembers it.

use serde_json::{Value, json};

/// The extended property that holds the delivery key. It never leaves the mailbox.
/// <https://learn.microsoft.com/graph/api/resources/extended-properties-overview>
pub(super) const DELIVERY_KEY: &str =
    "String {5b6f2a0e-3c1d-4f5a-9d39-0c7a3b1b8f42} Name PortalInviteDelivery";

/// A letter as Graph takes it.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// Recipient's address.
    pub to: &'a str,
    /// Recipient's name.
    pub to_name: &'a str,
    /// Subject line.
    pub subject: &'a str,
    /// Body.
    pub html: &'a str,
    /// Where answers go, when not to the sender.
    pub reply_to: Option<&'a str>,
    /// What tells this delivery from every other.
    pub key: &'a str,
}

impl Message<'_> {
    /// <https://learn.microsoft.com/graph/api/resources/message>
    pub(super) fn to_json(self) -> Value {
        let to = json!([recipient(self.to, Some(self.to_name))]);
        let mut message = message(self.subject, self.html, &to, self.key);
        if let Some(address) = self.reply_to {
            message["replyTo"] = json!([recipient(address, None)]);
        }
        message
    }
}

/// One letter to several people who may know of each other.
#[derive(Clone, Copy)]
pub struct Circular<'a> {
    /// Recipients' addresses.
    pub to: &'a [String],
    /// Subject line.
    pub subject: &'a str,
    /// Body.
    pub html: &'a str,
    /// What tells this delivery from every other.
    pub key: &'a str,
}

impl Circular<'_> {
    pub(super) fn to_json(self) -> Value {
        let to = self.to.iter().map(|address| recipient(address, None));
        let to = Value::Array(to.collect());
        message(self.subject, self.html, &to, self.key)
    }
}

fn message(subject: &str, html: &str, to: &Value, key: &str) -> Value {
    json!({
        "subject": subject,
        "body": {"contentType": "HTML", "content": html},
        "toRecipients": to,
        // Out-of-office answers to a machine help nobody.
        "internetMessageHeaders": [{"name": "X-Auto-Response-Suppress", "value": "All"}],
        "singleValueExtendedProperties": [{"id": DELIVERY_KEY, "value": key}],
    })
}

fn recipient(address: &str, name: Option<&str>) -> Value {
    match name {
        Some(name) => json!({"emailAddress": {"address": address, "name": name}}),
        None => json!({"emailAddress": {"address": address}}),
    }
}

/// The messages with a delivery key. Keys hold no quote: they are ids, words and numbers.
pub(super) fn key_filter(key: &str) -> String {
    format!(
        "singleValueExtendedProperties/Any(ep: ep/id eq '{DELIVERY_KEY}' and ep/value eq '{}')",
        key.replace('\'', "''")
    )
}
