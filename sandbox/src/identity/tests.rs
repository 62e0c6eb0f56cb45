//! What the endpoint hands out, and what it refuses.

use super::*;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

fn identity(client_id: Option<&str>) -> Identity {
    Identity::new(Clock::system(), 1, client_id.map(str::to_owned))
}

async fn ask(identity: &Identity, secret: &str, query: &str) -> (StatusCode, Value) {
    let request = Request::get(format!("/msi/token?{query}"))
        .header("X-IDENTITY-HEADER", secret)
        .body(Body::empty())
        .unwrap();
    let answer = identity.router().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

const QUERY: &str = "api-version=2019-08-01&resource=http%3A%2F%2Fgraph.test";

#[tokio::test(start_paused = true)]
async fn a_token_is_good_for_its_resource_until_it_expires() {
    let identity = identity(None);
    let (status, body) = ask(&identity, identity.secret(), QUERY).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["resource"], "http://graph.test");
    let expires: i64 = body["expires_on"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        expires - 24 * 3600,
        identity.clock.now().as_second(),
        "expires_on is a string of seconds"
    );
    let token = body["access_token"].as_str().unwrap();
    assert!(identity.accepts(token, "http://graph.test/"));
    assert!(!identity.accepts(token, "http://dataverse.test"));
    tokio::time::sleep(Duration::from_secs(24 * 3600 + 1)).await;
    assert!(!identity.accepts(token, "http://graph.test"));
}

#[tokio::test]
async fn revoked_tokens_die_and_new_ones_differ() {
    let identity = identity(None);
    let (_, first) = ask(&identity, identity.secret(), QUERY).await;
    identity.revoke_all();
    let (_, second) = ask(&identity, identity.secret(), QUERY).await;
    assert_ne!(first["access_token"], second["access_token"]);
    assert_eq!(identity.issued(), 2);
    let alive: Vec<bool> = (identity.issued_tokens().iter())
        .map(|token| identity.accepts(token, "http://graph.test"))
        .collect();
    assert_eq!(alive, [false, true]);
}

#[tokio::test]
async fn a_token_says_whose_it_is_and_for_what_and_until_when() {
    let identity = identity(None);
    identity.grant("https://storage.azure.com/", &["Mail.Send"]);
    let query = "api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com";
    let (_, body) = ask(&identity, identity.secret(), query).await;
    let token = body["access_token"].as_str().unwrap();
    assert!(identity.accepts(token, "https://storage.azure.com"));
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["aud"], "https://storage.azure.com");
    assert_eq!(claims["appid"], identity.client_id());
    assert_eq!(claims["oid"], identity.object_id().to_string());
    assert_eq!(claims["tid"], identity.tenant_id().to_string());
    assert_eq!(claims["roles"], json!(["Mail.Send"]));
    assert_eq!(
        claims["exp"].to_string(),
        body["expires_on"].as_str().unwrap()
    );
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let (system, user) = (identity(None), identity(Some("me")));
    let secret = system.secret();
    let cases = [
        (&system, "guess", QUERY.to_owned(), 401),
        (&system, secret, "resource=http://a.b".to_owned(), 400),
        (&system, secret, "api-version=2019-08-01".to_owned(), 400),
        (&system, secret, format!("{QUERY}&client_id=me"), 400),
        (&system, secret, format!("{QUERY}&mi_res_id=x"), 501),
        (&user, secret, QUERY.to_owned(), 400),
        (&user, secret, format!("{QUERY}&client_id=you"), 400),
        (&user, secret, format!("{QUERY}&client_id=me"), 200),
    ];
    for (identity, secret, query, status) in cases {
        let (got, body) = ask(identity, secret, &query).await;
        assert_eq!(got, status, "{query}: {body}");
    }
}
