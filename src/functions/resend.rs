//! function-resend: `POST /api/invitations/{id}/resend`, the same link again, perhaps until a later day.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value};
use tracing::Instrument;

use super::fields::Fields;
use super::invitations::invitation_id;
use super::invite::{
    LONGEST_MESSAGE, LONGEST_NAME, answer, caller, idempotency_key, json_object, too_large,
};
use super::problem::{Code, Problem};
use crate::domain::expiry::ValidDays;
use crate::domain::ids::InvitationId;
use crate::service::Service;
use crate::service::resend::ResendRequest;

pub(super) async fn handle(
    State(service): State<Service>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| too_large(&rejection))?;
    let request = read(invitation_id(id)?, &body, &headers)?;
    // The same key for another invitation is another request.
    let whole = [request.id.to_string().as_bytes(), &body].concat();
    let key = idempotency_key(&headers, &whole)?;
    // In a task of its own: a caller who hangs up must not stop the work between two lines.
    let sending = async move { service.resend(request, key).await };
    let report = tokio::spawn(sending.in_current_span()).await;
    let report = report.map_err(|_| Problem::new(Code::InternalError))?;
    Ok(answer(report?, &headers))
}

/// A request may do without a body.
pub(super) fn read(
    id: InvitationId,
    body: &[u8],
    headers: &HeaderMap,
) -> Result<ResendRequest, Problem> {
    let object = if body.iter().all(u8::is_ascii_whitespace) {
        Map::<String, Value>::new()
    } else {
        json_object(body)?
    };
    let mut fields = Fields::new(object);
    let days = fields.number("extendDays").map(ValidDays::try_from);
    if let Some(Err(error)) = &days {
        fields.wrong("extendDays", error.to_string());
    }
    let request = ResendRequest {
        id,
        extend_days: days.and_then(Result::ok),
        message: fields.text("message", LONGEST_MESSAGE),
        language: fields.text("language", LONGEST_NAME),
        requested_by: caller(headers).or(fields.text("requestedBy", LONGEST_NAME)),
    };
    let errors = fields.finish();
    if errors.is_empty() {
        Ok(request)
    } else {
        Err(Problem::invalid(errors))
    }
}
