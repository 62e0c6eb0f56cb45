//! Owns the HTTP surface: one module a function, as the folders at the top level name them.
//!
//! HTTP functions arrive as the caller sent them, under `/api`; timers arrive as `POST /{function}` without that
//! prefix, which no caller from outside can reach because the host forwards only `/api`.
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use crate::service::Service;

mod batch;
mod contact_created;
#[cfg(test)]
mod description;
mod digest;
mod dispatch;
mod doctor;
mod fields;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod health;
mod invitations;
mod invite;
mod location;
mod problem;
mod remind;
mod resend;
mod revoke;
mod source;
mod sweep;
mod timer;
mod views;

use problem::{Code, Problem};

/// Twenty thousand contact ids take less than half of this.
const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// Every HTTP function answers by this; Power Automate waits 120 seconds.
const DEADLINE: Duration = Duration::from_secs(100);

/// The routes of every function.
pub fn router(service: Service) -> Router {
    Router::new()
        .route("/api/invitations/{id}/resend", post(resend::handle))
        .route("/api/invitations/{id}/revoke", post(revoke::handle))
        .route(
            "/api/invitations",
            post(invite::handle).get(invitations::list),
        )
        .route("/api/invitations/", get(invitations::list))
        .route("/api/invitations/{id}", get(invitations::one))
        .route("/api/contact-created", post(contact_created::handle))
        .route("/api/batches/{number}", get(batch::handle))
        .route("/api/doctor", get(doctor::handle))
        .route("/api/views", get(views::handle))
        .route("/api/health", get(health::handle))
        .route("/function-digest", post(digest::handle))
        .route("/function-dispatch", post(dispatch::handle))
        .route("/function-remind", post(remind::handle))
        .route("/function-sweep", post(sweep::handle))
        // The host asks this for readiness, and often after that.
        .route("/", get(|| async { "portal-invite" }))
        .method_not_allowed_fallback(async || Problem::new(Code::MethodNotAllowed))
        .fallback(async || Problem::new(Code::NotFound))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn(in_time_and_whole))
        .layer(middleware::from_fn(traced))
        .with_state(service)
}

/// Turns a deadline that passes and a panic into answers: the process must outlive both.
async fn in_time_and_whole(request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(DEADLINE, answer).await {
        Ok(Ok(response)) => as_problem(response),
        Ok(Err(_)) => Problem::new(Code::InternalError).into_response(),
        Err(_) => Problem::busy().into_response(),
    }
}

/// Gives the framework's own refusals of a path, a query or a body the shape of every other one.
fn as_problem(response: Response) -> Response {
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_json = content_type.is_some_and(|value| value.as_bytes().ends_with(b"json"));
    let code = match status {
        _ if is_json || !status.is_client_error() => return response,
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        _ => Code::InvalidRequest,
    };
    Problem::new(code).status(status).into_response()
}

/// Puts the invocation on every log line of a request. Paths carry no secrets; queries and headers may.
async fn traced(request: Request, next: Next) -> Response {
    if request.uri().path() == "/" {
        return next.run(request).await;
    }
    let span = tracing::info_span!(
        "invocation",
        invocation_id = invocation_id(request.headers()).map(tracing::field::display),
        method = %request.method(),
        path = request.uri().path(),
    );
    async move {
        let response = next.run(request).await;
        tracing::info!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await
}

/// The host adds its id behind one that a caller may have sent.
fn invocation_id(headers: &HeaderMap) -> Option<Uuid> {
    let last = headers
        .get_all("x-azure-functions-invocationid")
        .iter()
        .next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}
