//! The managed identity endpoint of App Service: hands out access tokens.
//!
//! Follows the REST reference at <https://learn.microsoft.com/azure/app-service/overview-managed-identity>.
//! Tokens are drawn from the seed and good for one resource. They have the claims of a managed identity's and no
//! signature: the services of the sandbox compare them whole, and so does Azurite, the emulator of Azure Storage, with
//! the claims. The endpoint has one identity, system-assigned or user-assigned. Which services check tokens is not
//! known here.
//! <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>

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

struct Token {
    value: String,
    resource: String,
    expires: Timestamp,
    revoked: bool,
}

struct Inner {
    chance: fastrand::Rng,
    /// Application permissions by resource, as its tokens name them.
    roles: BTreeMap<String, Vec<String>>,
    lifetime: Duration,
    tokens: Vec<Token>,
}

/// The identity endpoint; clones share it.
#[derive(Clone)]
pub struct Identity {
    clock: Clock,
    secret: Arc<str>,
    client_id: Arc<str>,
    object_id: Uuid,
    tenant_id: Uuid,
    administrator: Uuid,
    user_assigned: bool,
    inner: Arc<Mutex<Inner>>,
}

impl Identity {
    /// An endpoint with one identity: user-assigned where `client_id` is given, else system-assigned.
    pub fn new(clock: Clock, seed: u64, client_id: Option<String>) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let secret = Uuid::from_u128(chance.u128(..)).simple().to_string();
        let own_id = Uuid::from_u128(chance.u128(..)).to_string();
        let [object_id, tenant_id, administrator] =
            [(); 3].map(|()| Uuid::from_u128(chance.u128(..)));
        Self {
            clock,
            secret: secret.into(),
            object_id,
            tenant_id,
            administrator,
            user_assigned: client_id.is_some(),
            client_id: client_id.unwrap_or(own_id).into(),
            inner: Arc::new(Mutex::new(Inner {
                chance,
                roles: BTreeMap::new(),
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

    /// Client id of the identity, of whichever kind.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Object id of the identity's service principal.
    pub fn object_id(&self) -> Uuid {
        self.object_id
    }

    /// The tenant that it belongs to.
    pub fn tenant_id(&self) -> Uuid {
        self.tenant_id
    }

    /// Object id of a person who administers the tenant.
    pub fn administrator(&self) -> Uuid {
        self.administrator
    }

    /// A token of the administrator's, as one gets who signs in at a desk.
    pub fn administrator_token(&self, resource: &str) -> String {
        let mut inner = self.inner.lock();
        let id = URL_SAFE_NO_PAD.encode(inner.chance.u128(..).to_be_bytes());
        let now = self.clock.now();
        let expires = now.saturating_add(inner.lifetime);
        let expires = expires.unwrap_or(Timestamp::MAX);
        let claims = json!({
            "aud": audience(resource),
            "iat": now.as_second(),
            "exp": expires.as_second(),
            "idtyp": "user",
            "oid": self.administrator,
            "tid": self.tenant_id,
            "uti": id,
            "ver": "1.0",
        });
        let value = encode(&claims);
        inner.tokens.push(Token {
            value: value.clone(),
            resource: audience(resource).to_owned(),
            expires,
            revoked: false,
        });
        value
    }

    /// A token of the identity's own, without asking the endpoint.
    pub fn application_token(&self, resource: &str) -> String {
        let token = self.issue(resource);
        token["access_token"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Sets the application permissions that tokens for `resource` name from now on. They are only told: whether a
    /// mailbox may be used is its own state, as with rights that Exchange gives.
    pub fn grant(&self, resource: &str, roles: &[&str]) {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let mut inner = self.inner.lock();
        inner.roles.insert(audience(resource).to_owned(), roles);
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

    fn token(
        &self,
        id: &str,
        audience: &str,
        roles: Option<Vec<String>>,
        (now, expires): (Timestamp, Timestamp),
    ) -> String {
        let mut claims = json!({
            "aud": audience,
            "iss": format!("https://sts.windows.net/{}/", self.tenant_id),
            "iat": now.as_second(),
            "nbf": now.as_second(),
            "exp": expires.as_second(),
            "appid": *self.client_id,
            "idtyp": "app",
            "oid": self.object_id,
            "sub": self.object_id,
            "tid": self.tenant_id,
            "uti": id,
            "ver": "1.0",
            "xms_mirid": "/subscriptions/sandbox/resourcegroups/sandbox/providers/Microsoft.Web/sites/sandbox",
        });
        if let Some(roles) = roles {
            claims["roles"] = roles.into();
        }
        encode(&claims)
    }

    fn issue(&self, resource: &str) -> serde_json::Value {
        let mut inner = self.inner.lock();
        let id = URL_SAFE_NO_PAD.encode(inner.chance.u128(..).to_be_bytes());
        let id = format!("sandbox-token-{}-{id}", inner.tokens.len());
        let now = self.clock.now();
        let expires = now.saturating_add(inner.lifetime);
        let expires = expires.unwrap_or(Timestamp::MAX);
        let roles = inner.roles.get(audience(resource)).cloned();
        let value = self.token(&id, audience(resource), roles, (now, expires));
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

/// Claims as a token without a signature.
fn encode(claims: &serde_json::Value) -> String {
    let header = json!({"alg": "none", "typ": "JWT"});
    let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}.")
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
mod tests;
