//! What a refused request is told: a status, a Dataverse error code and a message.
//!
//! Codes follow <https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes>.
//! A request that the sandbox does not understand is refused with 501 and logged: it never guesses.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::json;

use super::reply::Reply;
use super::schema::Entity;

pub(crate) const NOT_FOUND: &str = "0x80040217";
pub(crate) const DUPLICATE: &str = "0x80040237";
pub(crate) const VERSION_MISMATCH: &str = "0x80060882";
pub(crate) const VERSIONS_OFF: &str = "0x8006088d";
pub(crate) const PRIVILEGE: &str = "0x80040220";
pub(crate) const VALIDATION: &str = "0x80044331";
pub(crate) const PAYLOAD: &str = "0x80048d19";
pub(crate) const QUERY: &str = "0x80060888";
pub(crate) const ARGUMENT: &str = "0x80040203";
pub(crate) const STATUS: &str = "0x80048408";
pub(crate) const NOT_A_MEMBER: &str = "0x80072560";
pub(crate) const DISABLED: &str = "0x80040225";
pub(crate) const WITHOUT_ROLES: &str = "0x80042f09";
pub(crate) const TOO_MANY_REQUESTS: &str = "0x80072322";
pub(crate) const TOO_MUCH_TIME: &str = "0x80072321";
pub(crate) const TOO_MANY_AT_ONCE: &str = "0x80072326";

/// A refused request.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) retry_after_seconds: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            retry_after_seconds: None,
        }
    }

    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A property that the table does not have, named in a query.
    pub(crate) fn no_property(name: &str, entity: Entity) -> Self {
        let kind = entity.type_name();
        Self::bad(
            QUERY,
            format!("Could not find a property named '{name}' on type '{kind}'."),
        )
    }

    pub(crate) fn no_segment(segment: &str) -> Self {
        tracing::error!(
            segment,
            "the sandbox has no such resource; Dataverse answers 404"
        );
        Self::not_here(segment)
    }

    /// Of what the sandbox knows and this environment does not have, such as a table of the other data model.
    pub(crate) fn not_here(segment: &str) -> Self {
        let message = format!("Resource not found for the segment '{segment}'.");
        Self::new(StatusCode::NOT_FOUND, "0x8006088a", message)
    }

    pub(crate) fn no_row(table: &str, id: uuid::Uuid) -> Self {
        let message = format!("Entity '{table}' With Id = {id} Does Not Exist");
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND, message)
    }

    pub(crate) fn exists() -> Self {
        let message = "A record with matching key values already exists.";
        Self::new(StatusCode::PRECONDITION_FAILED, DUPLICATE, message)
    }

    pub(crate) fn version_mismatch() -> Self {
        let message =
            "The version of the existing record doesn't match the RowVersion property provided.";
        Self::new(StatusCode::PRECONDITION_FAILED, VERSION_MISMATCH, message)
    }

    /// Something that Dataverse may know and the sandbox does not.
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        let what = what.into();
        tracing::error!(what, "not supported by the Dataverse sandbox");
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "",
            format!("The sandbox does not support {what}."),
        )
    }

    pub(crate) fn method(method: &http::Method) -> Self {
        let message = format!("The requested resource does not support http method '{method}'.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "0x0", message)
    }

    /// The refusal as an answer.
    pub(crate) fn into_reply(self) -> Reply {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let reply = Reply::new(self.status).with_body(body);
        match self.retry_after_seconds {
            Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
            None => reply,
        }
    }
}
