//! What the host tells and refuses: the admin endpoints and functions in error.

use std::time::Duration;

use http::StatusCode;
use sandbox::host::{Host, HostError, HostOptions};
use serde_json::json;

use crate::support::{any, app, echo, get, post, start, timer};

#[tokio::test]
async fn the_admin_endpoints_answer_as_the_host_does() {
    let root = app(
        &[("tick", timer("0 0 * * * *")), ("web", any("web"))],
        &json!({}),
        &json!({}),
    );
    let file = root.path().join("timers.status");
    let mut options = HostOptions::new(root.path());
    options.timer_status = Some(file.clone());
    let host = Host::start(options).await.unwrap();
    let fired = post(&host, "admin/functions/tick", r#"{"input":""}"#).await;
    assert_eq!(
        (fired.status(), fired.content_length()),
        (StatusCode::ACCEPTED, Some(0))
    );
    assert_eq!(
        post(&host, "admin/functions/tick", "").await.status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        post(&host, "admin/functions/tick", "null").await.status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        post(&host, "admin/functions/none", "{}").await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        post(&host, "admin/functions/web", "{}").await.status(),
        StatusCode::NOT_IMPLEMENTED
    );
    let status = echo(get(&host, "admin/host/status").await).await;
    assert_eq!(status["state"], "Running");
    let functions = echo(get(&host, "admin/functions").await).await;
    assert_eq!(functions[0]["name"], "tick");
    tokio::time::timeout(Duration::from_secs(10), async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the fired timer ran");
}

#[tokio::test]
async fn a_function_without_its_schedule_setting_is_left_out() {
    let functions = [("sweep", timer("%SWEEP%")), ("echo", any("x"))];
    let root = app(&functions, &json!({}), &json!({}));
    let host = start(&root).await;
    assert_eq!(host.functions().len(), 1);
    assert_eq!(
        host.function_errors(),
        ["sweep: '%SWEEP%' does not resolve to a value"]
    );
    assert!(host.banner().contains("'%SWEEP%' does not resolve"));
    let alone = app(&functions[..1], &json!({}), &json!({}));
    let refused = Host::start(HostOptions::new(alone.path())).await;
    assert!(matches!(refused, Err(HostError::NoFunctions(_))));
}
