//! What went to and fro, as the view Traffic shows it: the host's invocations, the requests that the services got, and
//! the lines of the log.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Page, feed::Feed, tail::Tail};
use crate::host::{Call, Cause, ConsoleLevel, ConsoleLine, ConsoleStream};
use crate::{Described, Entry, Kind, mask};

/// How many invocations are shown.
const CALLS: usize = 500;

pub(super) const FEEDS: &[Feed] = &[Feed {
    name: "calls",
    version: |page| page.desk.calls_version(),
    rows: calls,
}];

pub(super) const TAILS: &[Tail] = &[
    Tail {
        name: "requests",
        kept: 500,
        after: requests,
    },
    Tail {
        name: "log",
        kept: 1_000,
        after: log,
    },
];

fn calls(page: &Page) -> BTreeMap<String, Value> {
    let calls = page.desk.calls();
    let last = calls.iter().skip(calls.len().saturating_sub(CALLS));
    last.map(|call| (call.number.to_string(), call_row(call)))
        .collect()
}

fn call_row(call: &Call) -> Value {
    let (method, target) = match &call.cause {
        Cause::Http { method, target } => (Some(method.as_str()), Some(target)),
        Cause::Timer => (None, None),
    };
    let ending = call.ending.as_ref();
    json!({
        "id": call.number.to_string(),
        "invocation": call.id,
        "function": call.function,
        "method": method,
        "target": target,
        "at": milliseconds(call.at),
        "took": ending.map(|ending| ending.took.as_secs_f64() * 1e3),
        "status": ending.and_then(|ending| ending.status),
        "failure": ending.and_then(|ending| ending.failure.as_deref()),
        "logs": ending.map(|ending| &ending.logs),
    })
}

fn requests(page: &Page, ended: u64, most: usize) -> (Vec<Value>, u64) {
    let (entries, ended) = page.sandbox.traffic.after(ended, most);
    (entries.iter().map(request_row).collect(), ended)
}

fn request_row(entry: &Entry) -> Value {
    json!({
        "id": entry.number,
        "at": milliseconds(entry.at),
        "took": entry.took.as_secs_f64() * 1e3,
        "service": format!("{:?}", entry.service).to_lowercase(),
        "method": entry.method.as_str(),
        "path": mask::readable(&entry.path),
        "status": entry.status,
        "sent": entry.request_bytes,
        "answered": entry.answer_bytes,
        "faults": entry.faults,
        "operations": entry.operations,
        "kinds": kinds(&entry.described),
        "first": first(&entry.described),
        "contacts": contacts(entry),
    })
}

fn kinds(described: &Described) -> Vec<Value> {
    let told = |(kind, count): (&Kind, &usize)| json!({"count": count, "method": kind.method, "shape": kind.shape, "creates": kind.creates, "status": kind.status});
    described.kinds.iter().map(told).collect()
}

fn first(described: &Described) -> Vec<Value> {
    let told = described.first.iter().map(|step| {
        json!({"method": step.method.as_str(), "target": step.target, "status": step.status, "struck": step.struck})
    });
    told.collect()
}

/// How many invitations a request created, and how many letters it handed over.
fn contacts(entry: &Entry) -> Value {
    let mut counts = [0, 0];
    let mut count = |kind: &Kind, times: usize| {
        counts[0] += if creates(kind) { times } else { 0 };
        counts[1] += if sends(kind) { times } else { 0 };
    };
    if let (0, Some(status)) = (entry.operations, entry.status) {
        count(&Kind::of(&entry.method, &entry.path, status), 1);
    }
    for (kind, times) in &entry.described.kinds {
        count(kind, *times);
    }
    json!({"invited": counts[0], "letters": counts[1]})
}

/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-entity-web-api>
fn creates(kind: &Kind) -> bool {
    let created = kind.creates && [201, 204].contains(&kind.status);
    created && ["adx_invitations", "adx_invitations(…)"].contains(&kind.shape.as_str())
}

/// <https://learn.microsoft.com/graph/api/message-send>, <https://learn.microsoft.com/graph/api/user-sendmail>
fn sends(kind: &Kind) -> bool {
    let action = kind.shape.rsplit('/').next();
    kind.status == 202 && action.is_some_and(|action| ["send", "sendMail"].contains(&action))
}

fn log(page: &Page, number: u64, most: usize) -> (Vec<Value>, u64) {
    let lines = page.desk.log_after(number, most);
    let last = lines.last().map_or(number, |line| line.number);
    (lines.iter().map(line_row).collect(), last)
}

/// The handler's own lines are JSON objects, one each; whatever else comes is shown as it is.
fn line_row(line: &ConsoleLine) -> Value {
    let mut fields: Map<String, Value> = serde_json::from_str(&line.text).unwrap_or_default();
    let mut take = |name: &str| fields.shift_remove(name).unwrap_or_default();
    let (level, message, target, span) =
        (take("level"), take("message"), take("target"), take("span"));
    // The host's clock is the one that the requests are told by.
    take("timestamp");
    json!({
        "id": line.number,
        "at": milliseconds(line.at),
        "from": if line.stream == ConsoleStream::Host { "host" } else { "handler" },
        "level": level.as_str().map_or(level_of(line), str::to_lowercase),
        "message": message.as_str().unwrap_or(&line.text),
        "target": target,
        "invocation": span["invocation_id"],
        "fields": fields,
    })
}

fn level_of(line: &ConsoleLine) -> String {
    let level = match line.level {
        ConsoleLevel::Information => "info",
        ConsoleLevel::Warning => "warn",
        ConsoleLevel::Error => "error",
    };
    level.to_owned()
}

/// Milliseconds since 1970, with a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "a double is exact to a thousandth of a millisecond for centuries"
)]
fn milliseconds(moment: Timestamp) -> f64 {
    moment.as_microsecond() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn kind(method: &str, shape: &str, creates: bool, status: u16) -> Kind {
        Kind {
            shape: shape.to_owned(),
            method: method.to_owned(),
            creates,
            status,
        }
    }

    fn entry(kinds: &[(Kind, usize)]) -> Entry {
        Entry {
            number: 1,
            at: Timestamp::UNIX_EPOCH,
            took: std::time::Duration::from_micros(1_500),
            service: crate::Service::Graph,
            method: Method::POST,
            path: "/v1.0/users/a%40b.example/sendMail".to_owned(),
            request_bytes: 1,
            answer_bytes: 2,
            status: Some(202),
            faults: Vec::new(),
            operations: kinds.len(),
            described: Described {
                first: Vec::new(),
                kinds: kinds.iter().cloned().collect(),
            },
        }
    }

    #[test]
    fn invitations_and_letters_are_counted_where_they_were_made() {
        let counts = |kinds: &[(Kind, usize)]| request_row(&entry(kinds))["contacts"].to_string();
        assert_eq!(counts(&[]), r#"{"invited":0,"letters":1}"#);
        let kinds = [
            (kind("PATCH", "adx_invitations(…)", true, 204), 40),
            (kind("PATCH", "adx_invitations(…)", true, 412), 2),
            (kind("PATCH", "adx_invitations(…)", false, 204), 7),
            (kind("POST", "users/…/messages/…/send", true, 202), 5),
            (kind("POST", "users/…/messages/…/send", true, 429), 3),
            (kind("POST", "users/…/messages", true, 201), 9),
        ];
        assert_eq!(counts(&kinds), r#"{"invited":40,"letters":5}"#);
        assert_eq!(request_row(&entry(&[]))["took"], 1.5);
    }

    #[test]
    fn a_line_of_the_handler_is_told_by_its_parts() {
        let text = r#"{"timestamp":"2026-11-23T09:01:40Z","level":"WARN","message":"resting","batch":"7","target":"a::b","span":{"invocation_id":"id","name":"invocation"}}"#;
        let line = |text: &str| ConsoleLine {
            number: 3,
            at: Timestamp::UNIX_EPOCH,
            stream: ConsoleStream::Output,
            level: ConsoleLevel::Information,
            text: text.to_owned(),
        };
        assert_eq!(
            line_row(&line(text)),
            json!({"id": 3, "at": 0.0, "from": "handler", "level": "warn", "message": "resting", "target": "a::b", "invocation": "id", "fields": {"batch": "7"}})
        );
        let plain = line_row(&line("plain words"));
        assert_eq!(
            (&plain["level"], &plain["message"]),
            (&json!("info"), &json!("plain words"))
        );
        assert_eq!(plain["invocation"], Value::Null);
    }
}
