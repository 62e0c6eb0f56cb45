//! Keeps other sites' pages from driving the sandbox: a browser says of each request whose page it comes from.
//! <https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site>

use axum::{body::Body, middleware::Next};
use http::{Request, Response, StatusCode};

use super::files::status;

/// Refuses what another page asks for, but for plain visits.
pub(super) async fn same_origin(request: Request<Body>, next: Next) -> Response<Body> {
    let from = request.headers().get("sec-fetch-site");
    let own = from.is_none_or(|from| from == "same-origin" || from == "none");
    if own || request.method().is_safe() {
        next.run(request).await
    } else {
        status(StatusCode::FORBIDDEN)
    }
}
