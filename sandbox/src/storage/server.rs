//! Blob Storage's front door: token, version, and the answers' headers.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services>

use axum::Router;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response;
use http::header::{CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, LAST_MODIFIED};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;

use super::blob::Blob;
use super::refusal::Refusal;
use super::request::{Request, text};
use super::{Answer, Storage};
use crate::identity::bearer;
use crate::wire::http_date;

/// The first version that takes bearer tokens.
const FIRST_VERSION: &str = "2017-11-09";

pub(super) fn router(storage: Storage) -> Router {
    Router::new().fallback(receive).with_state(storage)
}

async fn receive(State(storage): State<Storage>, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match body.collect().await {
        Ok(body) => answer(&storage, &parts, body.to_bytes()),
        Err(_) => Err(Refusal::header("content-length")),
    };
    let mut response = match answer {
        Ok(answer) => accepted(answer),
        Err(refusal) => refused(&refusal),
    };
    if parts.method == Method::HEAD {
        *response.body_mut() = axum::body::Body::empty();
    }
    if let Some(version) = parts.headers.get("x-ms-version") {
        let name = HeaderName::from_static("x-ms-version");
        response.headers_mut().insert(name, version.clone());
    }
    response
}

fn answer(storage: &Storage, parts: &Parts, body: bytes::Bytes) -> Result<Answer, Refusal> {
    storage.check_token(bearer(&parts.headers))?;
    match text(&parts.headers, "x-ms-version") {
        Some(version) if version >= FIRST_VERSION => {}
        _ => return Err(Refusal::header("x-ms-version")),
    }
    storage.perform(Request::read(parts, body)?)
}

fn refused(refusal: &Refusal) -> Response {
    let mut response = Response::new(refusal.body().into());
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    let name = HeaderName::from_static("x-ms-error-code");
    headers.insert(name, HeaderValue::from_static(refusal.code));
    response
}

fn accepted(answer: Answer) -> Response {
    let mut response = Response::new(answer.body.into());
    *response.status_mut() = answer.status;
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The version headers of a blob.
pub(super) fn version_of(blob: &Blob) -> Vec<(HeaderName, String)> {
    vec![
        (ETAG, etag(blob.etag)),
        (LAST_MODIFIED, date(blob.modified)),
    ]
}

/// All headers of a blob that are read with it.
pub(super) fn headers_of(blob: &Blob, now: Timestamp) -> Vec<(HeaderName, String)> {
    let (state, status) = blob.lease.words(now);
    let mut headers = version_of(blob);
    headers.extend(
        [
            ("content-type", "application/octet-stream"),
            ("x-ms-blob-type", blob.kind()),
            ("x-ms-lease-state", state),
            ("x-ms-lease-status", status),
        ]
        .map(|(name, value)| (HeaderName::from_static(name), value.to_owned())),
    );
    if let Some(blocks) = blob.blocks {
        let name = HeaderName::from_static("x-ms-blob-committed-block-count");
        headers.push((name, blocks.to_string()));
    }
    headers
}

/// `Content-Range` of a part of a blob.
pub(super) fn part_of(blob: &Blob, from: u64, length: usize) -> (HeaderName, String) {
    let last = from + (length as u64).saturating_sub(1);
    let total = blob.bytes.len();
    (CONTENT_RANGE, format!("bytes {from}-{last}/{total}"))
}

pub(super) fn etag(number: u64) -> String {
    format!("\"0x8DE{number:011X}\"")
}

pub(super) fn date(moment: Timestamp) -> String {
    let date = http_date(moment);
    date.to_str().unwrap_or_default().to_owned()
}

pub(super) fn status(answer: StatusCode) -> Answer {
    Answer {
        status: answer,
        headers: Vec::new(),
        body: Vec::new(),
    }
}
