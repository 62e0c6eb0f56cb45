//! What holds for any request, any timer envelope and any event of Dataverse.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde_json::Value;

use super::problem::Problem;
use super::timer::TimerRun;
use super::{LARGEST_BODY, contact_created, invite};

/// The first line is the Idempotency-Key, the second the signed-in caller, the rest the body.
///
/// Taken or refused, a request is told apart only by what it says, not by how its JSON is written; a refusal is a
/// problem that repeats no address and nothing long.
pub(crate) fn invitation_request(input: &[u8]) -> bool {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let headers = headers(lines.next(), lines.next());
    let body = lines.next().unwrap_or_default();
    if body.len() > LARGEST_BODY {
        return false;
    }
    let secrets = strings(&serde_json::from_slice(body).unwrap_or_default());
    if let Err(problem) = invite::idempotency_key(&headers, body) {
        check_problem(problem, &[400], &secrets);
    }
    match invite::read(body, &headers) {
        Ok(request) => {
            assert!(
                request
                    .requested_by
                    .as_ref()
                    .is_none_or(|by| by.chars().count() <= 100)
            );
            assert!(
                request
                    .message
                    .as_ref()
                    .is_none_or(|text| text.chars().count() <= 2_000)
            );
            let again = invite::read(&rewritten(body), &headers);
            let again = again.map(|again| format!("{again:?}")).ok();
            assert!(again == Some(format!("{request:?}")));
            true
        }
        Err(problem) => {
            check_problem(problem, &[400, 403, 413], &secrets);
            false
        }
    }
}

fn headers(key: Option<&[u8]>, caller: Option<&[u8]>) -> HeaderMap {
    let names = ["idempotency-key", "x-ms-client-principal-name"];
    let values = [key, caller].map(|value| HeaderValue::from_bytes(value?).ok());
    let pairs = names.into_iter().zip(values);
    pairs
        .filter_map(|(name, value)| Some((header::HeaderName::from_static(name), value?)))
        .collect()
}

/// The same JSON, written by another program.
fn rewritten(body: &[u8]) -> Vec<u8> {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    serde_json::to_vec_pretty(&value).unwrap_or_default()
}

/// Every text in a request that may be an address or a code; names of fields are not.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.contains('@') || text.len() > 40 => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(strings).collect(),
        Value::Object(fields) => fields.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

fn check_problem(problem: Problem, statuses: &[u16], secrets: &[String]) {
    let json = serde_json::to_value(&problem).unwrap_or_default();
    let status = json["status"].as_u64().unwrap_or_default();
    assert!(
        statuses.iter().any(|known| u64::from(*known) == status),
        "{json}"
    );
    assert!(
        json["code"].as_str().is_some_and(|code| !code.is_empty()),
        "{json}"
    );
    let detail = json["detail"].as_str().unwrap_or_default().to_owned();
    let errors = json["errors"].as_array().cloned().unwrap_or_default();
    let messages = errors.iter().filter_map(|error| error["message"].as_str());
    for text in messages.chain([detail.as_str()]) {
        let told = secrets.iter().find(|secret| text.contains(*secret));
        assert!(told.is_none(), "{text}");
    }
    let response = problem.into_response();
    assert!(u64::from(response.status().as_u16()) == status);
    assert!(response.headers()[header::CONTENT_TYPE] == "application/problem+json");
}

/// Any JSON is an envelope, and nothing else is; a last run lies after 1970.
pub(crate) fn timer_envelope(input: &[u8]) -> bool {
    let body = Bytes::copy_from_slice(input);
    let json = serde_json::from_slice::<Value>(&body).is_ok();
    match TimerRun::read(&body) {
        Ok(run) => {
            assert!(json && run.last.is_none_or(|last| last > Timestamp::UNIX_EPOCH));
            true
        }
        Err(problem) => {
            assert!(!json);
            check_problem(problem, &[400], &[]);
            false
        }
    }
}

/// An event is told apart only by what it says, not by how its JSON is written; a refusal repeats nothing of it. What is
/// not read may hold what no other reader takes: .NET writes half a surrogate pair as it is.
pub(crate) fn webhook_event(input: &[u8]) -> bool {
    let secrets = strings(&serde_json::from_slice(input).unwrap_or_default());
    match contact_created::parse(input) {
        Ok(context) => {
            if serde_json::from_slice::<Value>(input).is_ok() {
                let again = contact_created::parse(&rewritten(input));
                let again = again.map(|again| format!("{again:?}")).ok();
                assert!(again == Some(format!("{context:?}")));
            }
            true
        }
        Err(problem) => {
            check_problem(problem, &[400], &secrets);
            false
        }
    }
}
