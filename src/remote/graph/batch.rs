//! Owns Graph's JSON batch: its shape, and what each answer means for a letter.
//!
//! Answers come in any order, each with its own status; the batch's own 200 says nothing about them.
//! <https://learn.microsoft.com/graph/json-batching>

use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::message::Written;
use crate::remote::error::{Refusal, RemoteError, Service, redact};
use crate::remote::retry::parse_retry_after;

/// What a mailbox says that has used up its day.
const EXCEEDED_QUOTA: &str = "ErrorExceededMessageLimit";

/// One request of a batch.
pub(super) struct Request<'a> {
    method: &'static str,
    url: String,
    message: Option<Written<'a>>,
}

impl<'a> Request<'a> {
    pub(super) fn get(path: &str) -> Self {
        Self {
            method: "GET",
            url: format!("/{path}"),
            message: None,
        }
    }

    pub(super) fn post(path: &str, message: Option<Written<'a>>) -> Self {
        Self {
            method: "POST",
            url: format!("/{path}"),
            message,
        }
    }
}

/// What a service said to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<T> {
    /// Done.
    Done(T),
    /// Surely not done; not before this wait is over.
    Wait(Duration),
    /// Surely not done, and never will be as it is.
    Refused(Refusal),
    /// Nobody knows.
    Unclear(String),
}

impl<T> Answer<T> {
    /// Changes what was done.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Done(value) => Answer::Done(change(value)),
            Self::Wait(wait) => Answer::Wait(wait),
            Self::Refused(refusal) => Answer::Refused(refusal),
            Self::Unclear(detail) => Answer::Unclear(detail),
        }
    }

    /// An answer that is not what was asked for.
    pub fn into_error(self, action: &'static str) -> RemoteError {
        let service = Service::Graph;
        match self {
            Self::Wait(wait) => RemoteError::Throttled {
                service,
                action,
                wait,
            },
            Self::Refused(refusal) => RemoteError::Refused {
                service,
                action,
                refusal,
            },
            Self::Unclear(detail) => RemoteError::Unclear {
                service,
                action,
                detail,
            },
            Self::Done(_) => RemoteError::Unreadable {
                service,
                action,
                detail: "an answer of another shape".to_owned(),
            },
        }
    }
}

/// A batch on the wire.
#[derive(Serialize)]
pub(super) struct Batch<'r> {
    requests: Vec<Item<'r>>,
}

#[derive(Serialize)]
struct Item<'r> {
    id: String,
    method: &'static str,
    url: &'r str,
    headers: Headers,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body<'r>>,
}

#[derive(Serialize)]
struct Headers {
    #[serde(rename = "Prefer")]
    prefer: &'static str,
    #[serde(rename = "Content-Type", skip_serializing_if = "Option::is_none")]
    content_type: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'r> {
    Message(&'r Written<'r>),
    Nothing {},
}

/// Puts requests into a batch. Ids are places in the list, so that answers find their way back.
pub(super) fn encode<'r>(requests: &'r [Request<'r>]) -> Batch<'r> {
    let items = requests.iter().enumerate().map(|(place, request)| {
        // A batch refuses a POST without body and content type, even where the call itself takes none.
        let has_body = request.method == "POST";
        let message = request.message.as_ref();
        Item {
            id: place.to_string(),
            method: request.method,
            url: &request.url,
            headers: Headers {
                prefer: "IdType=\"ImmutableId\"",
                content_type: has_body.then_some("application/json"),
            },
            body: has_body.then(|| message.map_or(Body::Nothing {}, Body::Message)),
        }
    });
    Batch {
        requests: items.collect(),
    }
}

#[derive(Deserialize)]
struct Responses<'b> {
    #[serde(borrow)]
    responses: Vec<Response<'b>>,
}

#[derive(Deserialize)]
struct Response<'b> {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    /// Left as it is written: the answer to a draft holds the whole letter, of which nobody needs more than the id.
    #[serde(borrow)]
    body: Option<&'b RawValue>,
}

impl Response<'_> {
    /// The body, where it can be read as that.
    fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.body?.get()).ok()
    }
}

/// Reads a batch answer into the order of the requests; what was done comes with its body, where that can be read.
pub(super) fn decode<T: DeserializeOwned>(
    body: &[u8],
    count: usize,
    now: Timestamp,
) -> Result<Vec<Answer<Option<T>>>, String> {
    let responses: Responses = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let missing = || Answer::Unclear("no answer in the batch".to_owned());
    let mut answers: Vec<_> = std::iter::repeat_with(missing).take(count).collect();
    for response in responses.responses {
        let place = response
            .id
            .parse::<usize>()
            .ok()
            .and_then(|place| answers.get_mut(place));
        if let Some(place) = place {
            *place = judge(&response, now);
        }
    }
    Ok(answers)
}

fn judge<T: DeserializeOwned>(response: &Response<'_>, now: Timestamp) -> Answer<Option<T>> {
    match response.status {
        200..300 => Answer::Done(response.read()),
        429 if refusal(response).code == EXCEEDED_QUOTA => Answer::Refused(refusal(response)),
        // 401 and 424: a token that ran out between the batch and the item, a dependency that failed. Not done.
        401 | 424 | 429 => Answer::Wait(wait(response, now)),
        408 | 500 | 502..=506 | 508..600 => Answer::Unclear(format!("HTTP {}", response.status)),
        _ => Answer::Refused(refusal(response)),
    }
}

fn wait(response: &Response<'_>, now: Timestamp) -> Duration {
    let header = response
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    let text = header.map(|(_, value)| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    });
    text.and_then(|text| parse_retry_after(&text, now))
        .unwrap_or(Duration::from_secs(5))
}

fn refusal(response: &Response<'_>) -> Refusal {
    let body: Value = response.read().unwrap_or_default();
    let words = |field: &str| redact(body["error"][field].as_str().unwrap_or_default());
    Refusal {
        status: response.status,
        code: words("code"),
        message: words("message"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_return_to_their_places_whatever_their_order() {
        let body = json!({"responses": [
            {"id": "2", "status": 429, "headers": {"Retry-After": "12"}, "body": {}},
            {"id": "0", "status": 202},
            {"id": "3", "status": 504, "body": {"error": {"code": "UnknownError"}}},
            {"id": "4", "status": 403, "body": {"error": {"code": "ErrorAccessDenied", "message": "to a@b.c"}}},
        ]});
        let text = body.to_string();
        let answers = decode::<Value>(text.as_bytes(), 5, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(answers[0], Answer::Done(None));
        assert!(
            matches!(answers[1], Answer::Unclear(_)),
            "a missing answer is no answer"
        );
        assert_eq!(answers[2], Answer::Wait(Duration::from_secs(12)));
        assert!(matches!(answers[3], Answer::Unclear(_)));
        let Answer::Refused(refusal) = &answers[4] else {
            panic!("403 is a refusal")
        };
        assert_eq!(
            (refusal.code.as_str(), refusal.message.as_str()),
            ("ErrorAccessDenied", "to [address]")
        );
    }

    #[test]
    fn a_daily_quota_is_no_ordinary_throttling() {
        let body = json!({"responses": [
            {"id": "0", "status": 429, "body": {"error": {"code": "ErrorExceededMessageLimit"}}}]});
        let text = body.to_string();
        let answers = decode::<Value>(text.as_bytes(), 1, Timestamp::UNIX_EPOCH).unwrap();
        assert!(matches!(&answers[0], Answer::Refused(refusal) if refusal.status == 429));
    }
}
