//! HTTP functions: routes, keys, and the two ways in which a request reaches the handler.

use std::time::Duration;

use http::StatusCode;
use sandbox::host::{Forwarding, Host, HostOptions};
use serde_json::json;

use crate::support::{
    any, app, call, chunked, echo, get, headers, http_function, post, start, url,
};

#[tokio::test]
async fn proxying_streams_the_request_through() {
    let root = app(&[("echo", any("{*rest}"))], &json!({}), &json!({}));
    let host = start(&root).await;
    let target = url(&host, "api/a%20b?x=1&x=2");
    let request = |client: reqwest::Client| {
        (client.post(target).body(chunked("hello")))
            .header("x-azure-functions-invocationid", "mine")
            .header("x-forwarded-host", "evil")
            .header("content-encoding", "identity")
    };
    let seen = echo(call(request).await).await;
    assert_eq!(seen["target"], "/api/a%20b?x=1&x=2");
    assert_eq!(
        (&seen["method"], &seen["body"]),
        (&json!("POST"), &json!("hello"))
    );
    let own = host.url();
    assert_eq!(
        headers(&seen, "x-forwarded-host"),
        [format!("127.0.0.1:{}", own.port().unwrap())]
    );
    assert_ne!(headers(&seen, "host"), headers(&seen, "x-forwarded-host"));
    assert_eq!(headers(&seen, "x-forwarded-proto"), ["http"]);
    assert_eq!(headers(&seen, "content-encoding"), ["identity"]);
    let id = headers(&seen, "x-azure-functions-invocationid");
    assert!(id.len() == 1 && id != ["mine"] && id == headers(&seen, "x-ms-invocation-id"));
}

#[tokio::test]
async fn forwarding_rebuilds_the_request_and_loses_a_chunked_body() {
    let root = app(&[("echo", any("{*rest}"))], &json!({}), &json!({}));
    let mut options = HostOptions::new(root.path());
    options.forwarding = Forwarding::Forward;
    let host = Host::start(options).await.unwrap();
    let target = url(&host, "api/a%20b?x=1&y=3&x=2");
    let request = |client: reqwest::Client| {
        (client.post(target).body("hello"))
            .header("x-azure-functions-invocationid", "mine")
            .header("host", "site.example")
            .header("content-encoding", "identity")
    };
    let seen = echo(call(request).await).await;
    assert_eq!(
        (&seen["target"], &seen["body"]),
        (&json!("/api/a%20b?x=1%2C2&y=3"), &json!("hello"))
    );
    assert_eq!(headers(&seen, "host"), ["site.example"]);
    assert_eq!(headers(&seen, "x-azure-functions-invocationid").len(), 2);
    assert!(headers(&seen, "content-encoding").is_empty());
    assert!(
        headers(&seen, "x-forwarded-host").is_empty()
            && headers(&seen, "x-ms-invocation-id").is_empty()
    );
    let target = url(&host, "api/x");
    let seen = echo(call(|client| client.post(target).body(chunked("hello"))).await).await;
    assert_eq!(seen["body"], "");
}

#[tokio::test]
async fn an_answer_comes_back_as_it_is() {
    let root = app(&[("echo", any("{*rest}"))], &json!({}), &json!({}));
    for forwarding in [Forwarding::Proxy, Forwarding::Forward] {
        let mut options = HostOptions::new(root.path());
        options.forwarding = forwarding;
        let host = Host::start(options).await.unwrap();
        let moved = get(&host, "api/redirect").await;
        assert_eq!(
            (moved.status(), &moved.headers()["location"]),
            (StatusCode::FOUND, &"/elsewhere".parse().unwrap())
        );
        let refused = get(&host, "api/refuses").await;
        assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(refused.text().await.unwrap(), "no");
    }
}

#[tokio::test]
async fn paths_match_in_any_case_and_a_wrong_method_is_not_found() {
    let functions = [
        ("one", http_function("things/{id}", &["get"], "function")),
        ("all", http_function("things/special", &["get"], "function")),
        (
            "off",
            json!({"disabled": true, "bindings": any("off")["bindings"]}),
        ),
    ];
    let root = app(&functions, &json!({}), &json!({}));
    let host = start(&root).await;
    assert_eq!(
        get(&host, "API/Things/Special").await.status(),
        StatusCode::OK
    );
    assert_eq!(get(&host, "api/things/1").await.status(), StatusCode::OK);
    for missing in ["api/things", "things/1", "apithings/1", "api/off", "api"] {
        assert_eq!(
            get(&host, missing).await.status(),
            StatusCode::NOT_FOUND,
            "{missing}"
        );
    }
    assert_eq!(
        post(&host, "api/things/1", "").await.status(),
        StatusCode::NOT_FOUND
    );
    let banner = host.banner();
    let port = host.url().port().unwrap();
    assert!(
        banner.contains(&format!(
            "\n\tone: [GET] http://localhost:{port}/api/things/{{id}}\n"
        )),
        "{banner}"
    );
    assert!(banner.contains("Function off is disabled."), "{banner}");
}

#[tokio::test]
async fn keys_are_asked_for_only_where_they_are_enforced() {
    let functions = [
        ("open", http_function("open", &[], "anonymous")),
        ("closed", http_function("closed", &[], "function")),
    ];
    let root = app(&functions, &json!({}), &json!({}));
    let mut options = HostOptions::new(root.path());
    options.key = Some("k".to_owned());
    let host = Host::start(options).await.unwrap();
    assert_eq!(get(&host, "api/open").await.status(), StatusCode::OK);
    assert_eq!(
        get(&host, "api/closed").await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        get(&host, "admin/host/status").await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        get(&host, "api/closed?code=k").await.status(),
        StatusCode::OK
    );
    let target = url(&host, "api/closed?code=k");
    let wrong = call(|client| client.get(target).header("x-functions-key", "other")).await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_front_end_does_not_wait_for_ever() {
    let root = app(&[("slow", any("slow"))], &json!({}), &json!({}));
    let mut options = HostOptions::new(root.path());
    options.front_end_limit = Duration::from_millis(200);
    let host = Host::start(options).await.unwrap();
    assert_eq!(
        get(&host, "api/slow").await.status(),
        StatusCode::GATEWAY_TIMEOUT
    );
}
