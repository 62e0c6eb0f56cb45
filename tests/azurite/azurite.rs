//! The running Azurite, and stores in it whose requests a test can see and spoil.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use portal_invite::chance::Chance;
use portal_invite::clock::Clock;
use portal_invite::remote::http::{Broken, Outgoing, Transport};
use portal_invite::remote::journal::Store;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use crate::blob_suite;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It never arrives.
    LostBefore,
    /// It is carried out, and the answer never arrives.
    LostAfter,
    /// It arrives when its sender has given it up: just before the next PUT.
    Late,
    /// Other bytes of the same length are written in its place, and the answer never arrives.
    Forged,
}

/// Trouble for the next requests of a method whose path and query contain a text.
#[derive(Clone, Debug)]
struct Rule {
    method: http::Method,
    contains: &'static str,
    trouble: Trouble,
    times: usize,
}

/// One container of its own in the running Azurite.
#[derive(Clone)]
pub(crate) struct Azurite {
    container: Url,
    rules: Arc<Mutex<Vec<Rule>>>,
    spoiled: Arc<Mutex<usize>>,
    late: Arc<Mutex<Option<Outgoing>>>,
    appends: Arc<Mutex<Vec<Bytes>>>,
}

/// Where Azurite is, and the file with the certificate it shows.
#[expect(clippy::disallowed_methods, reason = "scripts/azurite says it so")]
pub(crate) fn running() -> (Url, String) {
    let variable =
        |name| std::env::var(name).unwrap_or_else(|_| panic!("scripts/azurite sets {name}"));
    let url = variable("AZURITE_URL").parse().unwrap();
    (url, variable("AZURITE_CERTIFICATE"))
}

impl Azurite {
    pub(crate) fn new() -> Self {
        let (url, _) = running();
        let chance = Chance::system().unwrap();
        let name = format!("one/test-{:08x}{:08x}", chance.number(), chance.number());
        Self {
            container: url.join(&name).unwrap(),
            rules: Arc::default(),
            spoiled: Arc::default(),
            late: Arc::default(),
            appends: Arc::default(),
        }
    }

    /// A store in the container; each has a transport of its own, and all meet the trouble of this handle.
    pub(crate) fn store(&self) -> Store {
        let sources = (Clock::system(), Chance::system().unwrap());
        let transport = self.transport();
        Store::in_container(&self.container, Arc::new(AnyToken), &transport, sources).unwrap()
    }

    /// The service itself, for requests that no store makes.
    pub(crate) async fn service(&self) -> blob_suite::Service {
        let scope = "https://storage.azure.com/.default";
        let token = AnyToken.get_token(&[scope], None).await.unwrap();
        blob_suite::Service {
            transport: network(),
            container: self.container.clone(),
            token: token.token.secret().to_owned(),
        }
    }

    /// The same container, without this handle's trouble.
    pub(crate) fn apart(&self) -> Self {
        Self {
            container: self.container.clone(),
            rules: Arc::default(),
            spoiled: Arc::default(),
            late: Arc::default(),
            appends: Arc::default(),
        }
    }

    /// From now on the next `times` requests of this method, whose path or query contains a text, meet trouble.
    pub(crate) fn spoil(
        &self,
        method: http::Method,
        contains: &'static str,
        trouble: Trouble,
        times: usize,
    ) {
        let rule = Rule {
            method,
            contains,
            trouble,
            times,
        };
        self.rules.lock().unwrap().push(rule);
    }

    /// How many requests met trouble so far.
    pub(crate) fn spoiled(&self) -> usize {
        *self.spoiled.lock().unwrap()
    }

    /// The blocks that were appended through this handle, in order.
    pub(crate) fn appends(&self) -> Vec<Bytes> {
        self.appends.lock().unwrap().clone()
    }

    fn trouble(&self, request: &http::Request<Bytes>) -> Option<Trouble> {
        let target = request.uri().path_and_query().unwrap().as_str();
        let target = target.replace("%2F", "/");
        let mut rules = self.rules.lock().unwrap();
        let rule = rules.iter_mut().find(|rule| {
            rule.times > 0 && rule.method == request.method() && target.contains(rule.contains)
        })?;
        rule.times -= 1;
        *self.spoiled.lock().unwrap() += 1;
        Some(rule.trouble)
    }

    fn transport(&self) -> Transport {
        let (network, azurite) = (network(), self.clone());
        Transport::InProcess(Arc::new(move |request| {
            let (network, azurite) = (network.clone(), azurite.clone());
            Box::pin(async move { azurite.exchange(&network, request).await })
        }))
    }

    async fn exchange(
        &self,
        network: &Transport,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Broken> {
        let lost = || Err(Broken::Lost("a test lost it".to_owned()));
        if request.uri().query() == Some("comp=appendblock") {
            self.appends.lock().unwrap().push(request.body().clone());
        }
        let trouble = self.trouble(&request);
        let mut outgoing = outgoing(request);
        match trouble {
            Some(Trouble::LostBefore) => return lost(),
            Some(Trouble::Late) => {
                *self.late.lock().unwrap() = Some(outgoing);
                return lost();
            }
            Some(Trouble::Forged) => outgoing.body = vec![b'x'; outgoing.body.len()].into(),
            Some(Trouble::LostAfter) | None => {}
        }
        let patience = Duration::from_secs(30);
        let late = (outgoing.method == http::Method::PUT).then(|| self.late.lock().unwrap().take());
        if let Some(late) = late.flatten() {
            let arrived = network.exchange(late, patience).await?;
            assert!(arrived.status.is_success(), "{}", arrived.status);
        }
        let reply = network.exchange(outgoing, patience).await?;
        if trouble.is_some() {
            return lost();
        }
        let mut response = http::Response::new(reply.body);
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        Ok(response)
    }
}

fn outgoing(request: http::Request<Bytes>) -> Outgoing {
    let (parts, body) = request.into_parts();
    Outgoing {
        method: parts.method,
        url: parts.uri.to_string().parse().unwrap(),
        headers: parts.headers,
        body,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test's own client, which trusts Azurite's certificate"
)]
fn network() -> Transport {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = std::fs::read(running().1).unwrap();
    let certificate = reqwest::Certificate::from_pem(&pem).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([certificate]);
    Transport::Network(client.build().unwrap())
}

/// Azurite looks at what a token says, not at who signed it.
#[derive(Debug)]
struct AnyToken;

#[async_trait::async_trait]
impl TokenCredential for AnyToken {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://storage.azure.com/.default"]);
        let now = OffsetDateTime::now_utc();
        let claims = json!({
            "aud": "https://storage.azure.com",
            "iss": format!("https://sts.windows.net/{}/", Uuid::nil()),
            "iat": now.unix_timestamp() - 60,
            "nbf": now.unix_timestamp() - 60,
            "exp": now.unix_timestamp() + 3_600,
        });
        let encode = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let token = format!(
            "{}.{}.",
            encode(json!({"alg": "none", "typ": "JWT"})),
            encode(claims)
        );
        Ok(AccessToken::new(
            Secret::new(token),
            now + Duration::from_hours(1),
        ))
    }
}
