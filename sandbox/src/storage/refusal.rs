//! Answers that refuse, with the codes and statuses of
//! <https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes> and
//! <https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes>.

use http::StatusCode;

/// An answer that refuses.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            message: format!("The request was refused: {code}."),
        }
    }

    pub(super) fn conflict(code: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code)
    }

    pub(super) fn precondition(code: &'static str) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, code)
    }

    pub(super) fn not_found(code: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code)
    }

    /// A header whose value is out of place.
    pub(super) fn header(name: &str) -> Self {
        Self {
            message: format!("The value for {name} is not in the correct format."),
            ..Self::new(StatusCode::BAD_REQUEST, "InvalidHeaderValue")
        }
    }

    /// For what Blob Storage may know and the sandbox does not: loud, so that nobody builds on it.
    pub(super) fn unknown(what: impl AsRef<str>) -> Self {
        let what = what.as_ref();
        tracing::error!(what, "the Blob Storage look-alike does not know this");
        Self {
            message: format!("The sandbox does not know {what}."),
            ..Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented")
        }
    }

    /// The XML body.
    pub(super) fn body(&self) -> String {
        let message = html_escape::encode_text(&self.message);
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{}</Code><Message>{message}</Message></Error>",
            self.code
        )
    }
}
