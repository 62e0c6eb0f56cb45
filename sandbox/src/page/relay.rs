//! Passes `/host/…` on to the Functions host as it came: a browser may not send JSON to another origin unless that
//! one agrees, and the host does not.

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::{Router, routing::any};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use url::Url;

use super::{Page, files::status};

/// The largest body that is passed on, in bytes: more than the handler takes.
const BODY_LIMIT: usize = 4 << 20;

/// What the host hears of a browser's headers; the rest is about the page.
const ASKED: [HeaderName; 2] = [CONTENT_TYPE, HeaderName::from_static("idempotency-key")];
/// What the page hears of an answer's headers.
const ANSWERED: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_LENGTH, LOCATION, RETRY_AFTER];

pub(super) fn router() -> Router<Page> {
    Router::new().route("/host/{*path}", any(relay))
}

async fn relay(State(page): State<Page>, request: Request<Body>) -> Response<Body> {
    let target = (request.uri().path_and_query())
        .and_then(|path| path.as_str().strip_prefix("/host/"))
        .and_then(|path| page.desk.url().join(path).ok());
    match target {
        Some(target) => pass(&page, target, request)
            .await
            .unwrap_or_else(|_| status(StatusCode::BAD_GATEWAY)),
        None => status(StatusCode::NOT_FOUND),
    }
}

async fn pass(page: &Page, target: Url, request: Request<Body>) -> anyhow::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await?;
    let mut outgoing = page.client.request(head.method, target).body(body);
    if let Some((name, key)) = page.desk.key_header() {
        outgoing = outgoing.header(name, key);
    }
    let answer = outgoing.headers(only(&head.headers, &ASKED)).send().await?;
    let mut passed = Response::new(Body::empty());
    *passed.status_mut() = answer.status();
    *passed.headers_mut() = only(answer.headers(), &ANSWERED);
    *passed.body_mut() = Body::from(answer.bytes().await?);
    Ok(passed)
}

fn only(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let kept = names
        .iter()
        .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())));
    kept.collect()
}
