//! The payload protocol: how the host calls a function that is not forwarded, and what it makes of the answer.
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers#request-payload> shows the
//! envelope; its limits come from `DefaultHttpWorkerService` in Azure/azure-functions-host.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use serde_json::Value;
use uuid::Uuid;

use super::{HOST_VERSION, client::send, error::HostError};

/// An invocation that succeeded.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The id that the handler saw in `X-Azure-Functions-InvocationId`.
    pub id: Uuid,
    /// The envelope that the handler was sent.
    pub request: Value,
    /// The handler's status, always 2xx.
    pub status: u16,
    /// The handler's answer, always a JSON object.
    pub body: Value,
}

/// Posts the envelope to `/{function}` and judges the answer as the host does.
pub(super) async fn invoke(
    client: &reqwest::Client,
    port: u16,
    function: &str,
    id: Uuid,
    envelope: Value,
) -> Result<Invocation, HostError> {
    let failed = |status, body: &[u8], reason: String| HostError::Failed {
        function: function.to_owned(),
        status,
        body: String::from_utf8_lossy(body).into_owned(),
        reason,
    };
    let request = request(client, port, function, id, &envelope);
    let broken = |error: reqwest::Error| failed(None, b"", format!("no answer: {error}"));
    let answer = send(client, request).await.map_err(broken)?;
    let status = answer.status();
    let is_json = (answer.headers().get(CONTENT_TYPE))
        .is_some_and(|value| value.to_str().is_ok_and(is_json_type));
    let body = answer.bytes().await.map_err(broken)?;
    let refuse = |reason: &str| Err(failed(Some(status.as_u16()), &body, reason.to_owned()));
    if !status.is_success() {
        return refuse("the status does not indicate success");
    }
    if body.is_empty() {
        return Err(HostError::WouldHang(function.to_owned()));
    }
    if !is_json {
        return refuse("the content type is not JSON");
    }
    match serde_json::from_slice(&body) {
        Ok(Value::Null) => Err(HostError::WouldHang(function.to_owned())),
        Ok(body @ Value::Object(_)) => Ok(Invocation {
            id,
            request: envelope,
            status: status.as_u16(),
            body,
        }),
        _ => refuse("the body is not a JSON object"),
    }
}

/// The body is streamed, so it goes out chunked and without a length, as the host's does.
fn request(
    client: &reqwest::Client,
    port: u16,
    function: &str,
    id: Uuid,
    envelope: &Value,
) -> reqwest::RequestBuilder {
    let text = Bytes::from(envelope.to_string());
    let body = futures::stream::once(async { Ok::<_, std::convert::Infallible>(text) });
    client
        .post(format!("http://127.0.0.1:{port}/{function}"))
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header(USER_AGENT, format!("Azure-Functions-Host/{HOST_VERSION}"))
        .header("X-Azure-Functions-HostVersion", HOST_VERSION)
        .header("X-Azure-Functions-InvocationId", id.to_string())
        .body(reqwest::Body::wrap_stream(body))
}

fn is_json_type(value: &str) -> bool {
    let essence = value.split(';').next().unwrap_or_default().trim();
    ["application/json", "text/json"].contains(&essence.to_lowercase().as_str())
}
