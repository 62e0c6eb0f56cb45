//! `$batch`: up to twenty operations in one request.
//!
//! Follows <https://learn.microsoft.com/graph/json-batching>. Four operations run at a time, the rest wait;
//! answers come in an order of their own. A write without a body or without its type fails the whole
//! batch, also where the operation needs no body: <https://github.com/microsoftgraph/msgraph-sdk-dotnet/issues/2628>.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::faults::{Fault, Service};
use crate::traffic::Step;

use super::Graph;
use super::operation::{Answer, Body, Operation, Refusal};

/// Most operations in a batch.
const MOST: usize = 20;
/// Most operations of a batch that run at a time.
const AT_A_TIME: usize = 4;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    requests: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
    /// Microsoft's Python SDK sends this instead, and Graph passes over it:
    /// <https://github.com/microsoftgraph/msgraph-sdk-python-core/pull/996>.
    #[serde(default, rename = "depends_on")]
    _misspelt: IgnoredAny,
}

/// A batch that was read and checked.
#[derive(Debug)]
pub(super) struct Batch(Vec<Item>);

impl Batch {
    pub(super) fn read(body: &Value) -> Result<Self, Refusal> {
        let envelope: Envelope = serde_json::from_value(body.clone())
            .map_err(|error| Refusal::bad(format!("Invalid batch payload format: {error}.")))?;
        let items = envelope.requests;
        if items.is_empty() || items.len() > MOST {
            return Err(Refusal::bad("The number of batch requests is not 1 to 20."));
        }
        let mut ids = BTreeSet::new();
        for item in &items {
            item.check()?;
            if !ids.insert(item.id.to_lowercase()) {
                return Err(Refusal::bad(format!(
                    "The request id {} is not unique.",
                    item.id
                )));
            }
        }
        check_order(&items)?;
        Ok(Self(items))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Runs the operations and gives their answers, and what is told of them, in order of completion.
    pub(super) async fn run(self, graph: &Graph, root: &str) -> (Vec<Value>, Vec<Step>) {
        let (mut waiting, mut running) = (self.0, FuturesUnordered::new());
        let mut statuses: BTreeMap<String, u16> = BTreeMap::new();
        let (mut replies, mut steps) = (Vec::new(), Vec::new());
        loop {
            while running.len() < AT_A_TIME
                && let Some(place) = waiting.iter().position(|item| item.is_ready(&statuses))
            {
                let item = waiting.remove(place);
                let failed = item.depends_on.iter().any(|id| {
                    statuses
                        .get(&id.to_lowercase())
                        .is_some_and(|status| *status >= 400)
                });
                running.push(item.run(graph, root, failed));
            }
            let Some((id, step, reply)) = running.next().await else {
                return (replies, steps);
            };
            statuses.insert(id, step.status);
            steps.push(step);
            replies.push(reply);
        }
    }
}

/// Refuses dependencies that nothing can meet.
fn check_order(items: &[Item]) -> Result<(), Refusal> {
    let mut done = BTreeMap::new();
    while done.len() < items.len() {
        let ready = |item: &&Item| !done.contains_key(&item.key()) && item.is_ready(&done);
        let Some(next) = items.iter().find(ready) else {
            return Err(Refusal::bad(
                "A request depends on one that does not exist or on itself.",
            ));
        };
        done.insert(next.key(), 200);
    }
    Ok(())
}

impl Item {
    fn key(&self) -> String {
        self.id.to_lowercase()
    }

    fn check(&self) -> Result<(), Refusal> {
        let id = &self.id;
        let writes = ["POST", "PATCH", "PUT"].contains(&self.method.as_str());
        let typed = (self.headers.keys()).any(|name| name.eq_ignore_ascii_case("content-type"));
        if id.is_empty() || self.url.contains("://") || self.url.contains("$batch") {
            return Err(Refusal::bad(format!(
                "The request '{id}' has no id or a wrong url."
            )));
        }
        if (writes && self.body.is_none()) || ((writes || self.body.is_some()) && !typed) {
            let message =
                format!("Write request id : {id} does not contain Content-Type header or body.");
            return Err(Refusal::bad(message));
        }
        if self.method.parse::<Method>().is_err() || self.header_map().is_none() {
            return Err(Refusal::bad(format!(
                "The request '{id}' has a wrong method or header."
            )));
        }
        Ok(())
    }

    fn is_ready(&self, done: &BTreeMap<String, u16>) -> bool {
        (self.depends_on.iter()).all(|id| done.contains_key(&id.to_lowercase()))
    }

    fn header_map(&self) -> Option<HeaderMap> {
        let pair = |(name, value): (&String, &String)| {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        };
        self.headers.iter().map(pair).collect()
    }

    fn operation(&self, root: &str) -> Operation {
        let headers = self.header_map().unwrap_or_default();
        let kind = headers
            .get("content-type")
            .and_then(|kind| kind.to_str().ok());
        let body = match (&self.body, kind) {
            (Some(value), Some(kind)) if is_json(kind) => Body::Json(value.clone()),
            (Some(_), kind) => Body::Other(kind.unwrap_or_default().to_owned()),
            (None, _) => Body::Empty,
        };
        let method = self.method.parse().unwrap_or(Method::GET);
        Operation::new(method, &self.url, headers, body, root)
    }

    async fn run(self, graph: &Graph, root: &str, failed: bool) -> (String, Step, Value) {
        let mut struck = false;
        let answer = if failed {
            Err(Refusal::new(
                StatusCode::FAILED_DEPENDENCY,
                "FailedDependency",
                "A request that this one depends on failed.",
            ))
        } else {
            self.meet_faults(graph, root, &mut struck).await
        };
        let (status, reply) = reply(&self.id, answer, graph);
        let step = Step {
            method: self.method.parse().unwrap_or_default(),
            status,
            creates: self.method == "POST",
            struck,
            target: self.url.clone(),
        };
        (self.key(), step, reply)
    }

    /// A connection that breaks inside a batch is the front end's to report: 504 for this operation.
    async fn meet_faults(
        &self,
        graph: &Graph,
        root: &str,
        struck: &mut bool,
    ) -> Result<Answer, Refusal> {
        let operation = self.operation(root);
        let due = graph
            .faults
            .take(Service::Graph, &operation.method, &self.url, true);
        let answers = |fault: &Fault| !matches!(fault, Fault::Delay(_) | Fault::Call(_));
        *struck = due.iter().any(answers);
        let mut instead = None;
        for fault in due {
            match fault {
                Fault::Delay(time) => sleep(time).await,
                Fault::Call(callback) => callback(),
                Fault::DropBefore => return Err(gateway_timeout()),
                Fault::Quote { status } => return Err(self.quoted(status)),
                Fault::DropAfter => instead = Some(gateway_timeout()),
                Fault::Answer {
                    status,
                    retry_after_seconds,
                    code,
                    effect,
                } => {
                    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                    let mut refusal = Refusal::new(status, &code, "Scripted by the sandbox.");
                    refusal.retry_after_seconds = retry_after_seconds;
                    if !effect {
                        return Err(refusal);
                    }
                    instead = Some(refusal);
                }
            }
        }
        let answer = graph.perform(&operation).await;
        instead.map_or(answer, Err)
    }

    /// An error whose text repeats the operation.
    fn quoted(&self, status: u16) -> Refusal {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let message = format!("Cannot process {} with {body}", self.url);
        Refusal::new(status, "Quoted", message)
    }
}

fn gateway_timeout() -> Refusal {
    Refusal::new(StatusCode::GATEWAY_TIMEOUT, "UnknownError", "")
}

pub(super) fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn reply(id: &str, answer: Result<Answer, Refusal>, graph: &Graph) -> (u16, Value) {
    let mut headers = Map::new();
    let (status, body) = match answer {
        Ok(answer) => (answer.status, answer.body),
        Err(refusal) => {
            if let Some(seconds) = refusal.retry_after_seconds {
                headers.insert("Retry-After".to_owned(), seconds.to_string().into());
            }
            let body = refusal.body(&graph.inner_error(None));
            (refusal.status, Some(body))
        }
    };
    let mut reply = json!({"id": id, "status": status.as_u16()});
    if let Some(body) = body {
        headers.insert("Content-Type".to_owned(), "application/json".into());
        reply["body"] = body;
    }
    reply["headers"] = headers.into();
    (status.as_u16(), reply)
}
