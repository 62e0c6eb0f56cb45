//! What browsers are told of traffic, and what they are not.

use serde_json::{Value, json};

use crate::support::{Open, open};

const CODE: &str = "kD3-secretCodeOfAnInvitation_9xZ";

/// Asks a service for something, and waits until browsers were told of it.
async fn requested(page: &Open, url: &str) -> Value {
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(url)
        .send()
        .await
        .unwrap();
    let rows = page.rows("requests", |rows| !rows.is_empty()).await;
    rows.into_iter().next_back().unwrap()
}

#[tokio::test]
async fn a_request_is_told_in_words_and_numbers() {
    let page = open().await;
    let url = page
        .addresses
        .dataverse
        .join("api/data/v9.2/contacts?$top=1")
        .unwrap();
    let row = requested(&page, url.as_str()).await;
    assert_eq!(
        (&row["id"], &row["service"]),
        (&json!(1), &json!("dataverse"))
    );
    assert_eq!(row["path"], "/api/data/v9.2/contacts?$top=1");
    assert_eq!(
        (&row["method"], &row["status"]),
        (&json!("GET"), &json!(401))
    );
    assert!(row["took"].as_f64().unwrap() < 10_000.0);
    let now = page.sandbox.clock.now().as_millisecond();
    assert!((row["at"].as_f64().unwrap() - json!(now).as_f64().unwrap()).abs() < 60_000.0);
}

#[tokio::test]
async fn no_code_reaches_a_browser() {
    let page = open().await;
    let contact = page
        .sandbox
        .dataverse
        .insert("contacts", &json!({"lastname": "Berg"}));
    let invitation = json!({
        "adx_name": "Invitation",
        "adx_type": 756_150_000,
        "adx_invitationcode": CODE,
        "adx_inviteContact@odata.bind": format!("/contacts({contact})"),
    });
    page.sandbox
        .dataverse
        .insert("adx_invitations", &invitation);
    let url = page
        .addresses
        .portal
        .join(&format!("register?invitation={CODE}"))
        .unwrap();
    let row = requested(&page, url.as_str()).await;
    assert_eq!(row["status"], 200);
    assert_eq!(row["path"], "/register?invitation=•••");
    let filter = format!("api/data/v9.2/adx_invitations?$filter=adx_invitationcode eq '{CODE}'");
    let url = page.addresses.dataverse.join(&filter).unwrap();
    requested(&page, url.as_str()).await;
    page.get(&format!("host/api/echo/1?code={CODE}")).await;
    let calls = page.rows("calls", |rows| !rows.is_empty()).await;
    let requests = page.rows("requests", |rows| rows.len() == 2).await;
    let told = json!([calls, requests]).to_string();
    assert!(told.contains("adx_invitationcode eq"), "{told}");
    assert!(!told.contains(CODE), "{told}");
}

#[tokio::test]
async fn an_invocation_is_told_while_it_runs_and_again_when_it_ends() {
    let page = open().await;
    let running = page.rows("calls", |rows| rows.len() == 1 && rows[0]["took"].is_null());
    let ended = page.rows("calls", |rows| {
        rows.len() == 1 && !rows[0]["took"].is_null()
    });
    let call = page.get("host/api/echo/slow");
    let rows = tokio::select! {
        rows = running => rows,
        _ = call => panic!("it ends before anybody was told"),
    };
    assert_eq!(
        (&rows[0]["function"], &rows[0]["target"]),
        (&json!("function-http"), &json!("/api/echo/slow"))
    );
    // The caller has left.
    let rows = ended.await;
    assert!(rows[0]["failure"].as_str().unwrap().contains("caller left"));
}

#[tokio::test]
async fn a_timer_is_told_with_what_it_says() {
    let page = open().await;
    page.host.fire("function-timer").await.unwrap();
    let rows = page.rows("calls", |rows| !rows.is_empty()).await;
    assert_eq!(
        (&rows[0]["method"], &rows[0]["status"]),
        (&Value::Null, &json!(200))
    );
    assert_eq!(rows[0]["logs"], json!([]));
    let log = page
        .rows("log", |rows| rows.iter().any(|row| row["from"] == "host"))
        .await;
    let ready = log.iter().find(|row| row["from"] == "host").unwrap();
    assert!(
        ready["message"]
            .as_str()
            .unwrap()
            .starts_with("the handler is ready")
    );
    // The small handler does not write JSON: its lines are told as they are.
    assert!(log.iter().any(|row| {
        row["message"]
            .as_str()
            .unwrap()
            .starts_with("POST /function-timer")
    }));
}

#[tokio::test]
async fn only_the_last_requests_are_told() {
    let page = open().await;
    let wire = page.sandbox.wire(sandbox::Service::Portal);
    for _ in 0..510 {
        let request = http::Request::get("/signin")
            .body(bytes::Bytes::new())
            .unwrap();
        wire.call(request).await.unwrap();
    }
    let rows = page.rows("requests", |rows| !rows.is_empty()).await;
    assert_eq!((rows.len(), &rows[0]["id"]), (500, &json!(11)));
}
