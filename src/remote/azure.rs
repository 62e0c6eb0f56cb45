//! Owns how the Azure crates reach the network: over the transport that carries every other call.
//!
//! One pool of connections and one seam for tests. The crates bring a policy of retries of their own; who makes
//! a client here says what it may be.
//! <https://learn.microsoft.com/azure/developer/rust/sdk/overview>

use std::sync::Arc;
use std::time::Duration;

use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions,
    Transport as AzureTransport,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::http::{Broken, Outgoing, Transport};

/// No answer takes longer; callers have limits of their own within it.
const LONGEST: Duration = Duration::from_mins(1);

/// Options of a client of an Azure crate that sends over `transport` and tries again as `retry` says.
pub(super) fn client_options(transport: &Transport, retry: RetryOptions) -> ClientOptions {
    ClientOptions {
        retry,
        transport: Some(AzureTransport::new(Arc::new(transport.clone()))),
        ..ClientOptions::default()
    }
}

#[async_trait::async_trait]
impl HttpClient for Transport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let reply = self.exchange(outgoing(request)?, LONGEST).await;
        let reply = reply.map_err(|broken| match broken {
            Broken::NotConnected(cause) | Broken::NoSuchHost(cause) | Broken::NotSecure(cause) => {
                Error::with_message(ErrorKind::Connection, cause)
            }
            Broken::Lost(cause) => Error::with_message(ErrorKind::Io, cause),
        })?;
        let mut headers = Headers::new();
        for (name, value) in &reply.headers {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let status = reply.status.as_u16().into();
        Ok(AsyncRawResponse::from_bytes(status, headers, reply.body))
    }
}

fn outgoing(request: &Request) -> azure_core::Result<Outgoing> {
    let invalid = |error| Error::with_error(ErrorKind::DataConversion, error, "no valid request");
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers().iter() {
        let name: HeaderName = name
            .as_str()
            .parse()
            .map_err(|error| invalid(Box::new(error) as Cause))?;
        let value: HeaderValue = value
            .as_str()
            .parse()
            .map_err(|error| invalid(Box::new(error)))?;
        headers.insert(name, value);
    }
    let Body::Bytes(body) = request.body().clone() else {
        return Err(Error::with_message(
            ErrorKind::DataConversion,
            "a body must be in memory",
        ));
    };
    let method = request.method().as_ref().as_bytes().to_vec();
    Ok(Outgoing {
        method: Method::from_bytes(&method).map_err(|error| invalid(Box::new(error)))?,
        url: request.url().clone(),
        headers,
        body,
    })
}

type Cause = Box<dyn std::error::Error + Send + Sync>;
