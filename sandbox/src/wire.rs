//! The way to a service: faults, latency and the traffic log in front of its router.
//!
//! The same [`Wire`] serves callers in the process and sockets on loopback. Work that has begun goes on
//! when its caller hangs up, as it does at a real service, and each answer carries a `Date` of the
//! sandbox's clock. It knows nothing of what the services do.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use parking_lot::Mutex;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;
use tower::ServiceExt;

use crate::clock::Clock;
use crate::faults::{Fault, Faults, Service};
use crate::latency::{Model, pass};
use crate::traffic::{Described, Entry, Operations, Traffic};

/// The connection broke: the caller gets no answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection broke")]
pub struct Dropped;

/// A service with faults, latency and the traffic log in front of it; clones share all of them.
#[derive(Clone)]
pub struct Wire {
    service: Service,
    router: Router,
    faults: Faults,
    traffic: Traffic,
    clock: Clock,
    model: Option<Model>,
    chance: Arc<Mutex<fastrand::Rng>>,
}

impl Wire {
    pub(crate) fn new(
        service: Service,
        router: Router,
        faults: Faults,
        traffic: Traffic,
        clock: Clock,
    ) -> Self {
        Self {
            service,
            // Each service states its own limit on bodies.
            router: router.layer(DefaultBodyLimit::disable()),
            faults,
            traffic,
            clock,
            model: None,
            chance: Arc::new(Mutex::new(fastrand::Rng::with_seed(0))),
        }
    }

    pub(crate) fn with_latency(
        mut self,
        model: Option<Model>,
        chance: Arc<Mutex<fastrand::Rng>>,
    ) -> Self {
        self.model = model;
        self.chance = chance;
        self
    }

    /// Carries one request to the service and its answer back.
    ///
    /// The work goes on when the caller drops this future.
    ///
    /// # Panics
    /// Where the service does.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Dropped> {
        let wire = self.clone();
        match tokio::spawn(async move { wire.carry(request).await }).await {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => Err(Dropped),
        }
    }

    /// Serves the connections of `listener` until the task is aborted, which breaks them.
    pub fn serve(self, listener: TcpListener) -> JoinHandle<()> {
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => drop(connections.spawn(self.clone().converse(stream))),
                        Err(error) => {
                            tracing::error!(%error, "a connection was not accepted");
                            sleep(Duration::from_millis(50)).await;
                        }
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        })
    }

    async fn converse(self, stream: TcpStream) {
        let answer = service_fn(|request: Request<Incoming>| {
            let wire = self.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
                let answer = wire.call(Request::from_parts(head, body)).await?;
                Ok::<_, Dropped>(answer.map(Full::new))
            }
        });
        // An error is a fault that broke the connection, or a peer that went away.
        let served = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
        if let Err(error) = served.await {
            tracing::debug!(%error, "a connection ended");
        }
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Dropped> {
        let path = (request.uri().path_and_query()).map_or("/", |path| path.as_str());
        let faults = (self.faults).take(self.service, request.method(), path, false);
        let mut entry = Entry {
            number: self.traffic.arrive(),
            at: self.clock.now(),
            took: Duration::ZERO,
            service: self.service,
            method: request.method().clone(),
            path: path.to_owned(),
            request_bytes: request.body().len(),
            answer_bytes: 0,
            status: None,
            faults: faults.iter().map(Fault::kind).collect(),
            operations: 0,
            described: Described::default(),
        };
        let mut operations = Operations::default();
        let outcome = self.pass(faults, request, &mut operations).await;
        if let Ok(answer) = &outcome {
            entry.status = Some(answer.status().as_u16());
            entry.answer_bytes = answer.body().len();
        }
        let took = self.clock.now().duration_since(entry.at);
        entry.took = took.try_into().unwrap_or_default();
        self.traffic.record(entry, &operations);
        outcome
    }

    async fn pass(
        &self,
        faults: Vec<Fault>,
        request: Request<Bytes>,
        operations: &mut Operations,
    ) -> Result<Response<Bytes>, Dropped> {
        let mut instead = None;
        for fault in faults {
            match fault {
                Fault::Delay(time) => sleep(time).await,
                Fault::Call(callback) => callback(),
                Fault::DropBefore => return Err(Dropped),
                Fault::DropAfter => instead = Some(Err(Dropped)),
                Fault::Answer {
                    status,
                    retry_after_seconds,
                    code,
                    effect,
                } => {
                    let scripted = scripted(status, retry_after_seconds, &code, SCRIPTED);
                    let answer = self.dated(scripted);
                    if !effect {
                        return Ok(answer);
                    }
                    instead = Some(Ok(answer));
                }
                Fault::Quote { status } => {
                    let body = String::from_utf8_lossy(request.body());
                    let text = format!("Cannot process {} with {body}", request.uri());
                    return Ok(self.dated(scripted(status, None, "Quoted", &text)));
                }
            }
        }
        pass(self.way()).await;
        let mut answer = self.ask(request).await?;
        *operations = answer.extensions_mut().remove().unwrap_or_default();
        instead.unwrap_or(Ok(answer))
    }

    /// How long this request is on its way there and back.
    fn way(&self) -> Duration {
        let draw = |model: Model| model.draw(self.service, &mut self.chance.lock());
        self.model.map_or(Duration::ZERO, draw)
    }

    async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Dropped> {
        let answer = self.router.clone().oneshot(request.map(Body::from)).await;
        let (head, body) = answer
            .unwrap_or_else(|never: Infallible| match never {})
            .into_parts();
        let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
        Ok(self.dated(Response::from_parts(head, body)))
    }

    fn dated(&self, mut answer: Response<Bytes>) -> Response<Bytes> {
        answer
            .headers_mut()
            .entry(DATE)
            .or_insert_with(|| http_date(self.clock.now()));
        answer
    }
}

/// A moment as the `Date` header writes it.
pub(crate) fn http_date(moment: Timestamp) -> HeaderValue {
    let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&moment);
    text.ok()
        .and_then(|text| HeaderValue::try_from(text).ok())
        .unwrap_or_else(|| HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

/// What the message of a scripted answer is, where nothing else is said.
const SCRIPTED: &str = "Scripted by the sandbox.";

/// The answer that a scripted fault gives.
fn scripted(
    status: u16,
    retry_after_seconds: Option<u64>,
    code: &str,
    message: &str,
) -> Response<Bytes> {
    let body = json!({"error": {"code": code, "message": message}});
    let mut answer = Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = retry_after_seconds {
        (answer.headers_mut()).insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

#[cfg(test)]
mod tests;
