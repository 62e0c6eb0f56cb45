//! Tests of the Web API through its router: what a caller sends and what comes back.

mod batches;
mod definitions;
mod links;
mod pages;
mod queries;
mod roles;
mod rows;
mod webhooks;

use axum::body::to_bytes;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use super::Dataverse;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::traffic::Operations;

/// An environment and the rules that break it.
struct World {
    dataverse: Dataverse,
    faults: Faults,
}

/// An answer, read to its end.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    body: Value,
    operations: Operations,
}

impl Answered {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("no code")
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl World {
    fn new() -> Self {
        let clock = Clock::starting_at("2026-11-22T10:00:00.5Z".parse().unwrap());
        let faults = Faults::default();
        Self {
            dataverse: Dataverse::new(clock, 1, faults.clone()),
            faults,
        }
    }

    /// Sends a request with a token; headers are `name: value`.
    async fn send(&self, method: &str, target: &str, headers: &[&str], body: &str) -> Answered {
        let uri = format!("http://dataverse.test/api/data/v9.2/{target}");
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", "Bearer x");
        if body.starts_with('{') {
            request = request.header("content-type", "application/json");
        }
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        self.pass(request.body(body.to_owned().into()).unwrap())
            .await
    }

    async fn pass(&self, request: Request<axum::body::Body>) -> Answered {
        let response = self.dataverse.router().oneshot(request).await.unwrap();
        let (mut parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answered {
            status: parts.status,
            headers: parts.headers,
            text,
            body,
            operations: parts.extensions.remove().unwrap(),
        }
    }

    async fn get(&self, target: &str) -> Answered {
        self.send("GET", target, &[], "").await
    }

    async fn post(&self, target: &str, body: &Value) -> Answered {
        self.send("POST", target, &[], &body.to_string()).await
    }

    async fn patch(&self, target: &str, headers: &[&str], body: &Value) -> Answered {
        self.send("PATCH", target, headers, &body.to_string()).await
    }

    fn contact(&self, first: &str) -> Uuid {
        let email = format!("{}@example.com", first.to_lowercase());
        let row = json!({"firstname": first, "lastname": "Berg", "emailaddress1": email});
        self.dataverse.insert("contacts", &row)
    }

    fn invitation(&self, contact: Uuid) -> Uuid {
        self.dataverse
            .insert("adx_invitations", &invitation(contact))
    }
}

/// An invitation as a caller writes it.
fn invitation(contact: Uuid) -> Value {
    json!({
        "adx_name": "Invitation",
        "adx_type": 756_150_000,
        "adx_invitationcode": "code",
        "adx_maximumredemptions": 1,
        "adx_inviteContact@odata.bind": format!("/contacts({contact})"),
    })
}

#[tokio::test(start_paused = true)]
async fn callers_need_a_token() {
    let world = World::new();
    let request = || Request::get("http://dataverse.test/api/data/v9.2/WhoAmI");
    let bare = world.pass(request().body("".into()).unwrap()).await;
    assert_eq!(bare.status, 401);
    assert_eq!(world.get("WhoAmI").await.status, 200);
    world
        .dataverse
        .set_token_check(std::sync::Arc::new(|token| token == "good"));
    assert_eq!(world.get("WhoAmI").await.status, 401);
    let good = request()
        .header("authorization", "Bearer good")
        .body("".into())
        .unwrap();
    assert_eq!(
        world.pass(good).await.body["UserId"],
        json!(world.dataverse.caller())
    );
}

#[tokio::test(start_paused = true)]
async fn the_affinity_cookie_is_offered_and_its_return_counted() {
    let world = World::new();
    let answer = world.get("WhoAmI").await;
    assert!(answer.header("set-cookie").starts_with("ARRAffinity="));
    assert_eq!(answer.header("x-ms-dop-hint"), "8");
    assert_eq!(answer.header("odata-version"), "4.0");
    assert_eq!(world.dataverse.cookies_seen(), 0);
    let cookie = format!("cookie: {}", answer.header("set-cookie"));
    world.send("GET", "WhoAmI", &[&cookie], "").await;
    assert_eq!(world.dataverse.cookies_seen(), 1);
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_are_told_to_wait() {
    let world = World::new();
    world
        .dataverse
        .configure(|settings| settings.requests_per_window = 1);
    assert_eq!(world.get("WhoAmI").await.status, 200);
    let refused = world.get("WhoAmI").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (429, "0x80072322")
    );
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test(start_paused = true)]
async fn the_fifty_third_request_at_once_is_refused() {
    let world = World::new();
    world.dataverse.configure(|settings| {
        settings.times.operation = std::time::Duration::from_secs(1);
    });
    let answers = futures::future::join_all((0..53).map(|_| world.get("WhoAmI"))).await;
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 429)
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code(), "0x80072326");
    assert_eq!(world.get("WhoAmI").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_or_is_not_known_is_not_guessed() {
    let world = World::new();
    let contact = world.contact("Anna");
    for (method, target, status) in [
        ("GET", "nosuchtables", 404),
        ("GET", "adx_webroles", 404),
        ("GET", "$metadata", 501),
        ("GET", "contacts(1)", 400),
        (
            "GET",
            "contacts('00000000-0000-0000-0000-000000000001')",
            400,
        ),
        ("GET", "contacts(emailaddress1='x')", 501),
        (
            "POST",
            "adx_invitations/Microsoft.Dynamics.CRM.CreateMultiple",
            501,
        ),
        ("DELETE", "contacts", 405),
        ("GET", &format!("contacts({contact})/nosuch"), 404),
        (
            "GET",
            &format!("contacts?$filter=fullname%20eq%20'{}'", "x".repeat(32_768)),
            414,
        ),
    ] {
        let answer = world.send(method, target, &[], "").await;
        assert_eq!(answer.status, status, "{method} {target}");
    }
    for header in ["prefer: odata.track-changes", "callerobjectid: x"] {
        assert_eq!(
            world.send("GET", "contacts", &[header], "").await.status,
            501
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_an_application_user_is_no_member() {
    let world = World::new();
    let dataverse = &world.dataverse;
    dataverse.configure(|settings| settings.application_user = false);
    let refused = world.get("WhoAmI").await;
    let told = (refused.status.as_u16(), refused.code());
    assert_eq!(told, (403, "0x80072560"));
}

#[tokio::test(start_paused = true)]
async fn a_user_has_a_time_zone_that_can_be_looked_up() {
    let world = World::new();
    let caller = world.dataverse.caller();
    let own = world
        .get(&format!(
            "usersettingscollection({caller})?$select=timezonecode"
        ))
        .await;
    let code = &own.body["timezonecode"];
    let zones =
        format!("timezonedefinitions?$select=standardname&$filter=timezonecode%20eq%20{code}");
    let zones = world.get(&zones).await;
    assert_eq!(
        zones.body["value"][0]["standardname"], "UTC",
        "{}",
        zones.text
    );
}
