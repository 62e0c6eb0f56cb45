//! The caller: one HTTP client, which keeps its connections as the Functions host does.

use anyhow::{Context as _, ensure};
use reqwest::{Client, Method};
use serde_json::Value;

/// Calls programs on loopback; clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Client);

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Caller {
    #[expect(
        clippy::disallowed_methods,
        reason = "the measuring program's own client"
    )]
    pub(crate) fn new() -> anyhow::Result<Self> {
        // The second caller finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none());
        Ok(Self(client.build()?))
    }

    pub(crate) async fn get(&self, url: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, url, None).await
    }

    pub(crate) async fn post(&self, url: &str, body: &Value) -> anyhow::Result<Answer> {
        self.call(Method::POST, url, Some(body)).await
    }

    /// Calls, and fails where the answer is no success: a measurement of refusals would mislead.
    #[expect(
        clippy::disallowed_methods,
        reason = "the measuring program's own client"
    )]
    async fn call(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.0.request(method, url);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("{url} did not answer"))?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(
            status.is_success(),
            "{url} answered {status}: {}",
            beginning(&text)
        );
        let body = serde_json::from_str(&text)
            .with_context(|| format!("{url} answered no JSON: {}", beginning(&text)))?;
        Ok(Answer {
            status: status.as_u16(),
            body,
        })
    }
}

fn beginning(text: &str) -> String {
    text.chars().take(400).collect()
}
