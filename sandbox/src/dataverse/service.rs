//! The HTTP face of the Web API: who calls, how often, how long an address, and the common headers.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors>

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use jiff::Timestamp;

use super::Dataverse;
use super::errors::{NOT_A_MEMBER, Refusal};
use super::reply::{Operation, Origin, Reply};
use super::resource::ROOT_PATH;
use crate::latency::{DataverseTimes, pass};

/// The longest address of a request by itself, in characters.
const LONGEST_URL: usize = 32_768;
/// The largest body, in bytes.
const LARGEST_BODY: usize = 116_850_000;
/// The cookie by which a client would stick to one web server.
const AFFINITY: &str = "ARRAffinity";

/// A request that counts as being in work until this is dropped.
struct InWork<'a> {
    dataverse: &'a Dataverse,
    since: Timestamp,
}

impl Drop for InWork<'_> {
    fn drop(&mut self) {
        let mut state = self.dataverse.state();
        let now = state.clock.now();
        let took = now
            .duration_since(self.since)
            .try_into()
            .unwrap_or_default();
        state.limits.leave(now, took);
    }
}

impl Dataverse {
    /// The routes of the service.
    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(handle).with_state(self.clone())
    }

    async fn respond(&self, request: Request) -> Reply {
        let Some(path) = request.uri().path().strip_prefix(ROOT_PATH) else {
            return Refusal::no_segment(request.uri().path()).into_reply();
        };
        let Some(token) = self.good_token(&request) else {
            let reply = Reply::new(StatusCode::UNAUTHORIZED);
            return reply.with_header("www-authenticate", "Bearer");
        };
        let caller = match self.state().user_of(token) {
            Ok(caller) => caller,
            Err(refusal) => return refusal.into_reply(),
        };
        let query = request
            .uri()
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let target = format!("{path}{query}");
        let work = match self.enter(&request) {
            Ok(work) => work,
            Err(refusal) => return refusal.into_reply(),
        };
        let origin = Origin {
            root: root(&request),
            caller,
        };
        let reply = self.carry_out(request, target, &origin).await;
        drop(work);
        reply
    }

    fn good_token<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let header = request.headers().get(http::header::AUTHORIZATION)?;
        let token = header.to_str().ok()?.strip_prefix("Bearer ")?;
        self.accepts(token).then_some(token)
    }

    fn enter(&self, request: &Request) -> Result<InWork<'_>, Refusal> {
        let mut state = self.state();
        let cookies = request.headers().get_all(http::header::COOKIE);
        let sticks = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains(AFFINITY));
        if cookies.iter().any(sticks) {
            state.cookies_seen += 1;
        }
        let since = state.clock.now();
        let settings = state.settings.clone();
        if !settings.application_user {
            let message = "The user is not a member of the organization.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, NOT_A_MEMBER, message));
        }
        state.limits.enter(&settings, since)?;
        Ok(InWork {
            dataverse: self,
            since,
        })
    }

    async fn carry_out(&self, request: Request, target: String, origin: &Origin) -> Reply {
        if origin.root.len() + target.len() > LONGEST_URL {
            return Refusal::new(StatusCode::URI_TOO_LONG, "", "The URL is too long.").into_reply();
        }
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
            let message = "The request is too large.";
            return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "", message).into_reply();
        };
        let (method, headers) = (parts.method, parts.headers);
        let operation = Operation {
            method,
            target,
            headers,
            body,
            content_id: None,
        };
        if operation.split().0 == "$batch" {
            return self.run_batch(&operation, origin).await;
        }
        self.run_in_time(&operation, origin).await
    }

    /// Runs one operation by itself for as long as it takes: a read shows what there was when it began, and a write is
    /// done when it ends.
    pub(crate) async fn run_in_time(&self, operation: &Operation, origin: &Origin) -> Reply {
        let times = self.times();
        if operation.method == Method::GET {
            let reply = self.run_alone(operation, origin);
            pass(times.read(reply.rows)).await;
            return reply;
        }
        pass(times.write(1)).await;
        self.run_alone(operation, origin)
    }

    pub(crate) fn times(&self) -> DataverseTimes {
        self.state().settings.times
    }

    /// Adds what every answer carries.
    fn finish(&self, reply: Reply) -> Response<Body> {
        let mut state = self.state();
        let id = state.mint().to_string();
        let hint = state.settings.parallelism_hint.to_string();
        let cookie = format!(
            "{AFFINITY}={}; path=/; secure; HttpOnly",
            state.organization.simple()
        );
        drop(state);
        let reply = reply
            .with_header("x-ms-service-request-id", &id)
            .with_header("x-ms-dop-hint", &hint);
        let mut response = Response::new(Body::from(reply.body));
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        response.extensions_mut().insert(reply.operations);
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response
                .headers_mut()
                .append(HeaderName::from_static("set-cookie"), cookie);
        }
        response
    }
}

/// The service root as the caller addressed it.
fn root(request: &Request) -> String {
    let named = request
        .headers()
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok());
    let uri = request.uri();
    let host = named
        .or(uri.authority().map(http::uri::Authority::as_str))
        .unwrap_or("localhost");
    format!("{}://{host}{ROOT_PATH}", uri.scheme_str().unwrap_or("http"))
}

async fn handle(State(dataverse): State<Dataverse>, request: Request) -> Response<Body> {
    let reply = dataverse.respond(request).await;
    dataverse.finish(reply)
}
