//! Graph's front door: token, version, size, the choice between one operation and a batch, and headers.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::identity::bearer;
use crate::traffic::Operations;

use super::Graph;
use super::batch::{Batch, is_json};
use super::operation::{Answer, Body, Operation, Refusal};

/// Longest request body, in bytes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
const JSON: &str = "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8";

pub(super) fn router(graph: Graph) -> Router {
    Router::new().fallback(receive).with_state(graph)
}

async fn receive(State(graph): State<Graph>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let client_request_id = parts.headers.get("client-request-id").cloned();
    let inner = graph.inner_error(client_request_id.as_ref().and_then(|id| id.to_str().ok()));
    let answer = match body.collect().await {
        Ok(body) => answer(&graph, &parts, &body.to_bytes()).await,
        Err(_) => Err(Refusal::bad("The body broke off.")),
    };
    let mut response = respond(answer, &inner);
    let headers = response.headers_mut();
    if let Some(id) = inner["request-id"]
        .as_str()
        .and_then(|id| id.try_into().ok())
    {
        headers.insert(HeaderName::from_static("request-id"), id);
    }
    if let Some(id) = client_request_id {
        headers.insert(HeaderName::from_static("client-request-id"), id);
    }
    response
}

/// The answer, and what a batch held.
async fn answer(
    graph: &Graph,
    parts: &Parts,
    body: &Bytes,
) -> Result<(Answer, Operations), Refusal> {
    graph.check_token(bearer(&parts.headers))?;
    if body.len() > LARGEST_BODY {
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            "The maximum request length supported is 4MB.",
        ));
    }
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Some(target) = target.strip_prefix("/v1.0/") else {
        return Err(Refusal::unknown(format!("the address {target}")));
    };
    let body = read_body(&parts.headers, body)?;
    let root = format!("http://{}/v1.0", host(parts));
    let operation = Operation::new(
        parts.method.clone(),
        target,
        parts.headers.clone(),
        body,
        &root,
    );
    if operation.method != Method::POST || operation.path != ["$batch"] {
        return Ok((graph.perform(&operation).await?, Operations::default()));
    }
    let batch = Batch::read(operation.json()?)?;
    let count = batch.len();
    let (mut responses, steps) = batch.run(graph, &root).await;
    let steps = steps.into();
    graph.shuffle(&mut responses);
    Ok((
        Answer::json(StatusCode::OK, json!({"responses": responses})),
        Operations { count, steps },
    ))
}

fn host(parts: &Parts) -> &str {
    let named = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    named
        .or(parts.uri.authority().map(http::uri::Authority::as_str))
        .unwrap_or("graph.microsoft.com")
}

fn read_body(headers: &HeaderMap, body: &Bytes) -> Result<Body, Refusal> {
    if body.is_empty() {
        return Ok(Body::Empty);
    }
    let Some(kind) = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
    else {
        return Err(Refusal::bad(
            "Entity only allows writes with a JSON Content-Type header.",
        ));
    };
    if !is_json(kind) {
        return Ok(Body::Other(kind.to_owned()));
    }
    let value = serde_json::from_slice(body);
    value
        .map(Body::Json)
        .map_err(|_| Refusal::bad("Unable to read JSON request payload."))
}

fn respond(answer: Result<(Answer, Operations), Refusal>, inner: &Value) -> Response {
    let mut response = Response::default();
    let body = match answer {
        Ok((answer, operations)) => {
            *response.status_mut() = answer.status;
            response.extensions_mut().insert(operations);
            answer.body
        }
        Err(refusal) => {
            *response.status_mut() = refusal.status;
            if let Some(seconds) = refusal.retry_after_seconds {
                (response.headers_mut()).insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            Some(refusal.body(inner))
        }
    };
    if let Some(body) = body {
        (response.headers_mut()).insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        *response.body_mut() = body.to_string().into();
    }
    response
}
