//! Owns the `$batch` wire format: `multipart/mixed` of `application/http` parts, written and read.
//!
//! Dataverse wants CRLF line ends and answers in the order of the operations. A changeset is a part made of parts:
//! its operations are carried out together or not at all.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api>

use std::fmt::{self, Write};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

/// One operation of a batch.
#[derive(Clone, Debug)]
pub struct Operation {
    /// HTTP method.
    pub method: Method,
    /// Path and query, relative to the service root, percent-encoded.
    pub path: String,
    /// A header beside the usual ones: a condition such as `If-Match`, or a preference.
    pub condition: Option<(HeaderName, String)>,
    /// JSON body.
    pub body: Option<Value>,
}

impl Operation {
    /// A read.
    pub fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            condition: None,
            body: None,
        }
    }

    /// A conditional write.
    pub fn patch(path: String, condition: (HeaderName, String), body: Value) -> Self {
        Self {
            method: Method::PATCH,
            path,
            condition: Some(condition),
            body: Some(body),
        }
    }

    /// A write that only makes sense together with others.
    pub fn post(path: String, body: Value) -> Self {
        Self {
            method: Method::POST,
            path,
            condition: None,
            body: Some(body),
        }
    }
}

/// What a batch is made of.
#[derive(Clone, Debug)]
pub enum Step {
    /// One operation.
    Single(Operation),
    /// Writes that happen together or not at all.
    Together(Vec<Operation>),
}

impl Step {
    /// A read.
    pub fn get(path: String) -> Self {
        Self::Single(Operation::get(path))
    }

    /// Writes that belong together; one needs no changeset.
    pub fn of(mut operations: Vec<Operation>) -> Self {
        match operations.pop() {
            Some(only) if operations.is_empty() => Self::Single(only),
            last => {
                operations.extend(last);
                Self::Together(operations)
            }
        }
    }
}

/// The answer to one step; to a changeset its first failure, else the answer to its first operation.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; may be empty.
    pub body: Bytes,
}

/// A batch answer that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// No `multipart/mixed` content type with a boundary.
    #[error("the batch answer names no boundary")]
    NoBoundary,
    /// The closing boundary is missing: the answer is cut off.
    #[error("the batch answer is cut off")]
    CutOff,
    /// A part is no HTTP response.
    #[error("a part of the batch answer is no HTTP response")]
    BadPart,
}

/// Writes a batch.
///
/// Bodies are JSON without raw line breaks, so no boundary of letters can occur at the start of a line.
pub fn encode(boundary: &str, root: &str, steps: &[Step]) -> Bytes {
    let mut text = String::new();
    for (place, step) in steps.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = match step {
            Step::Single(operation) => write_operation(&mut text, boundary, root, None, operation),
            Step::Together(operations) => {
                write_changeset(&mut text, boundary, root, place, operations)
            }
        };
    }
    let _ = write!(text, "--{boundary}--\r\n");
    Bytes::from(text)
}

fn write_changeset(
    text: &mut String,
    boundary: &str,
    root: &str,
    place: usize,
    operations: &[Operation],
) -> fmt::Result {
    let inner = format!("changeset_{place}");
    write!(
        text,
        "--{boundary}\r\nContent-Type: multipart/mixed; boundary=\"{inner}\"\r\n\r\n"
    )?;
    for (id, operation) in (1..).zip(operations) {
        write_operation(text, &inner, root, Some(id), operation)?;
    }
    write!(text, "--{inner}--\r\n")
}

fn write_operation(
    text: &mut String,
    boundary: &str,
    root: &str,
    content_id: Option<usize>,
    operation: &Operation,
) -> fmt::Result {
    let Operation {
        method,
        path,
        condition,
        body,
    } = operation;
    write!(
        text,
        "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
    )?;
    if let Some(id) = content_id {
        write!(text, "Content-ID: {id}\r\n")?;
    }
    write!(
        text,
        "\r\n{method} {root}{path} HTTP/1.1\r\nAccept: application/json\r\n"
    )?;
    if let Some((name, value)) = condition {
        write!(text, "{name}: {value}\r\n")?;
    }
    match body {
        Some(body) => write!(
            text,
            "Content-Type: application/json; type=entry\r\n\r\n{body}\r\n"
        ),
        None => text.write_str("\r\n"),
    }
}

/// The boundary that a `Content-Type` header names.
pub fn boundary(headers: &HeaderMap) -> Result<String, MultipartError> {
    let content_type = headers.get(http::header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !content_type
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/mixed")
    {
        return Err(MultipartError::NoBoundary);
    }
    content_type
        .split(';')
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.trim_matches('"').to_owned())
        .filter(|value| !value.is_empty())
        .ok_or(MultipartError::NoBoundary)
}

/// Reads a batch answer: one part for each step.
pub fn decode(boundary: &str, body: &Bytes) -> Result<Vec<Part>, MultipartError> {
    let parts = split(boundary, body)?;
    parts.iter().map(step).collect()
}

/// The answer to a step: a part, or a changeset's parts. A changeset that failed is answered by its failure, in a
/// changeset's clothes or without.
fn step(bytes: &Bytes) -> Result<Part, MultipartError> {
    let mime_end = find(bytes, b"\r\n\r\n", 0).ok_or(MultipartError::BadPart)?;
    let mime = std::str::from_utf8(&bytes[..mime_end]).map_err(|_| MultipartError::BadPart)?;
    let headers: HeaderMap = mime.split("\r\n").filter_map(header).collect();
    let Ok(inner) = boundary(&headers) else {
        return response(&bytes.slice(mime_end + 4..));
    };
    let parts = split(&inner, &bytes.slice(mime_end + 4..))?;
    let parts: Vec<_> = parts.iter().map(part).collect::<Result<_, _>>()?;
    let failure = parts.iter().position(|part| !part.status.is_success());
    let mut parts = parts.into_iter();
    parts
        .nth(failure.unwrap_or(0))
        .ok_or(MultipartError::BadPart)
}

fn split(boundary: &str, body: &Bytes) -> Result<Vec<Bytes>, MultipartError> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut at =
        find(body, delimiter.as_bytes(), 0).ok_or(MultipartError::CutOff)? + delimiter.len();
    while !body[at..].starts_with(b"--") {
        let start = find(body, b"\r\n", at).ok_or(MultipartError::CutOff)? + 2;
        let closing = format!("\r\n{delimiter}");
        let end = find(body, closing.as_bytes(), start.saturating_sub(2))
            .ok_or(MultipartError::CutOff)?;
        if end < start {
            return Err(MultipartError::BadPart);
        }
        parts.push(body.slice(start..end));
        at = end + closing.len();
    }
    Ok(parts)
}

/// One part: MIME headers, an empty line, then an HTTP response.
fn part(bytes: &Bytes) -> Result<Part, MultipartError> {
    let mime_end = find(bytes, b"\r\n\r\n", 0).ok_or(MultipartError::BadPart)? + 4;
    response(&bytes.slice(mime_end..))
}

fn response(bytes: &Bytes) -> Result<Part, MultipartError> {
    let (head, body) = match find(bytes, b"\r\n\r\n", 0) {
        Some(end) => (bytes.slice(..end), bytes.slice(end + 4..)),
        None => (bytes.clone(), Bytes::new()),
    };
    let head = std::str::from_utf8(&head).map_err(|_| MultipartError::BadPart)?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(status)
        .ok_or(MultipartError::BadPart)?;
    let headers = lines.filter_map(header).collect();
    Ok(Part {
        status,
        headers,
        body,
    })
}

fn status(line: &str) -> Option<StatusCode> {
    let mut words = line.split(' ');
    words
        .next()
        .filter(|version| version.starts_with("HTTP/"))?;
    StatusCode::from_bytes(words.next()?.as_bytes()).ok()
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
    Some((name, HeaderValue::from_str(value.trim()).ok()?))
}

fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(haystack.get(from..)?, needle).map(|position| from + position)
}

#[cfg(test)]
mod tests;
