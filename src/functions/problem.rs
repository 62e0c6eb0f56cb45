//! Owns how an error looks to a caller: problem+json with a stable code. <https://www.rfc-editor.org/rfc/rfc9457>
//!
//! The mapping from what went wrong to a code stands here, that from a code to its status and words in `code`. A remote
//! service's trouble is never a 4xx: callers would take it for their own.

mod code;

pub(super) use code::Code;

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
    code: Code,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl Problem {
    pub(super) fn new(code: Code) -> Self {
        Self {
            status: code.status().as_u16(),
            code,
            title: code.title(),
            detail: None,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    pub(super) fn invalid(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(Code::InvalidRequest)
        }
    }

    pub(super) fn busy() -> Self {
        Self::new(Code::Busy).retry_after(Duration::from_secs(30))
    }

    pub(super) fn too_many_contacts() -> Self {
        Self::new(Code::TooManyContacts).detail(format!(
            "At most {MOST_CONTACTS} contacts fit in one request."
        ))
    }

    /// The framework's own status for a request that it could not read.
    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.status = status.as_u16();
        self
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
            InviteError::NotAllowed { .. } => Self::new(Code::NotAllowed).detail(error.to_string()),
            InviteError::KeyReused => Self::new(Code::KeyReused),
            InviteError::SourceRejected(error) => Self {
                errors: vec![error],
                ..Self::new(Code::SourceRejected)
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
            ResendError::Unknown => Self::new(Code::InvitationNotFound),
            ResendError::Barred(barred) => {
                let code = match barred {
                    Barred::Redeemed => Code::AlreadyRedeemed,
                    Barred::Revoked => Code::Revoked,
                    _ => Code::NotSendable,
                };
                Self::new(code).detail(sentence(&barred))
            }
            ResendError::Cooling(wait) => Self::new(Code::Cooldown).retry_after(wait),
            ResendError::Invite(error) => error.into(),
        }
    }
}

impl From<RevokeError> for Problem {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Unknown => Self::new(Code::InvitationNotFound),
            RevokeError::Redeemed => Self::new(Code::AlreadyRedeemed),
            RevokeError::Contended => {
                Self::new(Code::Contended).retry_after(Duration::from_secs(5))
            }
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
            ReportError::Unknown(_) => Self::new(Code::BatchNotFound),
            ReportError::Store(error) => error.into(),
        }
    }
}

impl From<RemoteError> for Problem {
    fn from(error: RemoteError) -> Self {
        tracing::error!(%error, "a remote service is needed and does not work");
        let unavailable = |wait| Self::new(Code::Unavailable).retry_after(wait);
        let problem = match &error {
            RemoteError::Throttled { wait, .. } => unavailable(*wait),
            RemoteError::Refused { .. } => Self::new(Code::Refused),
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
        Self::new(Code::Unavailable)
            .detail("The batch store does not work.")
            .retry_after(Duration::from_secs(30))
    }
}
