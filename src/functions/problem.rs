//! Owns how an error looks to a caller: problem+json with a stable code. <https://www.rfc-editor.org/rfc/rfc9457>
//!
//! The mapping from what went wrong to a status stands here and nowhere else. A remote service's trouble is never
//! a 4xx: callers would take it for their own.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::remote::error::RemoteError;
use crate::remote::journal::StoreError;
use crate::service::invite::{FieldError, InviteError, MOST_CONTACTS};
use crate::service::remind::RemindError;
use crate::service::report::ReportError;
use crate::service::resend::{Barred, ResendError};
use crate::service::revoke::RevokeError;

/// What a caller is told when something is wrong.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    status: u16,
    code: &'static str,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status: status.as_u16(),
            code,
            title: title(code),
            detail: None,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    pub(super) fn invalid(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, "invalidRequest")
        }
    }

    pub(super) fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy").retry_after(Duration::from_secs(30))
    }

    pub(super) fn too_many_contacts() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "tooManyContacts").detail(format!(
            "At most {MOST_CONTACTS} contacts fit in one request."
        ))
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

/// What a code means, in words; one line a code.
fn title(code: &str) -> &'static str {
    match code {
        "invalidRequest" => "The request is not valid.",
        "invalidJson" => "The body is not valid JSON.",
        "notAllowed" => "The settings do not allow this.",
        "notFound" => "There is nothing at this address.",
        "invitationNotFound" => "There is no such invitation.",
        "alreadyRedeemed" => "The invitation was redeemed.",
        "revoked" => "The invitation was revoked.",
        "notSendable" => "The letter of this invitation cannot be sent again.",
        "cooldown" => "A letter about this invitation went out lately.",
        "contended" => "The invitation is being changed by someone else. Send the request again.",
        "batchNotFound" => "There is no such batch.",
        "methodNotAllowed" => "This address does not take this method.",
        "tooManyContacts" => "The request names too many contacts.",
        "sourceRejected" => "The contacts cannot be found out that way.",
        "ruleRejected" => "Dataverse does not understand AUTO_INVITE_FILTER.",
        "bodyTooLarge" => "The body is too large.",
        "keyReused" => "The Idempotency-Key was used for another request.",
        "busy" => "The service is busy. Send the request again, with the same Idempotency-Key.",
        "unavailable" => {
            "A service that is needed cannot be reached. Nothing was done; send the request again."
        }
        "refused" => "A service that is needed refused the call.",
        _ => "Something went wrong.",
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(wait) = self.retry_after {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(wait.as_secs().max(1)),
            );
        }
        response
    }
}

impl From<InviteError> for Problem {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::Invalid(errors) => Self::invalid(errors),
            InviteError::NotAllowed { .. } => {
                Self::new(StatusCode::FORBIDDEN, "notAllowed").detail(error.to_string())
            }
            InviteError::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "keyReused"),
            InviteError::SourceRejected(error) => Self {
                errors: vec![error],
                ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "sourceRejected")
            },
            InviteError::TooManyContacts => Self::too_many_contacts(),
            InviteError::Busy => Self::busy(),
            InviteError::Remote(error) => error.into(),
            InviteError::Store(error) => error.into(),
        }
    }
}

impl From<ResendError> for Problem {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::Unknown => Self::new(StatusCode::NOT_FOUND, "invitationNotFound"),
            ResendError::Barred(barred) => {
                let code = match barred {
                    Barred::Redeemed => "alreadyRedeemed",
                    Barred::Revoked => "revoked",
                    _ => "notSendable",
                };
                Self::new(StatusCode::CONFLICT, code).detail(sentence(&barred))
            }
            ResendError::Cooling(wait) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "cooldown").retry_after(wait)
            }
            ResendError::Invite(error) => error.into(),
        }
    }
}

impl From<RevokeError> for Problem {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Unknown => Self::new(StatusCode::NOT_FOUND, "invitationNotFound"),
            RevokeError::Redeemed => Self::new(StatusCode::CONFLICT, "alreadyRedeemed"),
            RevokeError::Contended => Self::new(StatusCode::SERVICE_UNAVAILABLE, "contended")
                .retry_after(Duration::from_secs(5)),
            RevokeError::Remote(error) => error.into(),
            RevokeError::Store(error) => error.into(),
        }
    }
}

impl From<RemindError> for Problem {
    fn from(error: RemindError) -> Self {
        match error {
            RemindError::Remote(error) => error.into(),
            RemindError::Store(error) => error.into(),
        }
    }
}

/// An error's text as a sentence.
fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Unknown(_) => Self::new(StatusCode::NOT_FOUND, "batchNotFound"),
            ReportError::Store(error) => error.into(),
        }
    }
}

impl From<RemoteError> for Problem {
    fn from(error: RemoteError) -> Self {
        tracing::error!(%error, "a remote service is needed and does not work");
        let unavailable =
            |wait| Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable").retry_after(wait);
        let problem = match &error {
            RemoteError::Throttled { wait, .. } => unavailable(*wait),
            RemoteError::Refused { .. } => Self::new(StatusCode::BAD_GATEWAY, "refused"),
            RemoteError::OutOfTime | RemoteError::LeaseLost => return Self::busy(),
            _ => unavailable(Duration::from_secs(30)),
        };
        problem.detail(error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the batch store does not work");
        // Paths of the store are nobody's business.
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            .detail("The batch store does not work.")
            .retry_after(Duration::from_secs(30))
    }
}
