//! Which messages and properties a reader gets: `$filter`, `$select`, `$expand`, `$top`, `$skip`.
//!
//! Options are those of <https://learn.microsoft.com/graph/query-parameters>; the ones that the sandbox does
//! not know are refused with 501, never ignored.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::filter::Filter;
use super::message::{IN_REPLY_TO, MESSAGE_CLASS, Message};
use super::operation::{Operation, Refusal};

/// Messages on a page where `$top` does not say, and the most it may say.
const PAGE: usize = 10;
const LARGEST_PAGE: usize = 1000;

/// What a reader asked for.
#[derive(Debug, Default)]
pub(super) struct View {
    filter: Option<Filter>,
    select: Option<Vec<String>>,
    expand: Option<String>,
    top: Option<usize>,
    skip: usize,
    pub(super) immutable_ids: bool,
}

impl View {
    /// Reads the options; those that make a page of a collection only if `collection`.
    pub(super) fn read(operation: &Operation, collection: bool) -> Result<Self, Refusal> {
        let mut view = Self {
            immutable_ids: operation.prefers_immutable_ids()?,
            ..Self::default()
        };
        for (name, value) in &operation.query {
            match name.as_str() {
                "$select" => view.select = Some(selected(value)?),
                "$expand" => view.expand = Some(expanded(value)?),
                "$filter" if collection => view.filter = Some(filtered(value)?),
                "$top" if collection => view.top = Some(number(value, 1..=LARGEST_PAGE)?),
                "$skip" if collection => view.skip = number(value, 0..=usize::MAX)?,
                _ => return Err(Refusal::unknown(format!("the query option {name}"))),
            }
        }
        Ok(view)
    }

    /// One message as the reader sees it.
    pub(super) fn show(&self, message: &Message) -> Value {
        let mut all = message.to_json(self.immutable_ids);
        if let Some(properties) = self.expansion(message) {
            all["singleValueExtendedProperties"] = properties;
        }
        let Some(names) = &self.select else {
            return all;
        };
        if names.iter().any(|name| name == "internetMessageHeaders")
            && let Some(headers) = message.headers_json()
        {
            all["internetMessageHeaders"] = headers;
        }
        let always = ["@odata.etag", "id", "singleValueExtendedProperties"];
        let mut shown = Map::new();
        for (name, value) in all.as_object_mut().into_iter().flatten() {
            let chosen = names.iter().any(|chosen| chosen.eq_ignore_ascii_case(name));
            if chosen || always.contains(&name.as_str()) {
                shown.insert(name.clone(), value.take());
            }
        }
        shown.into()
    }

    /// A page of the messages that pass, newest first, with a link to the next.
    pub(super) fn page<'a>(
        &self,
        messages: impl Iterator<Item = &'a Message>,
        operation: &Operation,
    ) -> Value {
        let passing = messages.filter(|message| self.passes(message));
        let mut passing: Vec<&Message> = passing.collect();
        passing.sort_by_key(|message| std::cmp::Reverse((message.created, message.change)));
        let top = self.top.unwrap_or(PAGE);
        let page = passing.iter().skip(self.skip).take(top);
        let value: Vec<Value> = page.map(|message| self.show(message)).collect();
        let mut body = json!({"value": value});
        if self.skip + top < passing.len() {
            body["@odata.nextLink"] = next_link(operation, self.skip + top).into();
        }
        body
    }

    fn passes(&self, message: &Message) -> bool {
        let extended = |id: &str| message.extended(id);
        (self.filter.as_ref())
            .is_none_or(|filter| filter.matches(&message.to_json(false), extended))
    }

    fn expansion(&self, message: &Message) -> Option<Value> {
        let id = self.expand.as_ref()?;
        let value = message.extended(id)?;
        Some(json!([{"id": id, "value": value}]))
    }
}

fn next_link(operation: &Operation, skip: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let kept = operation.query.iter().filter(|(name, _)| name != "$skip");
    query.extend_pairs(kept);
    query.append_pair("$skip", &skip.to_string());
    format!("{}?{}", operation.address, query.finish())
}

fn selected(value: &str) -> Result<Vec<String>, Refusal> {
    let names: Vec<String> = value
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect();
    match names.iter().find(|name| {
        !PROPERTIES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    }) {
        Some(name) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "RequestBroker--ParseUri",
            format!("Could not find a property named '{name}' on type 'microsoft.graph.message'."),
        )),
        None => Ok(names),
    }
}

/// Properties that `$select` may name.
const PROPERTIES: [&str; 26] = [
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "conversationId",
    "internetMessageHeaders",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "body",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
];

/// Whether readers may ask for an extended property: those that people name, and two that Exchange sets.
pub(super) fn is_readable(id: &str) -> bool {
    super::input::is_property_id(id) || [MESSAGE_CLASS, IN_REPLY_TO].contains(&id)
}

/// The id in `singleValueExtendedProperties($filter=id eq '...')`.
fn expanded(value: &str) -> Result<String, Refusal> {
    let id = value
        .strip_prefix("singleValueExtendedProperties($filter=id eq '")
        .and_then(|rest| rest.strip_suffix("')"))
        .filter(|id| is_readable(id));
    id.map(str::to_owned)
        .ok_or_else(|| Refusal::unknown("this $expand"))
}

fn filtered(value: &str) -> Result<Filter, Refusal> {
    Filter::parse(value).ok_or_else(|| Refusal::unknown(format!("the filter {value}")))
}

fn number(value: &str, range: std::ops::RangeInclusive<usize>) -> Result<usize, Refusal> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| Refusal::bad("A query option is not a number in its range."))
}
