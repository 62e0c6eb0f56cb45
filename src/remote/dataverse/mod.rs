//! Owns the Dataverse Web API: its address, headers, single reads and `$batch`.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview>

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use url::Url;

use super::budget::Budget;
use super::endpoint::{self, Call, Endpoint};
use super::error::{Refusal, RemoteError, Service};
use super::http::{Reply, Transport};
use super::identity::Identity;
use super::retry::Repeat;
use crate::chance::Chance;
use crate::clock::Clock;

mod batch_numbers;
mod batch_rows;
pub mod bound;
pub mod caller;
pub mod contacts;
pub mod definitions;
mod fetch_xml;
pub mod figures;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod invitations;
pub mod languages;
pub mod listing;
pub mod multipart;
mod new_row;
mod odata;
pub mod processes;
pub mod redemptions;
pub mod rights;
mod rows;
pub mod rule;
mod schema;
pub mod site_settings;
pub mod sources;
mod used;
pub mod views;

use languages::SiteLanguages;
use multipart::{Part, Step};
pub use rows::Codes;
pub use schema::Schema;
pub use used::Need;

/// Calls out at once, until the service says better.
const FIRST_WIDTH: usize = 4;

/// However wide the service says it is: one function instance has little memory.
const WIDEST: usize = 16;

/// Longest try of a read.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// A Dataverse environment.
#[derive(Clone, Debug)]
pub struct Dataverse {
    endpoint: Arc<Endpoint>,
    root: Url,
    schema: Arc<OnceCell<Schema>>,
    languages: Arc<SiteLanguages>,
}

impl Dataverse {
    /// The environment at `address`.
    pub fn new(
        address: &Url,
        transport: Transport,
        identity: Arc<Identity>,
        (clock, chance): (Clock, Chance),
    ) -> Self {
        let scope = format!("{}/.default", address.as_str().trim_end_matches('/'));
        let mut root = address.clone();
        root.set_path("/api/data/v9.2/");
        let sources = (clock, chance);
        Self {
            endpoint: Arc::new(Endpoint::new(
                Service::Dataverse,
                scope,
                transport,
                identity,
                sources,
                FIRST_WIDTH,
            )),
            root,
            schema: Arc::default(),
            languages: Arc::default(),
        }
    }

    /// How many calls may be out at once.
    pub fn width(&self) -> usize {
        self.endpoint.width()
    }

    async fn send(&self, call: Call, budget: &Budget) -> Result<Reply, RemoteError> {
        let reply = self.endpoint.call(&call, budget).await?;
        self.follow_hint(&reply.headers);
        Ok(reply)
    }

    /// The service says how many parallel calls serve this environment best.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/send-parallel-requests>
    fn follow_hint(&self, headers: &HeaderMap) {
        let hint = headers
            .get("x-ms-dop-hint")
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if let Some(hint) = hint.filter(|hint| *hint > 0) {
            self.endpoint.set_width(hint.min(WIDEST));
        }
    }

    /// Reads one answer of JSON, or `None` where there is no such row.
    async fn get<T: DeserializeOwned>(
        &self,
        action: &'static str,
        url: Url,
        budget: &Budget,
    ) -> Result<Option<T>, RemoteError> {
        let call = Call {
            action,
            method: Method::GET,
            url,
            headers: headers(),
            body: Bytes::new(),
            effect: false,
            repeat: Repeat::Harmless,
            timeout: READ_TIMEOUT,
        };
        let reply = self.send(call, budget).await?;
        match reply.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => self.json(action, &reply.body).map(Some),
            _ => Err(self.endpoint.refused(action, &reply)),
        }
    }

    /// Carries out the steps in order, each on its own; the parts answer them one for one.
    ///
    /// `effect` says whether any of them changes a row. Steps that were throttled or broke are repeated like
    /// a request that was: each is a read, or has a condition. Those that the time does not suffice for keep the
    /// answer they got.
    async fn batch(
        &self,
        action: &'static str,
        steps: &[Step],
        effect: bool,
        budget: &Budget,
    ) -> Result<Vec<Part>, RemoteError> {
        let mut parts = self.batch_once(action, steps, effect, budget).await?;
        for tries in 1..endpoint::MOST_TRIES {
            let again: Vec<usize> = (0..parts.len())
                .filter(|place| is_passing(&parts[*place]))
                .collect();
            let Some(wait) = again
                .iter()
                .map(|place| self.wait_for(&parts[*place]))
                .max()
            else {
                break;
            };
            self.endpoint.stay_out_for(wait);
            let detail = format!("{} operations of a batch", again.len());
            let paused = self.endpoint.pause(action, tries, wait, detail, budget);
            if paused.await.is_err() {
                break;
            }
            let steps: Vec<_> = again.iter().map(|place| steps[*place].clone()).collect();
            let Ok(answers) = self.batch_once(action, &steps, effect, budget).await else {
                break;
            };
            for (place, answer) in again.into_iter().zip(answers) {
                parts[place] = answer;
            }
        }
        Ok(parts)
    }

    fn wait_for(&self, part: &Part) -> Duration {
        super::retry::retry_after(&part.headers, self.endpoint.now()).unwrap_or_default()
    }

    async fn batch_once(
        &self,
        action: &'static str,
        steps: &[Step],
        effect: bool,
        budget: &Budget,
    ) -> Result<Vec<Part>, RemoteError> {
        const BOUNDARY: &str = "batch_portal_invite";
        let mut headers = headers();
        headers.insert(
            header::CONTENT_TYPE,
            value("multipart/mixed; boundary=\"batch_portal_invite\""),
        );
        headers.insert(
            HeaderName::from_static("prefer"),
            value("odata.continue-on-error"),
        );
        let call = Call {
            action,
            method: Method::POST,
            url: self.url("$batch"),
            headers,
            body: multipart::encode(BOUNDARY, self.root.path(), steps),
            effect,
            repeat: Repeat::Harmless,
            timeout: READ_TIMEOUT,
        };
        let reply = self.send(call, budget).await?;
        let parts = multipart::boundary(&reply.headers)
            .and_then(|boundary| multipart::decode(&boundary, &reply.body));
        match parts {
            _ if reply.status.is_client_error() => Err(self.endpoint.refused(action, &reply)),
            Ok(parts) if parts.len() == steps.len() => Ok(parts),
            Ok(_) => Err(self
                .endpoint
                .unreadable(action, "fewer answers than operations")),
            Err(error) => Err(self.endpoint.unreadable(action, error.to_string())),
        }
    }

    fn url(&self, path: &str) -> Url {
        // `Url::join` would read a colon in a path as a scheme; the root always ends with a slash.
        let address = format!("{}{path}", self.root);
        Url::parse(&address).unwrap_or_else(|_| self.root.clone())
    }

    fn json<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: &[u8],
    ) -> Result<T, RemoteError> {
        serde_json::from_slice(body)
            .map_err(|error| self.endpoint.unreadable(action, error.to_string()))
    }

    /// The rows a part answers with, and the link to the next page where there is one.
    fn page<T: DeserializeOwned>(
        &self,
        action: &'static str,
        part: &Part,
    ) -> Result<Page<T>, RemoteError> {
        if part.status.is_success() {
            return self.json(action, &part.body);
        }
        Err(self.part_error(action, part))
    }

    /// What a failed part means: throttled and broken parts are passing, the rest are refusals.
    fn part_error(&self, action: &'static str, part: &Part) -> RemoteError {
        let service = Service::Dataverse;
        match part.status {
            StatusCode::TOO_MANY_REQUESTS => RemoteError::Throttled {
                service,
                action,
                wait: self.wait_for(part).max(Duration::from_secs(1)),
            },
            status if is_passing(part) => RemoteError::Unclear {
                service,
                action,
                detail: format!("HTTP {}", status.as_u16()),
            },
            _ => RemoteError::Refused {
                service,
                action,
                refusal: refusal(part),
            },
        }
    }
}

/// A page of rows.
#[derive(Debug, serde::Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<Url>,
}

/// Whether the same operation may get another answer in a moment.
fn is_passing(part: &Part) -> bool {
    matches!(
        part.status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
    ) || part.status.is_server_error() && part.status != StatusCode::NOT_IMPLEMENTED
}

fn refusal(part: &Part) -> Refusal {
    endpoint::refusal(part.status.as_u16(), &part.body)
}

fn value(text: &'static str) -> HeaderValue {
    HeaderValue::from_static(text)
}

/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors>
fn headers() -> HeaderMap {
    HeaderMap::from_iter([
        (header::ACCEPT, value("application/json")),
        (HeaderName::from_static("odata-maxversion"), value("4.0")),
        (HeaderName::from_static("odata-version"), value("4.0")),
        (header::IF_NONE_MATCH, value("null")),
    ])
}
