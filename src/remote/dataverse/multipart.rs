//! Owns the `$batch` wire format: `multipart/mixed` of `application/http` parts, written and read.
//!
//! Dataverse wants CRLF line ends and answers in the order of the operations.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api>

use std::fmt::{self, Write};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

/// One operation of a batch.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// HTTP method.
    pub(super) method: Method,
    /// Path and query, relative to the service root, percent-encoded.
    pub(super) path: String,
    /// A condition such as `If-Match`.
    pub(super) condition: Option<(HeaderName, String)>,
    /// JSON body.
    pub(super) body: Option<Value>,
}

impl Operation {
    /// A read.
    pub(super) fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            condition: None,
            body: None,
        }
    }

    /// A conditional write.
    pub(super) fn patch(path: String, condition: (HeaderName, String), body: Value) -> Self {
        Self {
            method: Method::PATCH,
            path,
            condition: Some(condition),
            body: Some(body),
        }
    }
}

/// The answer to one operation.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its status.
    pub(super) status: StatusCode,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its body; may be empty.
    pub(super) body: Bytes,
}

/// A batch answer that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MultipartError {
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
pub(super) fn encode(boundary: &str, root: &str, operations: &[Operation]) -> Bytes {
    let mut text = String::new();
    for operation in operations {
        // Writing to a String cannot fail.
        let _ = write_operation(&mut text, boundary, root, operation);
    }
    let _ = write!(text, "--{boundary}--\r\n");
    Bytes::from(text)
}

fn write_operation(
    text: &mut String,
    boundary: &str,
    root: &str,
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
        "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    )?;
    write!(
        text,
        "{method} {root}{path} HTTP/1.1\r\nAccept: application/json\r\n"
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
pub(super) fn boundary(headers: &HeaderMap) -> Result<String, MultipartError> {
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

/// Reads a batch answer into its parts.
pub(super) fn decode(boundary: &str, body: &Bytes) -> Result<Vec<Part>, MultipartError> {
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
        parts.push(part(&body.slice(start..end))?);
        at = end + closing.len();
    }
    Ok(parts)
}

/// One part: MIME headers, an empty line, then an HTTP response.
fn part(bytes: &Bytes) -> Result<Part, MultipartError> {
    let mime_end = find(bytes, b"\r\n\r\n", 0).ok_or(MultipartError::BadPart)? + 4;
    let response = bytes.slice(mime_end..);
    let (head, body) = match find(&response, b"\r\n\r\n", 0) {
        Some(end) => (response.slice(..end), response.slice(end + 4..)),
        None => (response.clone(), Bytes::new()),
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(parts: &[(u16, &str)]) -> Bytes {
        let mut text = String::new();
        for (status, body) in parts {
            text.push_str("--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n");
            let head = format!("HTTP/1.1 {status} Whatever\r\nETag: W/\"7\"\r\nOData-Version: 4.0");
            text.extend([&head, "\r\n\r\n", body, "\r\n"]);
        }
        Bytes::from(text + "--b--\r\n")
    }

    #[test]
    fn parts_come_back_in_order_with_status_headers_and_body() {
        let parts = decode(
            "b",
            &answer(&[(204, ""), (412, r#"{"error":{"code":"x"}}"#)]),
        )
        .unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].status.as_u16(), parts[0].body.len()), (204, 0));
        assert_eq!(parts[1].status.as_u16(), 412);
        assert_eq!(parts[1].headers["etag"], "W/\"7\"");
        assert_eq!(parts[1].body, r#"{"error":{"code":"x"}}"#);
    }

    #[test]
    fn a_cut_off_answer_is_noticed() {
        let whole = answer(&[(204, ""), (200, "{}")]);
        let cut = whole.slice(..whole.len() - 10);
        assert_eq!(decode("b", &cut).unwrap_err(), MultipartError::CutOff);
    }

    #[test]
    fn operations_are_written_with_crlf_and_their_condition() {
        let operation = Operation::patch(
            "adx_invitations(1)".to_owned(),
            (http::header::IF_MATCH, "W/\"1\"".to_owned()),
            serde_json::json!({"statuscode": 2}),
        );
        let read = Operation::get("contacts?$select=fullname".to_owned());
        let text =
            String::from_utf8(encode("b", "/api/data/v9.2/", &[operation, read]).to_vec()).unwrap();
        insta::assert_snapshot!(text.replace("\r\n", "␍\n"), @r#"
        --b␍
        Content-Type: application/http␍
        Content-Transfer-Encoding: binary␍
        ␍
        PATCH /api/data/v9.2/adx_invitations(1) HTTP/1.1␍
        Accept: application/json␍
        if-match: W/"1"␍
        Content-Type: application/json; type=entry␍
        ␍
        {"statuscode":2}␍
        --b␍
        Content-Type: application/http␍
        Content-Transfer-Encoding: binary␍
        ␍
        GET /api/data/v9.2/contacts?$select=fullname HTTP/1.1␍
        Accept: application/json␍
        ␍
        --b--␍
        "#);
    }

    proptest! {
        #[test]
        fn reading_never_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode("b", &Bytes::from(body));
        }

        #[test]
        fn mangled_answers_never_panic(cut in 0_usize..300, flip in 0_usize..300, byte in any::<u8>()) {
            let mut bytes = answer(&[(200, r#"{"value":[]}"#), (412, "{}")]).to_vec();
            bytes.truncate(cut.max(1));
            let position = flip % bytes.len();
            bytes[position] = byte;
            let _ = decode("b", &Bytes::from(bytes));
        }

        #[test]
        fn any_bodies_round_trip(bodies in proptest::collection::vec("[ -~]{0,60}", 1..8)) {
            let parts: Vec<_> = bodies.iter().map(|body| (200, body.as_str())).collect();
            let read = decode("b", &answer(&parts)).unwrap();
            let read: Vec<_> = read.iter().map(|part| std::str::from_utf8(&part.body).unwrap()).collect();
            prop_assert_eq!(read, bodies);
        }
    }
}
