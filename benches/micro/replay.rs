//! A transport that asks the sandbox once for each request and gives the same answer to it ever after.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::Timestamp;
use portal_invite::chance::Chance;
use portal_invite::clock::Clock;
use portal_invite::remote::dataverse::Dataverse;
use portal_invite::remote::graph::Graph;
use portal_invite::remote::http::{Broken, InProcess, Transport};
use portal_invite::remote::identity::Identity;
use sandbox::{Options, Sandbox, Service};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::given::{START, identity};

/// A sandbox, the ways to its services, and a thread to go them on.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Clock,
    pub(crate) identity: Arc<Identity>,
    pub(crate) transport: Transport,
    pub(crate) runtime: Runtime,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let _within = runtime.enter();
        let sandbox = Sandbox::new(Options::default());
        Self {
            transport: replaying(&sandbox),
            sandbox,
            clock: Clock::starting_at(moment(START)),
            identity: identity(),
            runtime,
        }
    }

    pub(crate) fn dataverse(&self) -> Dataverse {
        let address = Url::parse("https://dataverse.test").unwrap();
        let sources = (self.clock.clone(), Chance::seeded(1));
        let identity = Arc::clone(&self.identity);
        Dataverse::new(&address, self.transport.clone(), identity, sources)
    }

    pub(crate) fn graph(&self) -> Graph {
        let address = Url::parse("https://graph.test").unwrap();
        let sources = (self.clock.clone(), Chance::seeded(2));
        let identity = Arc::clone(&self.identity);
        Graph::new(&address, self.transport.clone(), identity, sources)
    }
}

pub(crate) fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What was asked and what was answered.
type Tape = Arc<Mutex<HashMap<(String, Bytes), http::Response<Bytes>>>>;

fn replaying(sandbox: &Sandbox) -> Transport {
    let sandbox = sandbox.clone();
    let tape = Tape::default();
    let transport: InProcess = Arc::new(move |request| {
        let key = (request.uri().to_string(), request.body().clone());
        if let Some(answer) = tape.lock().unwrap().get(&key) {
            let answer = answer.clone();
            return Box::pin(async { Ok(answer) });
        }
        let (sandbox, tape) = (sandbox.clone(), Arc::clone(&tape));
        Box::pin(async move {
            let answer = ask(&sandbox, request).await?;
            tape.lock().unwrap().insert(key, answer.clone());
            Ok(answer)
        })
    });
    Transport::InProcess(transport)
}

async fn ask(
    sandbox: &Sandbox,
    mut request: http::Request<Bytes>,
) -> Result<http::Response<Bytes>, Broken> {
    let service = match request.uri().host() {
        Some("graph.test") => Service::Graph,
        _ => Service::Dataverse,
    };
    let path = request.uri().path_and_query().unwrap().as_str().to_owned();
    *request.uri_mut() = path.parse().unwrap();
    let answer = sandbox.wire(service).call(request).await;
    answer.map_err(|_| Broken::Lost("the connection broke".to_owned()))
}
