//! The view Mailboxes: what is listed, how a letter is served, and mailboxes that do not work.

use http::StatusCode;
use sandbox::graph::State;
use serde_json::{Value, json};

use crate::support::open;

const SENDER: &str = "invitations@contoso.example";

#[tokio::test]
async fn letters_are_listed_without_their_bodies_and_served_where_nothing_runs() {
    let page = open().await;
    page.sandbox.graph.receive(SENDER, "Hello");
    page.sandbox.graph.strange_report(SENDER);
    let rows = page.rows("letters", |rows| rows.len() == 2).await;
    assert!(rows.iter().all(|row| row.get("html").is_none()));
    for (report, kind) in [(false, "text/html"), (true, "text/plain")] {
        let row = rows.iter().find(|row| row["isReport"] == report).unwrap();
        assert_eq!(
            (&row["place"], &row["mailbox"]),
            (&json!("inbox"), &json!(SENDER))
        );
        let path = format!("sandbox/letters/{SENDER}/{}", row["id"].as_str().unwrap());
        let answer = page.get(&path).await;
        let header = |name| answer.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind));
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("sandbox ") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        assert!(
            !policy.contains("allow-scripts") && !policy.contains("allow-same-origin"),
            "{policy}"
        );
        let head = page
            .get(&format!("{path}/head"))
            .await
            .bytes()
            .await
            .unwrap();
        let head: Value = serde_json::from_slice(&head).unwrap();
        assert_eq!(head["headers"][0][0], "Message-ID");
    }
    for path in ["x", "x/head"] {
        let answer = page.get(&format!("sandbox/letters/{SENDER}/{path}")).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_mailbox_that_shall_not_work_does_not() {
    let page = open().await;
    let set = async |mailbox: &str, state: &str| {
        let body = json!({"mailbox": mailbox, "state": state});
        page.post("sandbox/mailboxes", &body).await.status()
    };
    assert_eq!(set(SENDER, "full").await, StatusCode::OK);
    let rows = page.rows("mailboxes", |rows| rows.len() == 1).await;
    assert_eq!(rows[0]["state"], "full");
    assert_eq!(page.sandbox.graph.mailboxes()[0].1, State::Full);
    assert_eq!(
        set("nobody@contoso.example", "full").await,
        StatusCode::NOT_FOUND
    );
    assert_eq!(set(SENDER, "tired").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.sandbox.graph.mailboxes().len(), 1);
}
