//! Mailboxes as an app meets them: through the wire, under paused time.
//!
//! Here are the desk that tests sit at and the letters they write; the tests are in the files below.

mod batches;
mod limits;
mod overview;
mod reading;
mod sending;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Graph, Rate, SecondSend, State};
use crate::clock::Clock;
use crate::faults::{Fault, Faults, Rule, Service};
use crate::traffic::Traffic;
use crate::wire::Wire;

const SENDER: &str = "invitations@contoso.example";
const KEY: &str = "String {00020329-0000-0000-c000-000000000046} Name Key";

/// A mailbox and the way to it.
struct Desk {
    graph: Graph,
    wire: Wire,
    faults: Faults,
    traffic: Traffic,
}

struct Reply {
    status: u16,
    retry_after: Option<String>,
    has_type: bool,
    body: Value,
}

impl Reply {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

fn desk() -> Desk {
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let (clock, faults) = (Clock::starting_at(start), Faults::default());
    let (traffic, senders) = (Traffic::default(), [SENDER.to_owned()]);
    let graph = Graph::new(clock.clone(), 7, &senders, faults.clone());
    let wire = Wire::new(
        Service::Graph,
        graph.router(),
        faults.clone(),
        traffic.clone(),
        clock,
    );
    Desk {
        graph,
        wire,
        faults,
        traffic,
    }
}

impl Desk {
    async fn raw(&self, request: Request<Bytes>) -> Reply {
        let answer = self.wire.call(request).await.unwrap();
        let header = |name| {
            answer
                .headers()
                .get(name)
                .map(|v| v.to_str().unwrap().to_owned())
        };
        assert!(header("date").is_some());
        Reply {
            status: answer.status().as_u16(),
            retry_after: header("retry-after"),
            has_type: header("content-type").is_some(),
            body: serde_json::from_slice(answer.body()).unwrap_or_default(),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/v1.0/{path}"))
            .header("authorization", "Bearer anything")
            .header("prefer", "IdType=\"ImmutableId\"");
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.raw(request.body(body.into()).unwrap()).await
    }

    async fn ask_mailbox(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let path = format!("users/invitations%40contoso.example/{path}");
        self.ask(method, &path, body).await
    }

    async fn draft(&self, key: &str) -> String {
        let reply = self
            .ask_mailbox("POST", "messages", Some(letter(key)))
            .await;
        assert_eq!((reply.status, &reply.body["isDraft"]), (201, &json!(true)));
        reply.body["id"].as_str().unwrap().to_owned()
    }

    async fn send(&self, id: &str) -> Reply {
        self.ask_mailbox("POST", &format!("messages/{id}/send"), None)
            .await
    }

    async fn get(&self, id: &str) -> Reply {
        self.ask_mailbox("GET", &format!("messages/{id}"), None)
            .await
    }

    async fn batch(&self, requests: Value) -> Reply {
        self.ask("POST", "$batch", Some(json!({"requests": requests})))
            .await
    }
}

fn letter(key: &str) -> Value {
    json!({
        "subject": "Welcome",
        "body": {"contentType": "HTML", "content": "<p>Hello</p>"},
        "toRecipients": [{"emailAddress": {"address": "ana@fabrikam.example", "name": "Ana"}}],
        "replyTo": [{"emailAddress": {"address": "help@contoso.example"}}],
        "internetMessageHeaders": [{"name": "X-Auto-Response-Suppress", "value": "All"}],
        "singleValueExtendedProperties": [{"id": KEY, "value": key}],
    })
}

fn item(id: &str, method: &str, path: &str, body: Option<Value>) -> Value {
    let mut item = json!({"id": id, "method": method, "url": format!("/users/{SENDER}/{path}")});
    item["headers"] =
        json!({"Content-Type": "application/json", "Prefer": "IdType=\"ImmutableId\""});
    if let Some(body) = body {
        item["body"] = body;
    }
    item
}

fn statuses(reply: &Reply) -> Vec<(String, u64)> {
    let responses = reply.body["responses"].as_array().unwrap();
    let pair = |r: &Value| {
        (
            r["id"].as_str().unwrap().to_owned(),
            r["status"].as_u64().unwrap(),
        )
    };
    let mut pairs: Vec<_> = responses.iter().map(pair).collect();
    pairs.sort();
    pairs
}

fn find_by_key(folder: &str, key: &str) -> String {
    let filter =
        format!("singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq '{key}')");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("$filter", &filter)
        .append_pair("$select", "isDraft");
    format!("{folder}messages?{}", query.finish())
}
