//! The page's own files: embedded in the binary, read from `sandbox/page` by builds with debug assertions, so that
//! a change shows at the next reload.

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "page/"]
struct Files;

/// Nothing but the page's own files, frames of the portal on another port, and pictures that letters name.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-src 'self' http://127.0.0.1:*; img-src 'self' data:",
);

/// Answers with a file, `index.html` for the root.
pub(super) async fn answer(request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let readable = [Method::GET, Method::HEAD].contains(request.method());
    let Some(file) = Files::get(path).filter(|_| readable) else {
        return status(StatusCode::NOT_FOUND);
    };
    let kind = HeaderValue::from_str(file.metadata.mimetype());
    let mut answer = Response::new(Body::from(file.data));
    let headers = answer.headers_mut();
    if let Ok(kind) = kind {
        headers.insert(CONTENT_TYPE, kind);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    answer
}

/// An answer without a body.
pub(super) fn status(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
