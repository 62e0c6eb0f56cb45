//! The host's admin endpoints: those that people and scripts use at a desk to look at functions and to
//! run a timer. <https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http>

use std::sync::Arc;

use axum::{Json, body::Body, response::IntoResponse as _};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{
    HOST_VERSION, Inner,
    function::{Function, Trigger},
    process::State,
    server::status,
    timer,
};

const BODY_LIMIT: usize = 1 << 20;

/// Answers a request to `/admin/{path}`.
pub(super) async fn answer(
    inner: &Arc<Inner>,
    path: &str,
    request: Request<Body>,
) -> Response<Body> {
    let method = request.method().clone();
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    match (method, &segments[..]) {
        (Method::GET | Method::POST, ["host", "ping"]) => status(StatusCode::OK),
        (Method::POST, ["host", "synctriggers"]) => status(StatusCode::NO_CONTENT),
        (Method::GET, ["host", "status"]) => Json(host_status(inner)).into_response(),
        (Method::GET, ["functions"]) => {
            let all: Vec<Value> = inner
                .app
                .functions
                .iter()
                .map(|it| describe(inner, it))
                .collect();
            Json(all).into_response()
        }
        (Method::GET, ["functions", name]) => with_function(inner, name, |it| describe(inner, it)),
        (Method::GET, ["functions", name, "status"]) => with_function(inner, name, |_| json!({})),
        (Method::POST, ["functions", name]) => run(inner, name, request).await,
        _ => {
            tracing::error!(
                "{} /admin/{path} is not imitated by the sandbox",
                request.method()
            );
            status(StatusCode::NOT_IMPLEMENTED)
        }
    }
}

fn with_function(inner: &Inner, name: &str, show: impl Fn(&Function) -> Value) -> Response<Body> {
    match inner.app.function(name) {
        Some(function) => Json(show(function)).into_response(),
        None => status(StatusCode::NOT_FOUND),
    }
}

/// Starts a timer function and does not wait for it; `{"input": …}` is asked for, but a timer ignores it.
async fn run(inner: &Arc<Inner>, name: &str, request: Request<Body>) -> Response<Body> {
    let Some(function) = inner.app.function(name) else {
        return status(StatusCode::NOT_FOUND);
    };
    let body = axum::body::to_bytes(request.into_body(), BODY_LIMIT)
        .await
        .unwrap_or_default();
    if !matches!(serde_json::from_slice(&body), Ok(Value::Object(_))) {
        return status(StatusCode::BAD_REQUEST);
    }
    if matches!(function.trigger, Trigger::Http(_)) {
        tracing::error!(
            "{name} is an http function: call its URL, the sandbox does not run it from here"
        );
        return status(StatusCode::NOT_IMPLEMENTED);
    }
    let (inner, name) = (inner.clone(), function.name.clone());
    tokio::spawn(async move {
        let result = timer::fire(&inner, &name, false).await;
        timer::report(&name, result.as_ref());
    });
    status(StatusCode::ACCEPTED)
}

fn host_status(inner: &Inner) -> Value {
    let state = match inner.handler.state() {
        State::Ready { .. } | State::Starting => "Running",
        State::Down(_) | State::Refused(_) => "Error",
    };
    let uptime = inner.clock.now().duration_since(inner.started).as_millis();
    json!({
        "id": "sandbox",
        "state": state,
        "version": HOST_VERSION,
        "versionDetails": HOST_VERSION,
        "processUptime": i64::try_from(uptime).unwrap_or(i64::MAX),
        "errors": inner.app.errors,
    })
}

fn describe(inner: &Inner, function: &Function) -> Value {
    let invoke_url = match &function.trigger {
        Trigger::Http(http) => Some(inner.function_url(http)),
        Trigger::Timer(_) => None,
    };
    json!({
        "name": function.name,
        "href": format!("{}admin/functions/{}", inner.url, function.name),
        "invoke_url_template": invoke_url,
        "isDisabled": function.disabled,
        "config": {"bindings": [{"type": function.trigger_type(), "direction": "in"}]},
    })
}
