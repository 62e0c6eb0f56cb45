//! The managed identity endpoint of App Service: hands out access tokens.
//!
//! Follows the REST reference at <https://learn.microsoft.com/azure/app-service/overview-managed-identity>.
//! Tokens are opaque, drawn from the seed and good for one resource; one for Azure Storage has readable claims. The endpoint has one identity,
//! system-assigned or user-assigned. Which services check tokens is not known here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::json;
use uuid::Uuid;

use crate::clock::Clock;

/// The resource of Azure Storage.
pub(crate) const STORAGE: &str = "https://storage.azure.com";

/// Decides whether a bearer token is good for the service that asks.
pub type TokenCheck = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// A resource as tokens compare it: without a slash at its end.
fn audience(resource: &str) -> &str {
    resource.trim_end_matches('/')
}

/// A token that Azurite takes, the emulator of Azure Storage: it reads the claims and leaves the signature unchecked.
/// <https://learn.microsoft.com/azure/storage/common/storage-use-azurite#oauth-configuration>
fn storage_token(id: &str, now: Timestamp, expires: Timestamp) -> String {
    let claims = json!({
        "aud": STORAGE,
        "iss": format!("https://sts.windows.net/{}/", Uuid::nil()),
        "iat": now.as_second(),
        "nbf": now.as_second(),
        "exp": expires.as_second(),
        "uti": id,
    });
    let header = json!({"alg": "none", "typ": "JWT"});
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}.")
}

struct Token {
    value: String,
    resource: String,
    expires: Timestamp,
    revoked: bool,
}

struct Inner {
    chance: fastrand::Rng,
    lifetime: Duration,
    tokens: Vec<Token>,
}

/// The identity endpoint; clones share it.
#[derive(Clone)]
pub struct Identity {
    clock: Clock,
    secret: Arc<str>,
    client_id: Arc<str>,
    user_assigned: bool,
    inner: Arc<Mutex<Inner>>,
}

impl Identity {
    /// An endpoint with one identity: user-assigned where `client_id` is given, else system-assigned.
    pub fn new(clock: Clock, seed: u64, client_id: Option<String>) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let secret = Uuid::from_u128(chance.u128(..)).simple().to_string();
        let own_id = Uuid::from_u128(chance.u128(..)).to_string();
        Self {
            clock,
            secret: secret.into(),
            user_assigned: client_id.is_some(),
            client_id: client_id.unwrap_or(own_id).into(),
            inner: Arc::new(Mutex::new(Inner {
                chance,
                lifetime: Duration::from_hours(24),
                tokens: Vec::new(),
            })),
        }
    }

    /// The value that callers put in `X-IDENTITY-HEADER`, as App Service tells it in `IDENTITY_HEADER`.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The client id of the user-assigned identity; `None` for a system-assigned one.
    pub fn user_assigned_client_id(&self) -> Option<&str> {
        self.user_assigned.then_some(&*self.client_id)
    }

    /// Sets how long the tokens issued from now on live; 24 hours at first.
    pub fn token_lifetime(&self, lifetime: Duration) {
        self.inner.lock().lifetime = lifetime;
    }

    /// Ends every token issued so far at once.
    pub fn revoke_all(&self) {
        for token in &mut self.inner.lock().tokens {
            token.revoked = true;
        }
    }

    /// How many tokens were issued.
    pub fn issued(&self) -> usize {
        self.inner.lock().tokens.len()
    }

    /// The value of every token that was issued, so that tests can look for them where none may be.
    pub fn issued_tokens(&self) -> Vec<String> {
        let inner = self.inner.lock();
        inner.tokens.iter().map(|t| t.value.clone()).collect()
    }

    /// Whether `token` is one of ours, for this resource, and still alive.
    pub fn accepts(&self, token: &str, resource: &str) -> bool {
        let now = self.clock.now();
        self.inner.lock().tokens.iter().any(|known| {
            known.value == token
                && known.resource == audience(resource)
                && !known.revoked
                && known.expires > now
        })
    }

    /// The check that a service makes whose tokens are for `resource`.
    pub fn token_check(&self, resource: &str) -> TokenCheck {
        let (identity, resource) = (self.clone(), resource.to_owned());
        Arc::new(move |token| identity.accepts(token, &resource))
    }

    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/msi/token", get(answer))
            .fallback(unknown)
            .with_state(self.clone())
    }

    fn issue(&self, resource: &str) -> serde_json::Value {
        let mut inner = self.inner.lock();
        let value = URL_SAFE_NO_PAD.encode(inner.chance.u128(..).to_be_bytes());
        let mut value = format!("sandbox-token-{}-{value}", inner.tokens.len());
        let now = self.clock.now();
        let expires = now.saturating_add(inner.lifetime);
        let expires = expires.unwrap_or(Timestamp::MAX);
        if audience(resource) == STORAGE {
            value = storage_token(&value, now, expires);
        }
        inner.tokens.push(Token {
            value: value.clone(),
            resource: audience(resource).to_owned(),
            expires,
            revoked: false,
        });
        json!({
            "access_token": value,
            "expires_on": expires.as_second().to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": *self.client_id,
        })
    }
}

async fn answer(
    State(identity): State<Identity>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let secret = headers
        .get("x-identity-header")
        .map(http::HeaderValue::as_bytes);
    if secret != Some(identity.secret.as_bytes()) {
        return refused(
            StatusCode::UNAUTHORIZED,
            "The X-IDENTITY-HEADER is missing or wrong.",
        );
    }
    match query.get("api-version").map(String::as_str) {
        Some("2019-08-01") => {}
        Some("2017-09-01") => return unknown().await,
        _ => {
            return refused(
                StatusCode::BAD_REQUEST,
                "The api-version is missing or unsupported.",
            );
        }
    }
    let Some(resource) = query.get("resource").filter(|text| !text.is_empty()) else {
        return refused(StatusCode::BAD_REQUEST, "The resource is missing.");
    };
    if ["principal_id", "object_id", "mi_res_id"]
        .iter()
        .any(|name| query.contains_key(*name))
    {
        return unknown().await;
    }
    if query.get("client_id").map(String::as_str) != identity.user_assigned_client_id() {
        // The wording that App Service uses; clients look for it.
        return refused(
            StatusCode::BAD_REQUEST,
            "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        );
    }
    Json(identity.issue(resource)).into_response()
}

async fn unknown() -> Response {
    tracing::error!("the identity endpoint got a request that the sandbox does not know");
    refused(
        StatusCode::NOT_IMPLEMENTED,
        "The sandbox does not know this request.",
    )
}

fn refused(status: StatusCode, message: &str) -> Response {
    let correlation = Uuid::nil();
    let body = json!({
        "statusCode": status.as_u16(),
        "message": message,
        "correlationId": correlation,
    });
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
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
    async fn a_token_for_storage_says_whom_it_is_for_and_until_when() {
        let identity = identity(None);
        let query = "api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com";
        let (_, body) = ask(&identity, identity.secret(), query).await;
        let token = body["access_token"].as_str().unwrap();
        assert!(identity.accepts(token, "https://storage.azure.com"));
        let claims = token.split('.').nth(1).unwrap();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(claims["aud"], "https://storage.azure.com");
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
}
