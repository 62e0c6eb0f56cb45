//! One request to Graph, alone or inside a `$batch`, and the two ways to answer it.
//!
//! Errors follow <https://learn.microsoft.com/graph/errors>. Addresses are split before they are decoded,
//! so that an encoded slash stays part of its segment; a plus sign in a query is a space.

use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::form_urlencoded;

/// A request with its address taken apart.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) method: Method,
    /// Segments below the version, decoded.
    pub(super) path: Vec<String>,
    /// Query options, decoded.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// Root of the version, for links and contexts.
    pub(super) root: String,
    /// Its own address up to the query.
    pub(super) address: String,
}

/// The body of an operation.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Empty,
    Json(Value),
    /// Not JSON; its media type.
    Other(String),
}

impl Operation {
    /// `target` is the path below the version, with the query.
    pub(super) fn new(
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: Body,
        version_root: &str,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        Self {
            method,
            path: segments.map(decode).collect(),
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            headers,
            body,
            root: version_root.to_owned(),
            address: format!("{version_root}/{}", path.trim_start_matches('/')),
        }
    }

    /// Whether the caller speaks of immutable ids; an error for preferences that are not known here.
    ///
    /// <https://learn.microsoft.com/graph/outlook-immutable-id>
    pub(super) fn prefers_immutable_ids(&self) -> Result<bool, Refusal> {
        let mut immutable = false;
        let values = self.headers.get_all("prefer").iter();
        for value in values.flat_map(|value| value.to_str().unwrap_or("?").split(',')) {
            match value.trim().to_ascii_lowercase().as_str() {
                "idtype=\"immutableid\"" => immutable = true,
                other => return Err(Refusal::unknown(format!("the preference {other}"))),
            }
        }
        Ok(immutable)
    }

    pub(super) fn json(&self) -> Result<&Value, Refusal> {
        match &self.body {
            Body::Json(value) => Ok(value),
            Body::Empty => Err(Refusal::bad("The request has no body.")),
            Body::Other(kind) => Err(Refusal::unknown(format!("a body of type {kind}"))),
        }
    }
}

/// A successful answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Option<Value>,
}

impl Answer {
    /// Without a body and without a type of one.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, body: None }
    }

    pub(super) fn json(status: StatusCode, body: Value) -> Self {
        let body = Some(body);
        Self { status, body }
    }
}

/// An answer that refuses.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) retry_after_seconds: Option<u64>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            retry_after_seconds: None,
        }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn throttled(message: &str, retry_after_seconds: u64) -> Self {
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "ApplicationThrottled",
                message,
            )
        }
    }

    /// For what Graph may know and the sandbox does not: loud, so that nobody builds on it.
    pub(super) fn unknown(what: impl AsRef<str>) -> Self {
        let what = what.as_ref();
        tracing::error!(what, "the Graph look-alike does not know this");
        let message = format!("The sandbox does not know {what}.");
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    /// The JSON body; `inner` goes below `error`.
    pub(super) fn body(&self, inner: &Value) -> Value {
        json!({"error": {"code": self.code, "message": self.message, "innerError": inner}})
    }
}
