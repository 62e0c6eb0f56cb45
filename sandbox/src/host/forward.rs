//! The two ways in which the host hands an HTTP request to the handler as it is. `proxy` streams it
//! through, as hosts since 2025 do; `forward` rebuilds it and loses a little, as older hosts do.
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers#http-only-function>;
//! headers of the first by <https://learn.microsoft.com/aspnet/core/fundamentals/servers/yarp/transforms>.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::body::{Body, HttpBody as _};
use futures::{StreamExt as _, stream};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response,
    header::{self, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, USER_AGENT},
    request::Parts,
};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use super::{HOST_VERSION, client::execute};

/// Why no answer could be had from the handler.
#[derive(Debug, thiserror::Error)]
pub(super) enum ForwardError {
    #[error("no answer from the handler: {0}")]
    Broken(#[from] reqwest::Error),
    #[error("the host cannot rebuild the request: {0}")]
    Unusable(&'static str),
}

const HOST_VERSION_HEADER: HeaderName = HeaderName::from_static("x-azure-functions-hostversion");
const INVOCATION_ID: HeaderName = HeaderName::from_static("x-azure-functions-invocationid");
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const RETRIES: u32 = 10;

/// Headers that belong to one connection and never pass through.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    TRANSFER_ENCODING,
    header::UPGRADE,
];

/// .NET keeps these with the body, and the rebuilding host copies only two of that kind.
const LOST_CONTENT_HEADERS: [HeaderName; 9] = [
    header::ALLOW,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
    HeaderName::from_static("content-md5"),
    header::CONTENT_RANGE,
    header::EXPIRES,
    header::LAST_MODIFIED,
];

/// Streams the request through and the answer back.
pub(super) async fn proxy(
    client: &reqwest::Client,
    port: u16,
    request: Request<Body>,
    peer: SocketAddr,
    id: Uuid,
) -> Result<Response<Body>, ForwardError> {
    let (mut parts, body) = request.into_parts();
    proxy_headers(&mut parts.headers, peer, id)?;
    let has_body = !body.is_end_stream();
    let unsent = Arc::new(Mutex::new(Some(body)));
    let mut attempt = 0;
    loop {
        let outgoing = has_body.then(|| lazily(&unsent));
        let request = outgoing_request(&parts, parts.uri.query(), port, outgoing)?;
        match execute(client, request).await {
            Ok(answer) => return Ok(returned(Response::from(answer).map(Body::new))),
            Err(error) if attempt == RETRIES || (has_body && is_taken(&unsent)) => {
                return Err(error.into());
            }
            Err(_) => attempt += 1,
        }
        tokio::time::sleep(Duration::from_millis(u64::from(50 * attempt.min(5)))).await;
    }
}

/// Rebuilds the request from what the old host reads of it, and buffers the answer.
pub(super) async fn forward(
    client: &reqwest::Client,
    port: u16,
    request: Request<Body>,
    id: Uuid,
) -> Result<Response<Body>, ForwardError> {
    let (mut parts, body) = request.into_parts();
    let length = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    // Without a length the body is not read at all, so a chunked one is lost.
    let body = match length {
        Some(1..) => Some(
            body.collect()
                .await
                .map_err(|_| ForwardError::Unusable("its body broke off"))?
                .to_bytes(),
        ),
        _ => None,
    };
    forward_headers(&mut parts.headers, body.is_some(), id)?;
    let query = parts.uri.query().map(joined_query);
    let request = outgoing_request(
        &parts,
        query.as_deref(),
        port,
        body.map(reqwest::Body::from),
    )?;
    let answer: Response<reqwest::Body> = execute(client, request).await?.into();
    let (parts, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(returned(Response::from_parts(parts, Body::from(body))))
}

fn outgoing_request(
    parts: &Parts,
    query: Option<&str>,
    port: u16,
    body: Option<reqwest::Body>,
) -> Result<reqwest::Request, ForwardError> {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("http://127.0.0.1:{port}{}{query}", parts.uri.path());
    let url = url
        .parse()
        .map_err(|_| ForwardError::Unusable("its path is no path"))?;
    let mut request = reqwest::Request::new(parts.method.clone(), url);
    *request.headers_mut() = parts.headers.clone();
    *request.body_mut() = body;
    Ok(request)
}

fn proxy_headers(headers: &mut HeaderMap, peer: SocketAddr, id: Uuid) -> Result<(), ForwardError> {
    let host = headers.remove(HOST);
    drop_hop_by_hop(headers);
    headers.remove("x-forwarded-prefix");
    headers.insert("x-forwarded-for", value(&peer.ip().to_string())?);
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    match host {
        Some(host) => headers.insert("x-forwarded-host", host),
        None => headers.remove("x-forwarded-host"),
    };
    headers.insert(HOST_VERSION_HEADER, HeaderValue::from_static(HOST_VERSION));
    headers.insert(INVOCATION_ID, value(&id.to_string())?);
    headers.insert("x-ms-invocation-id", value(&id.to_string())?);
    Ok(())
}

fn forward_headers(headers: &mut HeaderMap, has_body: bool, id: Uuid) -> Result<(), ForwardError> {
    if headers.get_all(CONTENT_TYPE).iter().count() > 1 {
        return Err(ForwardError::Unusable("its content type has two values"));
    }
    drop_hop_by_hop(headers);
    for name in &LOST_CONTENT_HEADERS {
        headers.remove(name);
    }
    if !has_body {
        headers.remove(CONTENT_TYPE);
        headers.remove(CONTENT_LENGTH);
    }
    let product = format!("Azure-Functions-Host/{HOST_VERSION}");
    let agent = match headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
    {
        Some(agent) => format!("{agent} {product}"),
        None => product,
    };
    headers.insert(USER_AGENT, value(&agent)?);
    headers.append(HOST_VERSION_HEADER, HeaderValue::from_static(HOST_VERSION));
    headers.append(INVOCATION_ID, value(&id.to_string())?);
    Ok(())
}

fn value(text: &str) -> Result<HeaderValue, ForwardError> {
    HeaderValue::from_str(text).map_err(|_| ForwardError::Unusable("a header has no valid value"))
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

fn returned(mut answer: Response<Body>) -> Response<Body> {
    drop_hop_by_hop(answer.headers_mut());
    answer
}

/// The body, taken only when the connection stands: until then the request can be tried again.
fn lazily(unsent: &Arc<Mutex<Option<Body>>>) -> reqwest::Body {
    let unsent = unsent.clone();
    let taken = stream::once(async move { unsent.lock().take() });
    reqwest::Body::wrap_stream(taken.flat_map(|body| body.unwrap_or_default().into_data_stream()))
}

fn is_taken(unsent: &Mutex<Option<Body>>) -> bool {
    unsent.lock().is_none()
}

/// Repeated keys become one, their values joined by commas, in the order of their first appearance.
fn joined_query(query: &str) -> String {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match joined
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(&key))
        {
            Some((_, values)) => *values = format!("{values},{value}"),
            None => joined.push((key.into_owned(), value.into_owned())),
        }
    }
    let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let pairs = joined
        .iter()
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_query_keys_are_joined_by_commas() {
        assert_eq!(joined_query("a=1&b=x+y&A=2&c"), "a=1%2C2&b=x%20y&c=");
        assert_eq!(joined_query("k=%C3%A6"), "k=%C3%A6");
    }

    #[test]
    fn a_rebuilt_request_loses_content_headers_and_gains_a_second_invocation_id() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "site"),
            ("content-encoding", "gzip"),
            ("content-type", "text/plain"),
            ("user-agent", "curl/8"),
            ("x-azure-functions-invocationid", "mine"),
            ("connection", "close"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        forward_headers(&mut headers, false, Uuid::nil()).unwrap();
        assert_eq!(headers["host"], "site");
        assert_eq!(headers.get_all(INVOCATION_ID).iter().count(), 2);
        assert!(
            headers["user-agent"]
                .to_str()
                .unwrap()
                .starts_with("curl/8 Azure-Functions-Host/")
        );
        for gone in ["content-encoding", "content-type", "connection"] {
            assert!(!headers.contains_key(gone), "{gone}");
        }
        headers.append(CONTENT_TYPE, HeaderValue::from_static("a/b"));
        headers.append(CONTENT_TYPE, HeaderValue::from_static("c/d"));
        assert!(forward_headers(&mut headers, true, Uuid::nil()).is_err());
    }
}
