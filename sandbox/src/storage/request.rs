//! A request to Blob Storage, taken apart: which blob, which operation, under which conditions.
//!
//! What the sandbox does not do is refused here, down to single headers and query parameters, so that no
//! condition that a caller states is passed over in silence.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::lease::{self, Action};
use super::refusal::Refusal;

/// Headers beginning with `x-ms-` or `if-` that are understood, or may be passed over.
const KNOWN_HEADERS: [&str; 15] = [
    "if-none-match",
    "x-ms-blob-condition-appendpos",
    "x-ms-blob-content-type",
    "x-ms-blob-type",
    "x-ms-client-request-id",
    "x-ms-date",
    "x-ms-lease-action",
    "x-ms-lease-break-period",
    "x-ms-lease-duration",
    "x-ms-lease-id",
    "x-ms-proposed-lease-id",
    "x-ms-range",
    "x-ms-version",
    "x-ms-return-client-request-id",
    "x-ms-useragent",
];

/// Query parameters that are understood, or may be passed over.
const KNOWN_PARAMETERS: [&str; 6] = [
    "comp",
    "marker",
    "maxresults",
    "prefix",
    "restype",
    "timeout",
];

/// What to do.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    CreateContainer,
    List {
        prefix: String,
        marker: Option<String>,
        most: usize,
    },
    PutBlock(Bytes),
    PutAppend,
    Append {
        block: Bytes,
        at: Option<u64>,
    },
    Get {
        from: Option<u64>,
        to: Option<u64>,
    },
    Properties,
    Delete,
    Lease(Action),
}

/// A request, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) container: String,
    /// Empty where the request is for the container itself.
    pub(super) blob: String,
    pub(super) operation: Operation,
    pub(super) lease: Option<String>,
    pub(super) only_new: bool,
}

impl Request {
    pub(super) fn read(parts: &Parts, body: Bytes) -> Result<Self, Refusal> {
        let headers = &parts.headers;
        refuse_unknown(headers)?;
        let path = parts.uri.path().trim_start_matches('/');
        let (container, blob) = path.split_once('/').unwrap_or((path, ""));
        let query: Vec<(String, String)> =
            form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        if let Some((name, _)) = (query.iter()).find(|(n, _)| !KNOWN_PARAMETERS.contains(&&**n)) {
            return Err(Refusal::unknown(format!("the parameter {name}")));
        }
        let only_new = match text(headers, "if-none-match") {
            None => false,
            Some("*") => true,
            Some(_) => return Err(Refusal::unknown("If-None-Match with an ETag")),
        };
        let blob = decode(blob);
        let operation = if blob.is_empty() {
            of_container(&parts.method, &query)
        } else {
            of_blob(&parts.method, &query, headers, body)
        }?;
        Ok(Self {
            container: decode(container),
            blob,
            operation,
            lease: text(headers, "x-ms-lease-id").map(str::to_owned),
            only_new,
        })
    }
}

fn refuse_unknown(headers: &HeaderMap) -> Result<(), Refusal> {
    let unknown = headers.keys().map(http::HeaderName::as_str).find(|name| {
        (name.starts_with("x-ms-") || name.starts_with("if-")) && !KNOWN_HEADERS.contains(name)
    });
    match unknown {
        Some(name) => Err(Refusal::unknown(format!("the header {name}"))),
        None => Ok(()),
    }
}

fn of_container(method: &Method, query: &[(String, String)]) -> Result<Operation, Refusal> {
    let (restype, comp) = (parameter(query, "restype"), parameter(query, "comp"));
    match (method, restype, comp) {
        (&Method::PUT, Some("container"), None) => Ok(Operation::CreateContainer),
        (&Method::GET, Some("container"), Some("list")) => list(query),
        _ => Err(Refusal::unknown(format!("{method} of a container"))),
    }
}

/// <https://learn.microsoft.com/rest/api/storageservices/list-blobs>
fn list(query: &[(String, String)]) -> Result<Operation, Refusal> {
    const MOST: usize = 5_000;
    let most = parameter(query, "maxresults").map_or(Ok(MOST), str::parse);
    let most = most.ok().filter(|most| *most > 0);
    let marker = parameter(query, "marker").filter(|marker| !marker.is_empty());
    Ok(Operation::List {
        prefix: parameter(query, "prefix").unwrap_or_default().to_owned(),
        marker: marker.map(str::to_owned),
        most: most.ok_or_else(|| Refusal::header("maxresults"))?.min(MOST),
    })
}

fn of_blob(
    method: &Method,
    query: &[(String, String)],
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Operation, Refusal> {
    match (method, parameter(query, "comp")) {
        (&Method::PUT, None) => match text(headers, "x-ms-blob-type") {
            Some("BlockBlob") => Ok(Operation::PutBlock(body)),
            Some("AppendBlob") if body.is_empty() => Ok(Operation::PutAppend),
            kind => Err(Refusal::unknown(format!("a blob of type {kind:?}"))),
        },
        (&Method::PUT, Some("appendblock")) => Ok(Operation::Append {
            block: body,
            at: number(headers, "x-ms-blob-condition-appendpos")?,
        }),
        (&Method::PUT, Some("lease")) => Ok(Operation::Lease(action(headers)?)),
        (&Method::GET, None) => {
            let (from, to) = range(headers)?;
            Ok(Operation::Get { from, to })
        }
        (&Method::HEAD, None) => Ok(Operation::Properties),
        (&Method::DELETE, None) => Ok(Operation::Delete),
        (method, comp) => Err(Refusal::unknown(format!("{method} {comp:?} of a blob"))),
    }
}

fn action(headers: &HeaderMap) -> Result<Action, Refusal> {
    let id = |name| {
        let id = text(headers, name).map(str::to_owned);
        id.ok_or_else(|| Refusal::header(name))
    };
    match text(headers, "x-ms-lease-action") {
        Some("acquire") => {
            let seconds = text(headers, "x-ms-lease-duration").and_then(|text| text.parse().ok());
            let seconds = seconds.ok_or_else(|| Refusal::header("x-ms-lease-duration"))?;
            Ok(Action::Acquire {
                id: id("x-ms-proposed-lease-id")?,
                duration: lease::duration(seconds)?,
            })
        }
        Some("renew") => Ok(Action::Renew(id("x-ms-lease-id")?)),
        Some("release") => Ok(Action::Release(id("x-ms-lease-id")?)),
        Some("break") => {
            let period = number(headers, "x-ms-lease-break-period")?;
            let period = period.map(|seconds| SignedDuration::from_secs(seconds.cast_signed()));
            Ok(Action::Break(period))
        }
        action => Err(Refusal::unknown(format!("the lease action {action:?}"))),
    }
}

/// `bytes=from-[to]`; `x-ms-range` goes before `Range`.
/// <https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations>
fn range(headers: &HeaderMap) -> Result<(Option<u64>, Option<u64>), Refusal> {
    let Some(range) = text(headers, "x-ms-range").or_else(|| text(headers, "range")) else {
        return Ok((None, None));
    };
    let bounds = range
        .strip_prefix("bytes=")
        .and_then(|bounds| bounds.split_once('-'));
    let bounds = bounds.and_then(|(from, to)| {
        let to = Some(to).filter(|to| !to.is_empty());
        Some((from.parse().ok()?, to.map(str::parse).transpose().ok()?))
    });
    let (from, to) = bounds.ok_or_else(|| Refusal::header("range"))?;
    Ok((Some(from), to))
}

fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Refusal> {
    let number = text(headers, name).map(str::parse).transpose();
    number.map_err(|_| Refusal::header(name))
}

pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn parameter<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    let (_, value) = query.iter().find(|(own, _)| own == name)?;
    Some(value)
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
