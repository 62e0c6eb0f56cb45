//! The host's own HTTP door: finds the function, checks the key where keys are enforced, waits for the
//! handler, hands the request over, and ends what takes longer than a front end waits.
//! <https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger>

use std::{net::SocketAddr, sync::Arc};

use axum::{body::Body, extract::ConnectInfo, extract::State, response::IntoResponse as _};
use http::{Request, Response, StatusCode, header::CONTENT_LENGTH};
use http_body_util::Limited;
use tokio::time::timeout;

use super::{
    Forwarding, Inner, admin,
    calls::{Cause, Ending},
    error::HostError,
    forward::{ForwardError, forward, proxy},
    function::{AuthLevel, Function, HttpTrigger},
};

/// The host's default limit of a request body, 100 MB.
const BODY_LIMIT: usize = 104_857_600;

/// Answers every request to the host.
pub(super) async fn answer(
    State(inner): State<Arc<Inner>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    if path == "/" {
        return "Your Functions app is up and running".into_response();
    }
    if let Some(path) = path.strip_prefix("/admin/") {
        if !inner.is_allowed(&request, AuthLevel::Admin) {
            return status(StatusCode::UNAUTHORIZED);
        }
        return admin::answer(&inner, path, request).await;
    }
    let Some((function, http)) = find(&inner, &request) else {
        return status(StatusCode::NOT_FOUND);
    };
    if !inner.is_allowed(&request, http.level) {
        return status(StatusCode::UNAUTHORIZED);
    }
    if content_length(&request).is_some_and(|length| length > BODY_LIMIT) {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let name = function.name.clone();
    invoke(
        inner,
        name,
        request.map(|body| Body::new(Limited::new(body, BODY_LIMIT))),
        peer,
    )
    .await
}

/// The most specific function for the path and method; a wrong method is as unknown as a wrong path
/// (Azure/azure-functions-host issue 10098).
fn find<'a>(inner: &'a Inner, request: &Request<Body>) -> Option<(&'a Function, &'a HttpTrigger)> {
    let path = without_prefix(request.uri().path(), &inner.app.host.route_prefix)?;
    (inner.app.http_functions())
        .filter(|(function, _)| !function.disabled)
        .filter(|(_, http)| http.methods.is_empty() || http.methods.contains(request.method()))
        .filter(|(_, http)| http.route.matches(path))
        .min_by_key(|(_, http)| http.route.precedence())
}

/// What follows the route prefix, which is compared without regard to case.
fn without_prefix<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let path = path.strip_prefix('/')?;
    if prefix.is_empty() {
        return Some(path);
    }
    let (first, rest) = path.split_at_checked(prefix.len())?;
    let rest = rest.strip_prefix('/')?;
    first.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn content_length(request: &Request<Body>) -> Option<usize> {
    request
        .headers()
        .get(CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

async fn invoke(
    inner: Arc<Inner>,
    name: String,
    request: Request<Body>,
    peer: SocketAddr,
) -> Response<Body> {
    let limit = inner.front_end_limit;
    let answered = match inner.forwarding() {
        // A caller that leaves, or is cut off, cancels the call to the handler.
        Forwarding::Proxy => timeout(limit, call(&inner, &name, request, peer)).await,
        // Nobody tells the handler: the call runs on.
        Forwarding::Forward => {
            let inner = inner.clone();
            let call = tokio::spawn(async move { call(&inner, &name, request, peer).await });
            timeout(limit, call)
                .await
                .map(|joined| joined.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR)))
        }
    };
    answered.unwrap_or_else(|_| status(StatusCode::GATEWAY_TIMEOUT))
}

async fn call(
    inner: &Inner,
    name: &str,
    request: Request<Body>,
    peer: SocketAddr,
) -> Response<Body> {
    let id = inner.invocation_id();
    let begun = (inner.calls).begin(&inner.clock, id, name, Cause::request(&request));
    let result = async {
        inner.handler.ready().await?;
        let answer = async {
            match inner.forwarding() {
                Forwarding::Proxy => proxy(&inner.client, inner.port, request, peer, id).await,
                Forwarding::Forward => forward(&inner.client, inner.port, request, id).await,
            }
            .map_err(|error| failed(name, &error))
        };
        inner.within_function_timeout(name, answer).await
    };
    let result: Result<Response<Body>, HostError> = result.await;
    begun.end(match &result {
        Ok(answer) => Ending::answered(answer.status().as_u16()),
        Err(error) => Ending::failed(error),
    });
    result.unwrap_or_else(|error| {
        tracing::error!("Executed '{name}' (Failed, {id}): {error}");
        match error {
            HostError::Down(_) => status(StatusCode::SERVICE_UNAVAILABLE),
            _ => status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    })
}

fn failed(name: &str, error: &ForwardError) -> HostError {
    HostError::Failed {
        function: name.to_owned(),
        status: None,
        body: String::new(),
        reason: error.to_string(),
    }
}

/// An answer without a body.
pub(super) fn status(status: StatusCode) -> Response<Body> {
    status.into_response()
}
