//! Apps of a few functions for the fake handler, and the requests that the tests send to their host.

use std::path::Path;

use http::StatusCode;
use sandbox::host::{Host, HostOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const HANDLER: &str = env!("CARGO_BIN_EXE_fake-handler");

/// An app root with these functions and more members of host.json and of its custom handler.
pub(crate) fn app(functions: &[(&str, Value)], host: &Value, handler: &Value) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let mut file = json!({"version": "2.0", "customHandler": {
        "description": {"defaultExecutablePath": HANDLER},
        "enableForwardingHttpRequest": true,
        "enableProxyingHttpRequest": true,
    }});
    merge(&mut file, host);
    merge(&mut file["customHandler"], handler);
    write(&root.path().join("host.json"), &file);
    for (name, function) in functions {
        std::fs::create_dir(root.path().join(name)).unwrap();
        write(&root.path().join(name).join("function.json"), function);
    }
    root
}

pub(crate) fn merge(into: &mut Value, more: &Value) {
    into.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
}

pub(crate) fn write(path: &Path, content: &Value) {
    std::fs::write(path, content.to_string()).unwrap();
}

pub(crate) fn http_function(route: &str, methods: &[&str], level: &str) -> Value {
    json!({"bindings": [
        {"name": "req", "type": "httpTrigger", "direction": "in", "route": route, "methods": methods, "authLevel": level},
        {"name": "res", "type": "http", "direction": "out"},
    ]})
}

pub(crate) fn any(route: &str) -> Value {
    http_function(route, &["get", "post"], "function")
}

pub(crate) fn timer(schedule: &str) -> Value {
    json!({"bindings": [{"name": "timer", "type": "timerTrigger", "direction": "in", "schedule": schedule}]})
}

pub(crate) async fn start(root: &TempDir) -> Host {
    Host::start(HostOptions::new(root.path())).await.unwrap()
}

pub(crate) fn url(host: &Host, path: &str) -> String {
    format!("{}{path}", host.url())
}

/// Sends without following redirects.
pub(crate) async fn call(
    request: impl FnOnce(reqwest::Client) -> reqwest::RequestBuilder,
) -> reqwest::Response {
    let policy = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder()
        .redirect(policy)
        .no_proxy()
        .build()
        .unwrap();
    request(client).send().await.unwrap()
}

pub(crate) async fn get(host: &Host, path: &str) -> reqwest::Response {
    let target = url(host, path);
    call(|client| client.get(target)).await
}

pub(crate) async fn post(host: &Host, path: &str, body: &str) -> reqwest::Response {
    let (target, body) = (url(host, path), body.to_owned());
    call(|client| client.post(target).body(body)).await
}

/// A body without a length, so it is sent chunked.
pub(crate) fn chunked(text: &'static str) -> reqwest::Body {
    reqwest::Body::wrap_stream(futures::stream::once(async move {
        Ok::<_, std::io::Error>(text)
    }))
}

pub(crate) async fn echo(response: reqwest::Response) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

pub(crate) fn headers<'a>(echo: &'a Value, name: &str) -> Vec<&'a str> {
    (echo["headers"].as_array().unwrap().iter())
        .filter(|header| header[0] == name)
        .map(|header| header[1].as_str().unwrap())
        .collect()
}
