//! What takes time, and what is refused because nobody here knows it.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::Storage;
use crate::clock::Clock;

/// Method, path and query, headers and body of a request; its status and error code.
async fn ask(
    storage: &Storage,
    line: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> String {
    let (method, target) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in [
        ("authorization", "Bearer any"),
        ("x-ms-version", "2026-02-06"),
    ]
    .iter()
    .chain(headers)
    {
        request = request.header(*name, *value);
    }
    let request = request.body(axum::body::Body::from(Bytes::from(body)));
    let answer = storage.router().oneshot(request.unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    body.collect().await.unwrap();
    let code = head.headers.get("x-ms-error-code");
    let code = code.map_or("", |code| code.to_str().unwrap());
    format!("{} {code}", head.status.as_u16()).trim().to_owned()
}

async fn with_blob() -> Storage {
    let storage = Storage::new(Clock::system());
    ask(&storage, "PUT /c?restype=container", &[], "").await;
    let kind = [("x-ms-blob-type", "AppendBlob")];
    assert_eq!(ask(&storage, "PUT /c/b", &kind, "").await, "201");
    storage
}

async fn lease(storage: &Storage, action: &str, id: &str) -> String {
    let name = if action == "acquire" {
        "x-ms-proposed-lease-id"
    } else {
        "x-ms-lease-id"
    };
    let headers = [
        ("x-ms-lease-action", action),
        ("x-ms-lease-duration", "60"),
        (name, id),
    ];
    ask(storage, "PUT /c/b?comp=lease", &headers, "").await
}

async fn append(storage: &Storage, id: &str) -> String {
    let headers = [("x-ms-lease-id", id)];
    let headers = if id.is_empty() { &[][..] } else { &headers };
    ask(storage, "PUT /c/b?comp=appendblock", headers, "x").await
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_after_its_sixty_seconds_unless_it_is_renewed() {
    let storage = with_blob().await;
    assert_eq!(lease(&storage, "acquire", "one").await, "201");
    seconds(59).await;
    assert_eq!(lease(&storage, "renew", "one").await, "200");
    seconds(59).await;
    let refused = lease(&storage, "acquire", "two").await;
    assert_eq!(refused, "409 LeaseAlreadyPresent");
    seconds(1).await;
    assert_eq!(append(&storage, "one").await, "412 LeaseLost");
    assert_eq!(lease(&storage, "acquire", "two").await, "201");
    let mismatch = "409 LeaseIdMismatchWithLeaseOperation";
    assert_eq!(lease(&storage, "renew", "one").await, mismatch);
    assert_eq!(append(&storage, "two").await, "201");
}

#[tokio::test(start_paused = true)]
async fn an_expired_lease_can_be_renewed_until_somebody_writes() {
    let storage = with_blob().await;
    assert_eq!(lease(&storage, "acquire", "one").await, "201");
    seconds(90).await;
    assert_eq!(lease(&storage, "renew", "one").await, "200");
    seconds(90).await;
    assert_eq!(append(&storage, "").await, "201");
    let mismatch = "409 LeaseIdMismatchWithLeaseOperation";
    assert_eq!(lease(&storage, "renew", "one").await, mismatch);
}

#[tokio::test(start_paused = true)]
async fn a_broken_lease_goes_on_for_its_period_and_cannot_be_renewed() {
    let storage = with_blob().await;
    assert_eq!(lease(&storage, "acquire", "one").await, "201");
    let headers = [
        ("x-ms-lease-action", "break"),
        ("x-ms-lease-break-period", "5"),
    ];
    let broken = ask(&storage, "PUT /c/b?comp=lease", &headers, "").await;
    assert_eq!(broken, "202");
    let renewed = lease(&storage, "renew", "one").await;
    assert_eq!(renewed, "409 LeaseIsBrokenAndCannotBeRenewed");
    let acquired = lease(&storage, "acquire", "two").await;
    assert_eq!(acquired, "409 LeaseAlreadyPresent");
    assert_eq!(append(&storage, "one").await, "201");
    seconds(5).await;
    assert_eq!(lease(&storage, "acquire", "two").await, "201");
}

#[tokio::test]
async fn what_the_sandbox_does_not_know_is_refused() {
    let storage = with_blob().await;
    let unknown = StatusCode::NOT_IMPLEMENTED.as_u16().to_string() + " NotImplemented";
    for (line, header) in [
        ("PUT /c/b?comp=metadata", ("x-ms-meta-a", "b")),
        ("GET /c/b", ("if-match", "\"1\"")),
        ("GET /c/b?snapshot=now", ("x-ms-date", "now")),
        ("PUT /c/b?comp=lease", ("x-ms-lease-action", "change")),
        ("DELETE /c?restype=container", ("x-ms-date", "now")),
    ] {
        assert_eq!(ask(&storage, line, &[header], "").await, unknown, "{line}");
    }
    let version = [("x-ms-version", "2015-02-21")];
    let answer = storage.router().oneshot(
        Request::get("/c/b")
            .header("authorization", "Bearer any")
            .header(version[0].0, version[0].1)
            .body(axum::body::Body::empty())
            .unwrap(),
    );
    assert_eq!(answer.await.unwrap().status(), StatusCode::BAD_REQUEST);
}
