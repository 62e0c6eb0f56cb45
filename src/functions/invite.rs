//! function-invite: `POST /api/invitations`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::Instrument;

use super::fields::Fields;
use super::location::location;
use super::problem::{Code, Problem};
use super::source::source;
use crate::domain::batch::Bound;
use crate::domain::expiry::{self, ValidDays};
use crate::domain::ids::{BatchNumber, IdError, WebRoleId};
use crate::domain::outcome::Counts;
use crate::domain::redeem_link::ReturnPath;
use crate::service::Service;
use crate::service::invite::{ExpiryChoice, IdempotencyKey, InviteRequest, WhenPending};
use crate::service::report::{BatchReport, ResultEntry};

/// The length of an Idempotency-Key, and of what callers say about themselves.
const LONGEST_KEY: usize = 255;
pub(super) const LONGEST_NAME: usize = 100;
pub(super) const LONGEST_MESSAGE: usize = 2_000;
const LONGEST_SUBJECT: usize = 255;

/// The words for what to do about a pending invitation.
pub(super) const WHEN_PENDING: [(&str, WhenPending); 4] = [
    ("keep", WhenPending::Keep),
    ("resend", WhenPending::Resend),
    ("replace", WhenPending::Replace),
    ("fail", WhenPending::Fail),
];

/// Each role is one more write for each contact.
const MOST_ROLES: usize = 10;

pub(super) async fn handle(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| too_large(&rejection))?;
    let request = read(&body, &headers)?;
    let key = idempotency_key(&headers, &body)?;
    // A long list of ids would otherwise be kept twice for as long as the work goes on.
    drop(body);
    // In a task of its own: a caller who hangs up, or a deadline, must not stop the work between two lines.
    let inviting = async move { service.invite(request, key).await };
    let report = tokio::spawn(inviting.in_current_span()).await;
    let report = report.map_err(|_| Problem::new(Code::InternalError))?;
    Ok(answer(report?, &headers))
}

pub(super) fn too_large(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::BodyTooLarge),
        _ => Problem::new(Code::InvalidRequest).detail("The body could not be read to its end."),
    }
}

pub(super) fn idempotency_key(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match key.as_bytes().len() {
        0 => Ok(None),
        1..=LONGEST_KEY => Ok(Some(IdempotencyKey::new(
            &String::from_utf8_lossy(key.as_bytes()),
            body,
        ))),
        _ => Err(Problem::new(Code::InvalidRequest).detail(format!(
            "The Idempotency-Key must have at most {LONGEST_KEY} characters."
        ))),
    }
}

/// Reads the whole request before refusing it, so that every mistake is told at once.
pub(super) fn read(body: &[u8], headers: &HeaderMap) -> Result<InviteRequest, Problem> {
    let mut fields = Fields::new(json_object(body)?);
    let request = InviteRequest {
        source: source(&mut fields)?,
        expiry: expiry(&mut fields),
        when_pending: when_pending(&mut fields),
        bound: Bound {
            inviter: fields.parsed("inviterContactId", str::parse),
            account: fields.parsed("assignToAccountId", str::parse),
            workflow: fields.parsed("redemptionWorkflowId", str::parse),
            roles: Vec::new(),
        },
        web_roles: web_roles(&mut fields),
        language: fields.text("language", LONGEST_NAME),
        template: fields.text("template", LONGEST_NAME),
        subject: fields.text("subject", LONGEST_SUBJECT),
        message: fields.text("message", LONGEST_MESSAGE),
        return_path: fields.parsed("returnUrl", ReturnPath::parse),
        send_email: fields.boolean("sendEmail", true),
        include_registered: fields.boolean("includeRegistered", false),
        requested_by: caller(headers).or(fields.text("requestedBy", LONGEST_NAME)),
        dry_run: fields.boolean("dryRun", false),
    };
    let errors = fields.finish();
    if errors.is_empty() {
        Ok(request)
    } else {
        Err(Problem::invalid(errors))
    }
}

pub(super) fn json_object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let not_json = |detail: String| Problem::new(Code::InvalidJson).detail(detail);
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(not_json("The body must be a JSON object.".to_owned())),
        Err(error) => Err(not_json(error.to_string())),
    }
}

/// Each role once, in the caller's order.
fn web_roles(fields: &mut Fields) -> Vec<WebRoleId> {
    let values = match fields.take("webRoleIds") {
        None => return Vec::new(),
        Some(Value::Array(values)) if values.len() <= MOST_ROLES => values,
        Some(_) => {
            fields.wrong(
                "webRoleIds",
                format!("must be a list of at most {MOST_ROLES} web role ids"),
            );
            return Vec::new();
        }
    };
    let mut roles = Vec::new();
    for (place, value) in values.iter().enumerate() {
        match value.as_str().map(str::parse) {
            Some(Ok(role)) if roles.contains(&role) => {}
            Some(Ok(role)) => roles.push(role),
            _ => fields.wrong(&format!("webRoleIds[{place}]"), IdError.to_string()),
        }
    }
    roles
}

fn expiry(fields: &mut Fields) -> ExpiryChoice {
    let days = fields.number("validDays").map(ValidDays::try_from);
    // Whether the day is over or too far ahead is for the service, which knows the time and the zone.
    let day = fields.parsed("expiresOn", expiry::parse_day);
    match (days, day) {
        (None, None) => ExpiryChoice::Default,
        (Some(Ok(days)), None) => ExpiryChoice::Days(days),
        (None, Some(day)) => ExpiryChoice::Until(day),
        (Some(Err(error)), _) => {
            fields.wrong("validDays", error.to_string());
            ExpiryChoice::Default
        }
        (Some(Ok(_)), Some(_)) => {
            fields.wrong("expiresOn", "cannot be combined with validDays");
            ExpiryChoice::Default
        }
    }
}

fn when_pending(fields: &mut Fields) -> WhenPending {
    let choice = fields.parsed("whenPending", |text| {
        let known = WHEN_PENDING.iter().find(|(word, _)| *word == text);
        let known = known.map(|(_, choice)| *choice);
        known.ok_or("must be keep, resend, replace or fail")
    });
    choice.unwrap_or(WhenPending::Keep)
}

/// The signed-in caller, as App Service authentication names them.
/// <https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities>
pub(super) fn caller(headers: &HeaderMap) -> Option<String> {
    let name = headers.get("x-ms-client-principal-name")?.to_str().ok()?;
    (!name.is_empty()).then(|| name.chars().take(LONGEST_NAME).collect())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<BatchNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
    counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<ResultEntry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// 200 with results once all is settled, else 202 and where to ask.
pub(super) fn answer(report: BatchReport, headers: &HeaderMap) -> Response {
    let done = report.finished;
    let body = Body {
        batch: report.number,
        ok: done.then(|| report.counts.ok()),
        dry_run: done.then_some(report.dry_run),
        counts: report.counts,
        requested_by: report.requested_by,
        results: done.then_some(report.results),
        next_cursor: report.next.map(|place| place.to_string()),
    };
    if done {
        return Json(body).into_response();
    }
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    let seconds = HeaderValue::from(report.retry_after.as_secs());
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    if let Some(location) = report.number.and_then(|number| location(number, headers)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told_at_once() {
        let body = r#"{"contactIds":["x"],"validDays":0,"sendEmail":"yes","returnUrl":"//evil","colour":"red"}"#;
        let problem = read(body.as_bytes(), &HeaderMap::new()).unwrap_err();
        let json = serde_json::to_value(&problem).unwrap();
        let fields: Vec<_> = json["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| &error["field"])
            .collect();
        assert_eq!(
            fields,
            [
                "contactIds[0]",
                "validDays",
                "returnUrl",
                "sendEmail",
                "colour"
            ]
        );
    }
}
