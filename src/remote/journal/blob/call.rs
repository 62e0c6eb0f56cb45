//! Owns what a failed call to Azure Blob Storage means, and the trying again.
//!
//! A call that changes something may have done so although no answer came. Every call here is conditional or
//! harmless to repeat, so an unclear one is tried again; its caller reads what the second answer says.
//! <https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes>

use std::io;
use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_core::http::StatusCode;

use super::StoreError;
use crate::remote::error::redact;

/// Waits between the tries of a call.
const WAITS: [Duration; 3] = [
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// How a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The container is not there.
    NoContainer,
    /// The blob is not there.
    Missing,
    /// The blob ends before what was asked for.
    PastTheEnd,
    /// A condition does not hold: the blob exists, or the lease or the position is another. The service's code.
    Refused(String),
    /// Nobody knows what became of it, or the service asks for patience.
    Unclear(String),
    /// It will not work.
    Definite(String),
}

impl Failure {
    /// As an error of the store.
    pub(super) fn during(self, action: &'static str) -> StoreError {
        let text = match self {
            Self::NoContainer => "the container is not there".to_owned(),
            Self::Missing => "the blob is not there".to_owned(),
            Self::PastTheEnd => "the blob is too short".to_owned(),
            Self::Refused(text) | Self::Unclear(text) | Self::Definite(text) => text,
        };
        StoreError::io(action)(io::Error::other(text))
    }
}

/// Makes one try, for at most `limit`.
pub(super) async fn call<T>(
    limit: Duration,
    exchange: impl Future<Output = azure_core::Result<T>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, exchange).await {
        Ok(answer) => answer.map_err(|error| failure(&error)),
        Err(_) => Err(Failure::Unclear(format!(
            "no answer within {} s",
            limit.as_secs()
        ))),
    }
}

/// Tries until something is clear, four times at most.
pub(super) async fn insist<T, A: Future<Output = Result<T, Failure>>>(
    mut attempt: impl FnMut() -> A,
) -> Result<T, Failure> {
    for wait in WAITS {
        match attempt().await {
            Err(Failure::Unclear(cause)) => {
                tracing::warn!(cause, "a call to the batch store is tried again");
            }
            answer => return answer,
        }
        tokio::time::sleep(wait).await;
    }
    attempt().await
}

fn failure(error: &azure_core::Error) -> Failure {
    // The Debug form would hold the whole response; Display holds the message.
    let text = || redact(&error.to_string());
    let ErrorKind::HttpResponse {
        status, error_code, ..
    } = error.kind()
    else {
        return match error.kind() {
            ErrorKind::Connection | ErrorKind::Io | ErrorKind::Credential => {
                Failure::Unclear(text())
            }
            _ => Failure::Definite(text()),
        };
    };
    let code = error_code.clone().unwrap_or_default();
    match (status, code.as_str()) {
        // A container of this name is being removed; it can be made again in half a minute or so.
        (_, "ContainerBeingDeleted") => Failure::Unclear(text()),
        (StatusCode::NotFound, "ContainerNotFound") => Failure::NoContainer,
        (StatusCode::NotFound, _) => Failure::Missing,
        (StatusCode::RequestedRangeNotSatisfiable, _) => Failure::PastTheEnd,
        (_, "BlockCountExceedsLimit") => Failure::Definite(text()),
        (StatusCode::Conflict | StatusCode::PreconditionFailed, _) => Failure::Refused(code),
        (StatusCode::RequestTimeout | StatusCode::TooManyRequests, _) => Failure::Unclear(text()),
        (status, _) if status.is_server_error() => Failure::Unclear(text()),
        _ => Failure::Definite(text()),
    }
}
