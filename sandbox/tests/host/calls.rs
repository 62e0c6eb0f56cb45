//! What the host tells of its invocations.

use sandbox::host::{Cause, Host};
use serde_json::{Value, json};

use crate::support::{any, app, get, headers, start, timer};

async fn host() -> (tempfile::TempDir, Host) {
    let functions = [
        ("echo", any("echo/{*rest}")),
        ("refuses", timer("0 0 0 1 1 *")),
    ];
    let root = app(&functions, &json!({}), &json!({}));
    let host = start(&root).await;
    (root, host)
}

#[tokio::test]
async fn a_request_is_told_with_the_id_that_the_handler_saw_and_without_its_key() {
    let (_root, host) = host().await;
    assert_eq!(host.calls_version(), 0);
    let answer = get(&host, "api/echo/a%20b?code=SECRET&x=1").await;
    let echo: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let [call] = &host.calls()[..] else { panic!() };
    let id = headers(&echo, "x-azure-functions-invocationid");
    assert_eq!(id, [call.id.to_string()]);
    assert_eq!((call.number, call.function.as_str()), (1, "echo"));
    let Cause::Http { method, target } = &call.cause else {
        panic!()
    };
    assert_eq!(
        (method.as_str(), target.as_str()),
        ("GET", "/api/echo/a b?code=•••&x=1")
    );
    let ending = call.ending.as_ref().unwrap();
    assert_eq!((ending.status, &ending.failure), (Some(200), &None));
    assert_eq!(host.calls_version(), 2);
}

#[tokio::test]
async fn what_failed_is_told_with_the_reason() {
    let (_root, host) = host().await;
    host.fire("refuses").await.unwrap_err();
    get(&host, "api/echo/crash?code=SECRET").await;
    let [refused, crashed] = &host.calls()[..] else {
        panic!()
    };
    assert_eq!(refused.cause, Cause::Timer);
    let ending = refused.ending.as_ref().unwrap();
    assert_eq!(ending.status, Some(500));
    assert!(ending.failure.as_ref().unwrap().contains("status"));
    let ending = crashed.ending.as_ref().unwrap();
    assert_eq!(ending.status, None);
    let failure = ending.failure.as_ref().unwrap();
    assert!(
        failure.contains("no answer") && !failure.contains("SECRET"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_request_that_the_host_itself_refuses_is_no_invocation() {
    let (_root, host) = host().await;
    get(&host, "api/unknown").await;
    get(&host, "admin/host/status").await;
    assert!(host.calls().is_empty());
}
