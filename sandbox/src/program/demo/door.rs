//! The demo's HTTP client: asks the handler through the host's door as a caller does, and the portal as a
//! browser does.

use anyhow::Context as _;
use reqwest::{Client, Method, header};
use serde_json::Value;
use url::Url;

use crate::host::client::client;

/// An answer of the host or of the portal.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: http::StatusCode,
    pub(super) location: Option<String>,
    pub(super) text: String,
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// Sends requests; it follows no redirects.
#[derive(Debug)]
pub(super) struct Door {
    client: Client,
    host: Url,
}

impl Door {
    pub(super) fn new(host: Url) -> anyhow::Result<Self> {
        let client = client()?;
        Ok(Self { client, host })
    }

    /// POSTs JSON to a path of the host.
    pub(super) async fn post(
        &self,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<Answer> {
        let request = self.client.request(Method::POST, self.host.join(path)?);
        let mut request = request
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        answer(request).await
    }

    /// Opens a page.
    pub(super) async fn open(&self, link: &str) -> anyhow::Result<Answer> {
        answer(self.client.get(link)).await
    }

    /// Sends a form that was filled in.
    pub(super) async fn submit(
        &self,
        link: &str,
        fields: &[(String, String)],
    ) -> anyhow::Result<Answer> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let kind = "application/x-www-form-urlencoded";
        let request = self.client.post(link).header(header::CONTENT_TYPE, kind);
        answer(request.body(body)).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await.context("the door did not answer")?;
    let location = response.headers().get(header::LOCATION);
    Ok(Answer {
        status: response.status(),
        location: location.and_then(|it| Some(it.to_str().ok()?.to_owned())),
        text: response.text().await?,
    })
}
