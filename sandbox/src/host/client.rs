//! The host's HTTP client towards the handler: plain HTTP on loopback, no redirects, no proxy of this
//! machine. It is the only place in the host that makes a client or sends with one.
//!
//! No TLS is spoken here, but a client is built with it: cargo builds reqwest once for the workspace, with
//! every feature that some member asks for, and the handler asks for rustls without a provider.

use reqwest::{Client, Request, RequestBuilder, Response, redirect::Policy};

/// A client whose connections are pooled; it has no timeout of its own.
pub(crate) fn client() -> std::io::Result<Client> {
    // Fails where a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .http1_only()
        .build()
        .map_err(std::io::Error::other)
}

/// Sends a request that was built with the client.
pub(super) async fn send(
    client: &Client,
    request: RequestBuilder,
) -> Result<Response, reqwest::Error> {
    execute(client, request.build()?).await
}

/// Sends a request made by hand, whose headers then go out as they are.
pub(super) async fn execute(client: &Client, request: Request) -> Result<Response, reqwest::Error> {
    // An address may hold a key, and errors are shown.
    client
        .execute(request)
        .await
        .map_err(reqwest::Error::without_url)
}
