//! Owns a letter's JSON, and the delivery key by which the mailbox remembers it.

use serde::Serialize;

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

impl<'a> Message<'a> {
    pub(super) fn written(self) -> Written<'a> {
        let to = vec![Recipient::new(self.to, Some(self.to_name))];
        let reply_to = self.reply_to.map(|address| [Recipient::new(address, None)]);
        Written {
            reply_to,
            ..Written::new(self.subject, self.html, to, self.key)
        }
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

impl<'a> Circular<'a> {
    pub(super) fn written(self) -> Written<'a> {
        let to = self.to.iter();
        let to = to.map(|address| Recipient::new(address, None));
        Written::new(self.subject, self.html, to.collect(), self.key)
    }
}

/// A message on the wire. <https://learn.microsoft.com/graph/api/resources/message>
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written<'a> {
    subject: &'a str,
    body: Body<'a>,
    to_recipients: Vec<Recipient<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<[Recipient<'a>; 1]>,
    internet_message_headers: [Header; 1],
    single_value_extended_properties: [Property<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    content_type: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Recipient<'a> {
    email_address: Address<'a>,
}

#[derive(Serialize)]
struct Address<'a> {
    address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct Header {
    name: &'static str,
    value: &'static str,
}

#[derive(Serialize)]
struct Property<'a> {
    id: &'static str,
    value: &'a str,
}

impl<'a> Written<'a> {
    fn new(subject: &'a str, html: &'a str, to: Vec<Recipient<'a>>, key: &'a str) -> Self {
        Self {
            subject,
            body: Body {
                content_type: "HTML",
                content: html,
            },
            to_recipients: to,
            reply_to: None,
            // Out-of-office answers to a machine help nobody.
            internet_message_headers: [Header {
                name: "X-Auto-Response-Suppress",
                value: "All",
            }],
            single_value_extended_properties: [Property {
                id: DELIVERY_KEY,
                value: key,
            }],
        }
    }
}

impl<'a> Recipient<'a> {
    fn new(address: &'a str, name: Option<&'a str>) -> Self {
        Self {
            email_address: Address { address, name },
        }
    }
}

/// The messages with a delivery key. Keys hold no quote: they are ids, words and numbers.
pub(super) fn key_filter(key: &str) -> String {
    format!(
        "singleValueExtendedProperties/Any(ep: ep/id eq '{DELIVERY_KEY}' and ep/value eq '{}')",
        key.replace('\'', "''")
    )
}
