//! Owns the moving of bytes: the one HTTP client, and the one seam where tests put another transport.
//!
//! It knows nothing of tokens, retries or services. No cookies: Dataverse's affinity cookie would pin this
//! process to one web server and its share of the limits. No redirects: a redirect would carry the token along.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io, iter};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

/// How requests leave the process.
#[derive(Clone)]
pub enum Transport {
    /// Over the network.
    Network(reqwest::Client),
    /// To services in this process; for tests and simulation.
    InProcess(InProcess),
}

/// A stand-in for the network: takes a request, gives a response or the way the connection broke.
pub type InProcess = Arc<dyn Fn(http::Request<Bytes>) -> InProcessAnswer + Send + Sync>;

/// What an [`InProcess`] transport gives back.
pub type InProcessAnswer =
    Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, Broken>> + Send>>;

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Network(_) => "Network",
            Self::InProcess(_) => "InProcess",
        })
    }
}

/// A request, ready to leave.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// GET, POST, PATCH ..
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; empty for none.
    pub body: Bytes,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// How an exchange broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// No connection came about: the request was never sent.
    NotConnected(String),
    /// No host has that name: the request was never sent.
    NoSuchHost(String),
    /// No secure connection came about, for want of a certificate to trust: the request was never sent.
    NotSecure(String),
    /// The connection broke, or nothing came back in time: nobody knows.
    Lost(String),
}

impl Transport {
    /// The client for production: rustls with ring, the system's roots, pooled connections.
    ///
    /// # Errors
    ///
    /// When the system has no certificate authorities.
    #[expect(clippy::disallowed_methods, reason = "this is the one client")]
    pub fn network() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("portal-invite/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self::Network(client))
    }

    /// Sends one request and reads the whole answer, or gives up after `timeout`.
    pub async fn exchange(&self, outgoing: Outgoing, timeout: Duration) -> Result<Reply, Broken> {
        let exchange = async {
            match self {
                Self::Network(client) => over_network(client, outgoing).await,
                Self::InProcess(transport) => in_process(transport, outgoing).await,
            }
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(Broken::Lost(format!(
                "no answer within {} s",
                timeout.as_secs()
            ))),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that sends"
)]
async fn over_network(client: &reqwest::Client, outgoing: Outgoing) -> Result<Reply, Broken> {
    let request = client
        .request(outgoing.method, outgoing.url)
        .headers(outgoing.headers)
        .body(outgoing.body);
    let response = request.send().await.map_err(broken)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.map_err(broken)?;
    Ok(Reply {
        status,
        headers,
        body,
    })
}

/// reqwest's own text would name the URL; the cause under it says what a person needs.
fn broken(error: reqwest::Error) -> Broken {
    let not_connected = error.is_connect() || error.is_builder();
    let error = error.without_url();
    let causes = causes(&error);
    let cause = causes.last().map(ToString::to_string).unwrap_or_default();
    if !not_connected {
        Broken::Lost(cause)
    } else if causes.iter().copied().any(is_about_security) {
        Broken::NotSecure(cause)
    } else if causes.iter().copied().any(is_about_names) {
        Broken::NoSuchHost(cause)
    } else {
        Broken::NotConnected(cause)
    }
}

type Cause<'e> = &'e (dyn Error + 'static);

/// An error and what is behind it, the outermost first.
fn causes(error: &reqwest::Error) -> Vec<Cause<'_>> {
    let outermost: Cause<'_> = error;
    iter::successors(Some(outermost), |error: &Cause<'_>| Error::source(*error)).collect()
}

/// An error of TLS travels inside I/O errors, whose `source` passes over it.
fn is_about_security(error: Cause<'_>) -> bool {
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || wrapped.is_some_and(|inner| is_about_security(inner))
}

/// The resolver's errors have no type that can be told: the connector names them so.
fn is_about_names(error: Cause<'_>) -> bool {
    error.to_string() == "dns error"
}

async fn in_process(transport: &InProcess, outgoing: Outgoing) -> Result<Reply, Broken> {
    let mut request = http::Request::new(outgoing.body);
    *request.method_mut() = outgoing.method;
    *request.uri_mut() = outgoing
        .url
        .as_str()
        .parse()
        .map_err(|_| Broken::NotConnected("the address is not valid".to_owned()))?;
    *request.headers_mut() = outgoing.headers;
    let (parts, body) = transport(request).await?.into_parts();
    Ok(Reply {
        status: parts.status,
        headers: parts.headers,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_nobody_trusts_is_told_from_a_connection_that_was_refused() {
        let expired = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, expired));
        assert!(is_about_security(&wrapped));
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(!is_about_security(&io::Error::other(refused)));
    }
}
