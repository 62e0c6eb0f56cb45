//! The page's own files, the way to the host, and who may not take it.

use http::StatusCode;
use serde_json::json;

use crate::support::open;

#[tokio::test]
async fn the_page_and_its_parts_are_served() {
    let page = open().await;
    for (path, kind) in [
        ("", "text/html"),
        ("app.js", "text/javascript"),
        ("style.css", "text/css"),
        ("vendor/lit-html/lit-html.js", "text/javascript"),
    ] {
        let answer = page.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let found = answer.headers()["content-type"].to_str().unwrap();
        assert!(found.starts_with(kind), "{path} is {found}");
        assert!(answer.headers().contains_key("content-security-policy"));
    }
    for path in ["nothing.js", "../Cargo.toml", "%2e%2e/Cargo.toml"] {
        assert_eq!(
            page.get(path).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn requests_reach_the_host_as_they_are() {
    let page = open().await;
    let answer = page.post("host/api/echo/1?a=%2F", &json!({"x": 1})).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let echo: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(echo["method"], "POST");
    assert_eq!(echo["body"], r#"{"x":1}"#);
    assert_eq!(echo["target"], "/api/echo/1?a=%2F");
    assert_eq!(
        page.get("host/api/unknown").await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn other_pages_may_not_drive_the_sandbox() {
    let page = open().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = async |from: &str| {
        let request = client.post(format!("{}host/api/echo/1", page.url));
        let request = request.header("sec-fetch-site", from).body("{}");
        request.send().await.unwrap().status()
    };
    assert_eq!(asked("cross-site").await, StatusCode::FORBIDDEN);
    assert_eq!(asked("same-site").await, StatusCode::FORBIDDEN);
    assert_eq!(asked("same-origin").await, StatusCode::OK);
}

#[tokio::test]
async fn browsers_are_told_of_what_comes_and_goes() {
    let page = open().await;
    let add = |name: &str| {
        page.sandbox
            .dataverse
            .insert("contacts", &json!({"lastname": name}))
    };
    let first = add("First");
    let rows = page.rows("contacts", |rows| rows.len() == 1).await;
    assert_eq!(rows[0]["id"], json!(first));
    let told = page.rows("contacts", |rows| {
        rows.len() == 1 && rows[0]["name"] == "Second"
    });
    let change = async {
        add("Second");
        page.sandbox.dataverse.delete("contacts", first);
    };
    tokio::join!(told, change);
    assert!(page.host.handler_pid().is_some());
}
