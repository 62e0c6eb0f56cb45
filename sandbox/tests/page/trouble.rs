//! Faults on demand: what each does to requests, and how it ends.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use sandbox::dataverse::Verb;
use sandbox::{Fault, Service};
use serde_json::{Value, json};

use crate::support::{Open, open};

async fn begin(page: &Open, fault: &Value) {
    let answer = page.post("sandbox/faults", fault).await;
    assert_eq!(answer.status(), StatusCode::OK, "{fault}");
}

async fn refusal(page: &Open, path: &str, body: &Value) -> (StatusCode, String) {
    let answer = page.post(path, body).await;
    (answer.status(), answer.text().await.unwrap())
}

/// The kinds of faults that a request meets.
fn met(page: &Open, service: Service, method: &Method, path: &str, within_batch: bool) -> String {
    let faults = &page.sandbox.faults;
    format!("{:?}", faults.take(service, method, path, within_batch))
}

#[tokio::test]
async fn throttling_strikes_the_next_requests_and_is_told_of() {
    let page = open().await;
    begin(
        &page,
        &json!({"kind": "throttle", "service": "dataverse", "seconds": 7, "requests": 2}),
    )
    .await;
    let batch = || {
        met(
            &page,
            Service::Dataverse,
            &Method::POST,
            "/api/data/v9.2/$batch",
            false,
        )
    };
    assert_eq!(batch(), "[Answer(429, effect: false)]");
    let struck = |rows: &[Value]| rows.iter().any(|row| row["struck"] == 1);
    let row = &page.rows("faults", struck).await[0];
    assert_eq!(row["label"], "Dataverse: 429, come back in 7 seconds");
    assert_eq!(row["left"], 1);
    assert_eq!((batch().len(), batch()), (28, "[]".to_owned()));
}

#[tokio::test]
async fn exchange_is_throttled_by_letter_and_not_by_batch() {
    let page = open().await;
    let fault = json!({"kind": "throttle", "service": "both", "seconds": 7, "requests": 1});
    begin(&page, &fault).await;
    let graph = |path, within| met(&page, Service::Graph, &Method::POST, path, within);
    assert_eq!(graph("/v1.0/$batch", false), "[]");
    assert_eq!(
        graph("/users/a/messages", true),
        "[Answer(429, effect: false)]"
    );
    let dataverse = met(
        &page,
        Service::Dataverse,
        &Method::GET,
        "/api/data/v9.2/contacts",
        false,
    );
    assert_eq!(dataverse, "[Answer(429, effect: false)]");
}

#[tokio::test]
async fn an_outage_lasts_until_it_is_ended() {
    let page = open().await;
    for breaks in [false, true] {
        let fault = json!({"kind": "outage", "service": "graph", "breaks": breaks});
        begin(&page, &fault).await;
    }
    let token = |page: &Open| met(page, Service::Graph, &Method::GET, "/v1.0/users/a", false);
    for _ in 0..3 {
        assert_eq!(token(&page), "[Answer(503, effect: false), DropBefore]");
    }
    let rows = page.rows("faults", |rows| rows.len() == 2).await;
    assert!(
        rows.iter()
            .all(|row| row["left"] == Value::Null && row["struck"] == 3)
    );
    let end = json!({"id": rows[0]["id"]});
    assert_eq!(
        refusal(&page, "sandbox/faults/end", &end).await.0,
        StatusCode::OK
    );
    assert_eq!(token(&page), "[DropBefore]");
    let (status, text) = refusal(&page, "sandbox/faults/end", &end).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(text.contains("has ended already"), "{text}");
    page.post("sandbox/faults/end", &json!({"id": "all"})).await;
    assert_eq!(token(&page), "[]");
}

#[tokio::test]
async fn only_answers_to_writes_are_lost_in_a_batch_or_not() {
    let page = open().await;
    begin(
        &page,
        &json!({"kind": "lost", "service": "both", "writes": 2}),
    )
    .await;
    let dataverse = |method, within| {
        met(
            &page,
            Service::Dataverse,
            &method,
            "/api/data/v9.2/adx_invitations(1)",
            within,
        )
    };
    assert_eq!(dataverse(Method::GET, true), "[]");
    assert_eq!(dataverse(Method::PATCH, true), "[DropAfter]");
    assert_eq!(dataverse(Method::PATCH, false), "[DropAfter]");
    assert_eq!(dataverse(Method::PATCH, false), "[]");
    let graph = |path| met(&page, Service::Graph, &Method::POST, path, true);
    assert_eq!(graph("/users/a/messages"), "[]");
    assert_eq!(graph("/users/a/messages/1/send"), "[DropAfter]");
}

#[tokio::test]
async fn slowness_is_a_wait_before_each_request() {
    let page = open().await;
    let fault = json!({"kind": "slow", "service": "dataverse", "milliseconds": 250});
    begin(&page, &fault).await;
    let path = "/api/data/v9.2/$batch";
    assert_eq!(
        met(&page, Service::Dataverse, &Method::POST, path, false),
        "[Delay(250ms)]"
    );
    assert_eq!(
        met(&page, Service::Dataverse, &Method::POST, path, true),
        "[]"
    );
}

#[tokio::test]
async fn figures_out_of_bounds_are_refused_by_name() {
    let page = open().await;
    for (fault, words) in [
        (
            json!({"kind": "throttle", "service": "graph", "seconds": 0, "requests": 1}),
            "The seconds to wait must be 1 to 3600.",
        ),
        (
            json!({"kind": "throttle", "service": "graph", "seconds": 1, "requests": 10_001}),
            "The number of requests must be 1 to 10000.",
        ),
        (
            json!({"kind": "lost", "service": "graph", "writes": 0}),
            "The number of rows or letters must be 1 to 10000.",
        ),
        (
            json!({"kind": "slow", "service": "graph", "milliseconds": 60_001}),
            "The milliseconds to wait must be 1 to 60000.",
        ),
        (
            json!({"kind": "kill", "letters": 0}),
            "The number of letters must be 1 to 10000.",
        ),
        (
            json!({"kind": "kill", "letters": -1}),
            "The number of letters must be 1 to 10000.",
        ),
    ] {
        let (status, text) = refusal(&page, "sandbox/faults", &fault).await;
        assert_eq!((status, text.as_str()), (StatusCode::BAD_REQUEST, words));
    }
    for fault in [
        json!({"kind": "flood", "service": "graph"}),
        json!({"kind": "outage", "service": "storage", "breaks": true}),
        json!({"kind": "kill", "letters": 1, "service": "graph"}),
        json!({"kind": "kill", "letters": 1.5}),
    ] {
        let (status, _) = refusal(&page, "sandbox/faults", &fault).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{fault}");
    }
    assert_eq!(page.sandbox.faults.listed(), []);
}

#[tokio::test]
async fn a_killed_handler_comes_back_as_another_process() {
    let page = open().await;
    let first = page.host.handler_pid().unwrap();
    let ready = |rows: &[Value], same: bool| {
        let mut ready = rows.iter().filter(|row| row["state"] == "ready");
        ready.any(|row| (row["pid"] == first) == same)
    };
    let kill = async {
        page.rows("handler", |rows| ready(rows, true)).await;
        let (status, text) = refusal(&page, "sandbox/handler/kill", &json!({})).await;
        assert_eq!(
            (status, text),
            (StatusCode::OK, format!("{{\"pid\":{first}}}"))
        );
    };
    // Who listens from the beginning is told, and not only who comes later.
    tokio::join!(page.rows("handler", |rows| ready(rows, false)), kill);
}

#[tokio::test]
async fn a_handler_that_the_host_gave_up_is_shown_with_the_reason() {
    let page = open().await;
    while page.host.ready().await.is_ok() {
        page.post("host/api/echo/crash", &json!({})).await;
    }
    let down = |rows: &[Value]| rows.iter().any(|row| row["state"] == "down");
    let row = &page.rows("handler", down).await[0];
    let reason = row["reason"].as_str().unwrap();
    assert!(reason.starts_with("restarted too often"), "{reason}");
    let (status, text) = refusal(&page, "sandbox/handler/kill", &json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.starts_with("No handler is running"), "{text}");
}

#[tokio::test]
async fn a_handler_can_be_killed_at_a_letter() {
    let page = open().await;
    let first = page.host.handler_pid();
    begin(&page, &json!({"kind": "kill", "letters": 2})).await;
    let due = |path: &str| {
        let faults = &page.sandbox.faults;
        faults.take(Service::Graph, &Method::POST, path, true)
    };
    assert!(due("/users/a/messages").is_empty());
    assert!(due("/users/a/messages/1/send").is_empty());
    let [Fault::Call(kill)] = &due("/users/a/messages/2/send")[..] else {
        panic!("the second letter is the one");
    };
    kill();
    page.host.ready().await.unwrap();
    assert_ne!(page.host.handler_pid(), first);
    assert!(due("/users/a/messages/3/send").is_empty());
}

#[tokio::test]
async fn switches_are_listed_while_they_are_on() {
    let page = open().await;
    for id in ["codes", "user", "privilege"] {
        let answer = page.post("sandbox/switches", &json!({"id": id})).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    let settings = || {
        let dataverse = &page.sandbox.dataverse;
        let mut seen = None;
        dataverse.configure(|settings| {
            seen = Some((
                settings.overwrite_codes_at_create,
                settings.application_user,
            ));
        });
        (
            seen.unwrap(),
            dataverse.denies("adx_invitations", Verb::Create),
        )
    };
    assert_eq!(settings(), ((true, false), true));
    page.rows("faults", |rows| rows.len() == 3).await;
    page.post("sandbox/faults/end", &json!({"id": "user"}))
        .await;
    assert_eq!(settings(), ((true, true), true));
    page.rows("faults", |rows| rows.len() == 2).await;
    page.post("sandbox/faults/end", &json!({"id": "all"})).await;
    assert_eq!(settings(), ((false, true), false));
    let (status, _) = refusal(&page, "sandbox/switches", &json!({"id": "light"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn codes_of_open_invitations_can_be_overwritten() {
    let page = open().await;
    let dataverse = &page.sandbox.dataverse;
    let add = |status: i64, state: i64| {
        let row = json!({"adx_name": "Invitation", "adx_invitationcode": "first", "statecode": state, "statuscode": status});
        dataverse.insert("adx_invitations", &row)
    };
    let rows = [
        add(1, 0),
        add(756_150_000, 0),
        add(756_150_001, 0),
        add(2, 1),
    ];
    let (status, text) = refusal(&page, "sandbox/codes/overwrite", &json!({})).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, r#"{"rows":2}"#));
    let kept = rows
        .map(|id| dataverse.row("adx_invitations", id).unwrap()["adx_invitationcode"] == "first");
    assert_eq!(kept, [false, false, true, true]);
}

#[tokio::test]
async fn revoked_tokens_are_refused_at_once() {
    let page = open().await;
    let identity = &page.sandbox.identity;
    let asked = "/msi/token?api-version=2019-08-01&resource=https://graph.example";
    let asked = Request::get(asked).header("x-identity-header", identity.secret());
    let asked = asked.body(Bytes::new()).unwrap();
    let answer = page.sandbox.wire(Service::Identity).call(asked).await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    let token = &identity.issued_tokens()[0];
    assert!(identity.accepts(token, "https://graph.example"));
    let (status, text) = refusal(&page, "sandbox/tokens/revoke", &json!({})).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, r#"{"tokens":1}"#));
    assert!(!identity.accepts(token, "https://graph.example"));
}
