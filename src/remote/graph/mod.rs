//! Owns Microsoft Graph mail: drafts, sending, and finding out what became of a letter.
//!
//! Graph has no idempotency. The witness is the mailbox: every message carries its delivery key as an extended
//! property, and immutable ids stay the same when a draft becomes a sent message.
//! <https://learn.microsoft.com/graph/outlook-immutable-id>
//! <https://learn.microsoft.com/graph/outlook-things-to-know-about-send-mail>

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use url::Url;

use super::budget::Budget;
use super::endpoint::{Call, Endpoint};
use super::error::{RemoteError, Service};
use super::http::{Reply, Transport};
use super::identity::Identity;
use super::retry::Repeat;
use crate::chance::Chance;
use crate::clock::Clock;

mod batch;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod mailbox;
mod message;
mod reports;
mod sending;

pub use batch::Answer;
use batch::Request;
pub use message::{Circular, Message};
pub use reports::{Inspection, Report};

/// Requests in one JSON batch. <https://learn.microsoft.com/graph/json-batching>
pub const REQUESTS_A_BATCH: usize = 20;

/// Calls out at once, over all mailboxes; the bound a mailbox is kept by whoever sends.
const WIDTH: usize = 32;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Microsoft Graph.
#[derive(Clone, Debug)]
pub struct Graph {
    endpoint: Arc<Endpoint>,
    root: Url,
}

/// A message as the mailbox has it.
#[derive(Debug)]
pub struct Found {
    /// Whether it is still a draft.
    pub draft: bool,
    /// When the mailbox last changed it, by the mailbox's clock.
    pub modified: Timestamp,
    /// Its HTML.
    pub html: String,
}

/// What looking at a mailbox gave, and the mailbox's clock at that moment.
#[derive(Debug)]
pub struct Look<T> {
    /// What was found.
    pub found: T,
    /// The service's own time.
    pub at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageRow {
    #[serde(default)]
    is_draft: bool,
    last_modified_date_time: Option<Timestamp>,
    body: Option<Body>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    content: String,
}

#[derive(Default, Deserialize)]
struct Draft {
    id: String,
}

#[derive(Deserialize)]
struct Rows {
    value: Vec<MessageRow>,
}

const LOOK: &str = "look at letters in the mailbox";
const NO_LIST: &str = "the answer is no list of messages";
const FIELDS: &str = "isDraft,lastModifiedDateTime,body";

impl Graph {
    /// Graph at `address`, such as `https://graph.microsoft.com`.
    pub fn new(
        address: &Url,
        transport: Transport,
        identity: Arc<Identity>,
        (clock, chance): (Clock, Chance),
    ) -> Self {
        let address = address.as_str().trim_end_matches('/');
        let scope = format!("{address}/.default");
        let root = Url::parse(&format!("{address}/v1.0/"));
        let endpoint = Endpoint::new(
            Service::Graph,
            scope,
            transport,
            identity,
            (clock, chance),
            WIDTH,
        );
        Self {
            endpoint: Arc::new(endpoint),
            root: root
                .unwrap_or_else(|_| unreachable!("an address with a path appended is an address")),
        }
    }

    /// Makes drafts in one mailbox; the ids come back in the order of the messages.
    ///
    /// A draft whose answer is lost stays behind as an orphan: nothing ever sends it.
    pub async fn make_drafts(
        &self,
        mailbox: &str,
        messages: &[Message<'_>],
        budget: &Budget,
    ) -> Result<Vec<Answer<String>>, RemoteError> {
        const ACTION: &str = "draft letters";
        let path = messages_path(mailbox);
        let requests = messages
            .iter()
            .map(|message| Request::post(&path, Some(message.written())))
            .collect();
        let answers = self
            .batch(ACTION, requests, Repeat::Harmless, true, budget)
            .await?;
        Ok(answers
            .found
            .into_iter()
            .map(|answer| answer.map(draft_id))
            .collect())
    }

    /// Sends drafts of one mailbox. Never repeated: an unclear answer is for the caller to look into.
    pub async fn send_drafts(
        &self,
        mailbox: &str,
        ids: &[&str],
        budget: &Budget,
    ) -> Result<Vec<Answer<()>>, RemoteError> {
        let path = messages_path(mailbox);
        let send = |id: &&str| Request::post(&format!("{path}/{}/send", encoded(id)), None);
        let requests = ids.iter().map(send).collect();
        let answers = self
            .batch::<IgnoredAny>("send letters", requests, Repeat::Never, true, budget)
            .await?;
        Ok(answers
            .found
            .into_iter()
            .map(|answer| answer.map(|_| ()))
            .collect())
    }

    /// Looks at messages by id; `None` where the mailbox has no such message.
    pub async fn look(
        &self,
        mailbox: &str,
        ids: &[&str],
        budget: &Budget,
    ) -> Result<Look<Vec<Option<Found>>>, RemoteError> {
        let path = messages_path(mailbox);
        let get = |id: &&str| Request::get(&format!("{path}/{}?$select={FIELDS}", encoded(id)));
        let requests = ids.iter().map(get).collect();
        let answers = self
            .batch(LOOK, requests, Repeat::Harmless, false, budget)
            .await?;
        let found = answers.found.into_iter().map(|answer| match answer {
            Answer::Done(row) => Ok(row.map(<Found as From<MessageRow>>::from)),
            Answer::Refused(refusal) if refusal.status == 404 => Ok(None),
            other => Err(other.into_error(LOOK)),
        });
        Ok(Look {
            found: found.collect::<Result<_, _>>()?,
            at: answers.at,
        })
    }

    /// Looks the whole mailbox through for a delivery key, sent messages before drafts.
    pub async fn find(
        &self,
        mailbox: &str,
        key: &str,
        budget: &Budget,
    ) -> Result<Option<Found>, RemoteError> {
        let filter = message::key_filter(key);
        let path = format!(
            "{}?$filter={}&$select={FIELDS}",
            messages_path(mailbox),
            encoded(&filter)
        );
        let answers = self
            .batch(
                LOOK,
                vec![Request::get(&path)],
                Repeat::Harmless,
                false,
                budget,
            )
            .await?;
        match answers.found.into_iter().next() {
            Some(Answer::Done(rows)) => {
                let Rows { value } = rows.ok_or_else(|| self.endpoint.unreadable(LOOK, NO_LIST))?;
                Ok(value
                    .into_iter()
                    .map(Found::from)
                    .min_by_key(|found| found.draft))
            }
            Some(other) => Err(other.into_error(LOOK)),
            None => Err(self.endpoint.unreadable(LOOK, "no answer in the batch")),
        }
    }

    async fn batch<T: DeserializeOwned>(
        &self,
        action: &'static str,
        requests: Vec<Request<'_>>,
        repeat: Repeat,
        effect: bool,
        budget: &Budget,
    ) -> Result<Look<Vec<Answer<Option<T>>>>, RemoteError> {
        let count = requests.len();
        let reply = self
            .post(
                action,
                "$batch",
                &batch::encode(&requests),
                repeat,
                effect,
                budget,
            )
            .await?;
        if !reply.status.is_success() {
            return Err(self.endpoint.refused(action, &reply));
        }
        let now = self.endpoint.now();
        let found = batch::decode(&reply.body, count, now)
            .map_err(|detail| self.endpoint.unreadable(action, detail))?;
        let at = service_time(&reply).unwrap_or(now);
        Ok(Look { found, at })
    }

    async fn post(
        &self,
        action: &'static str,
        path: &str,
        body: &impl Serialize,
        repeat: Repeat,
        effect: bool,
        budget: &Budget,
    ) -> Result<Reply, RemoteError> {
        let url = format!("{}{path}", self.root);
        let body = serde_json::to_vec(body)
            .map_err(|error| self.endpoint.unreadable(action, error.to_string()))?;
        let call = Call {
            action,
            method: Method::POST,
            url: Url::parse(&url)
                .map_err(|error| self.endpoint.unreadable(action, error.to_string()))?,
            headers: headers(),
            body: Bytes::from(body),
            effect,
            repeat,
            timeout: TIMEOUT,
        };
        self.endpoint.call(&call, budget).await
    }
}

impl From<MessageRow> for Found {
    fn from(row: MessageRow) -> Self {
        Self {
            draft: row.is_draft,
            modified: row.last_modified_date_time.unwrap_or(Timestamp::UNIX_EPOCH),
            html: row.body.map(|body| body.content).unwrap_or_default(),
        }
    }
}

/// An answer without an id is a draft nobody can send: an empty id says so.
fn draft_id(draft: Option<Draft>) -> String {
    draft.unwrap_or_default().id
}

fn messages_path(mailbox: &str) -> String {
    format!("users/{}/messages", encoded(mailbox))
}

fn encoded(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}

/// The mailbox's clock is not ours; waiting times around a draft are measured on its own.
fn service_time(reply: &Reply) -> Option<Timestamp> {
    let date = reply.headers.get(header::DATE)?.to_str().ok()?;
    Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp())
}

fn headers() -> HeaderMap {
    HeaderMap::from_iter([
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::ACCEPT, HeaderValue::from_static("application/json")),
    ])
}
