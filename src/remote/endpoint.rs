//! Owns the making of one remote call: token, budget, tries and the space between them.
//!
//! Every call states its action (for people), whether it has an effect (then the lease is asked before every try)
//! and whether it may be repeated. Nothing above this module retries or sleeps between tries.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use url::Url;

use super::budget::Budget;
use super::claims::Claims;
use super::error::{Refusal, RemoteError, Service, redact};
use super::gate::Gate;
use super::http::{Outgoing, Reply, Transport};
use super::identity::{Identity, Token};
use super::retry::{self, Repeat, Verdict};
use crate::chance::Chance;
use crate::clock::Clock;

/// Tries of one call, the first included; a longer outage is for the next timer tick.
pub const MOST_TRIES: u32 = 6;

/// One call.
#[derive(Debug)]
pub struct Call {
    /// What it does, as a verb phrase: "create invitations".
    pub action: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// Headers beside the token.
    pub headers: HeaderMap,
    /// Body; empty for none.
    pub body: Bytes,
    /// Whether it changes anything over there.
    pub effect: bool,
    /// Whether it may be repeated after an unclear try.
    pub repeat: Repeat,
    /// How long one try may take; capped under a lease.
    pub timeout: Duration,
}

/// A service and what it takes to call it.
#[derive(Debug)]
pub struct Endpoint {
    service: Service,
    scope: String,
    transport: Transport,
    identity: Arc<Identity>,
    clock: Clock,
    chance: Chance,
    gate: Gate,
}

impl Endpoint {
    /// An endpoint that lets `width` calls out at once.
    pub fn new(
        service: Service,
        scope: String,
        transport: Transport,
        identity: Arc<Identity>,
        (clock, chance): (Clock, Chance),
        width: usize,
    ) -> Self {
        Self {
            service,
            scope,
            transport,
            identity,
            clock,
            chance,
            gate: Gate::new(width),
        }
    }

    /// Lets `width` calls out at once from now on.
    pub fn set_width(&self, width: usize) {
        self.gate.set_width(width);
    }

    /// How many calls may be out at once.
    pub fn width(&self) -> usize {
        self.gate.width()
    }

    /// Makes the call. The answer's status is below 500 and not 401, 408 or 429; a 4xx is an answer.
    pub async fn call(&self, call: &Call, budget: &Budget) -> Result<Reply, RemoteError> {
        let _pass = self.gate.pass().await;
        let mut renewed = false;
        for tries in 1.. {
            self.wait_until_open(call.action, budget).await?;
            budget.permit(call.effect)?;
            let token = self.token(budget).await?;
            budget.permit(call.effect)?;
            let outgoing = authorized(call, &token)?;
            let timeout = budget.try_timeout(call.effect, call.timeout);
            let outcome = self.transport.exchange(outgoing, timeout).await;
            match retry::judge(outcome, self.clock.now()) {
                Verdict::Answer(reply) => return Ok(reply),
                Verdict::Unauthorized(reply) if renewed => {
                    return Err(self.refused(call.action, &reply));
                }
                Verdict::Unauthorized(_) => {
                    renewed = true;
                    self.identity
                        .renew(&token)
                        .map_err(|detail| self.no_token(detail))?;
                }
                Verdict::NotDone {
                    at_least,
                    detail,
                    reply,
                } => {
                    self.stay_out_for(at_least);
                    if let Some(error) =
                        self.give_up_waiting(call, tries, at_least, &detail, reply.as_ref())
                    {
                        return Err(error);
                    }
                    self.pause(call.action, tries, at_least, detail, budget)
                        .await?;
                }
                Verdict::Unclear { at_least, detail } => {
                    if call.repeat == Repeat::Never || tries >= MOST_TRIES {
                        return Err(self.unclear(call.action, detail));
                    }
                    let waited = self
                        .pause(call.action, tries, at_least, detail.clone(), budget)
                        .await;
                    // An earlier try may have had its effect, so giving up now leaves that open.
                    waited.map_err(|_| self.unclear(call.action, detail))?;
                }
            }
        }
        Err(RemoteError::OutOfTime)
    }

    /// Notes that the service asked to wait.
    ///
    /// Dataverse throttles a user, not a request: what goes on asking only makes the wait longer. Graph throttles a
    /// mailbox, and whoever works on that one knows.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>
    pub fn stay_out_for(&self, wait: Duration) {
        if self.service == Service::Dataverse {
            self.gate.close(self.clock.instant() + wait);
        }
    }

    async fn wait_until_open(
        &self,
        action: &'static str,
        budget: &Budget,
    ) -> Result<(), RemoteError> {
        let wait = self.gate.closed_for(self.clock.instant());
        if wait.is_zero() {
            return Ok(());
        }
        let service = self.service;
        budget.wait(wait).await.map_err(|_| RemoteError::Throttled {
            service,
            action,
            wait,
        })
    }

    /// Ends a call that was surely not done, once another try makes no sense.
    fn give_up_waiting(
        &self,
        call: &Call,
        tries: u32,
        at_least: Duration,
        detail: &str,
        reply: Option<&Reply>,
    ) -> Option<RemoteError> {
        let (service, action) = (self.service, call.action);
        // A day's quota does not come back within a call: let the caller see which 429 it is.
        if let Some(reply) = reply.filter(|reply| is_quota(reply)) {
            return Some(self.refused(action, reply));
        }
        let detail = detail.to_owned();
        (tries >= MOST_TRIES).then_some(match reply {
            Some(_) => RemoteError::Throttled {
                service,
                action,
                wait: at_least.max(Duration::from_secs(1)),
            },
            None => RemoteError::NotSent {
                service,
                action,
                detail,
            },
        })
    }

    /// Waits before the next try, not shorter than the service asked for.
    ///
    /// # Errors
    ///
    /// At once, where the time does not suffice.
    pub async fn pause(
        &self,
        action: &'static str,
        tries: u32,
        at_least: Duration,
        detail: String,
        budget: &Budget,
    ) -> Result<(), RemoteError> {
        let wait = at_least.max(retry::backoff(tries, self.chance.fraction()));
        tracing::warn!(
            service = %self.service,
            action,
            tries,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            detail,
            "a remote call did not work and is tried again"
        );
        let service = self.service;
        budget.wait(wait).await.map_err(|_| {
            if at_least.is_zero() {
                RemoteError::NotSent {
                    service,
                    action,
                    detail,
                }
            } else {
                RemoteError::Throttled {
                    service,
                    action,
                    wait,
                }
            }
        })
    }

    /// What the token for this service says about whoever it was issued to.
    pub async fn claims(&self, budget: &Budget) -> Result<Option<Claims>, RemoteError> {
        Ok(self.token(budget).await?.claims())
    }

    async fn token(&self, budget: &Budget) -> Result<Token, RemoteError> {
        let asked = tokio::time::timeout(budget.left(), self.identity.token(&self.scope)).await;
        asked
            .map_err(|_| RemoteError::OutOfTime)?
            .map_err(|detail| self.no_token(detail))
    }

    fn no_token(&self, detail: String) -> RemoteError {
        RemoteError::Identity {
            service: self.service,
            detail,
        }
    }

    fn unclear(&self, action: &'static str, detail: String) -> RemoteError {
        RemoteError::Unclear {
            service: self.service,
            action,
            detail,
        }
    }

    /// An answer that cannot be read.
    pub fn unreadable(&self, action: &'static str, detail: impl Into<String>) -> RemoteError {
        RemoteError::Unreadable {
            service: self.service,
            action,
            detail: detail.into(),
        }
    }

    /// A definite no, read from the service's error body.
    pub fn refused(&self, action: &'static str, reply: &Reply) -> RemoteError {
        RemoteError::Refused {
            service: self.service,
            action,
            refusal: refusal(reply.status.as_u16(), &reply.body),
        }
    }

    /// Wall time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Reads `{"error":{"code","message"}}`; anything else is a refusal without words.
pub fn refusal(status: u16, body: &[u8]) -> Refusal {
    #[derive(serde::Deserialize)]
    struct Body {
        error: Words,
    }
    #[derive(serde::Deserialize)]
    struct Words {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let words = serde_json::from_slice::<Body>(body)
        .ok()
        .map(|body| body.error);
    let (code, message) = words
        .map(|words| (words.code, words.message))
        .unwrap_or_default();
    Refusal {
        status,
        code: redact(&code),
        message: redact(&message),
    }
}

/// Exchange's daily limit comes as 429 like any throttling, and passes only with the day.
fn is_quota(reply: &Reply) -> bool {
    refusal(reply.status.as_u16(), &reply.body).code == "ErrorExceededMessageLimit"
}

fn authorized(call: &Call, token: &Token) -> Result<Outgoing, RemoteError> {
    let mut headers = call.headers.clone();
    let bearer = format!("Bearer {}", token.secret.expose_secret());
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| RemoteError::OutOfTime)?;
    bearer.set_sensitive(true);
    headers.insert(AUTHORIZATION, bearer);
    Ok(Outgoing {
        method: call.method.clone(),
        url: call.url.clone(),
        headers,
        body: call.body.clone(),
    })
}
