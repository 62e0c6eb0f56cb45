//! The whole sandbox: the services with one clock, one list of faults and one traffic log.
//!
//! Here alone the services meet: who checks whose tokens, how time moves for all, which addresses the
//! handler is told. What a service does is its own module's business.

use std::io;
use std::sync::Arc;

use axum::Router;
use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use url::Url;

use crate::clock::Clock;
use crate::dataverse::Dataverse;
use crate::faults::{Faults, Service};
use crate::graph::Graph;
use crate::identity::{self, Identity};
use crate::latency::{Latency, Model};
use crate::portal::Portal;
use crate::storage::Storage;
use crate::traffic::Traffic;
use crate::wire::Wire;

/// What a sandbox is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// Every draw of chance follows from it.
    pub seed: u64,
    /// The date and time of all services.
    pub clock: Clock,
    /// How long requests take.
    pub latency: Latency,
    /// Addresses of the mailboxes that exist.
    pub senders: Vec<String>,
    /// Client id of the user-assigned identity; `None` gives a system-assigned one.
    pub identity_client_id: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            clock: Clock::system(),
            latency: Latency::None,
            senders: vec!["invitations@contoso.example".to_owned()],
            identity_client_id: None,
        }
    }
}

/// The services and what they share; clones are handles to the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    /// The Dataverse environment.
    pub dataverse: Dataverse,
    /// Microsoft Graph and its mailboxes.
    pub graph: Graph,
    /// The managed identity endpoint.
    pub identity: Identity,
    /// The Power Pages site.
    pub portal: Portal,
    /// The Blob Storage account.
    pub storage: Storage,
    /// Trouble, for every service.
    pub faults: Faults,
    /// What went over the wires.
    pub traffic: Traffic,
    /// The date and time of all services.
    pub clock: Clock,
    senders: Vec<String>,
    model: Option<Model>,
    chance: Arc<Mutex<fastrand::Rng>>,
    aged: Arc<Mutex<SignedDuration>>,
}

impl Sandbox {
    /// A sandbox with a site, empty mailboxes and no contacts.
    pub fn new(options: Options) -> Self {
        let Options { seed, clock, .. } = options;
        let faults = Faults::default();
        let dataverse = Dataverse::new(clock.clone(), seed, faults.clone());
        dataverse.install_portal();
        let graph = Graph::new(clock.clone(), seed, &options.senders, faults.clone());
        let model = options.latency.stated();
        if let Some(model) = model {
            graph.take_time(model.graph, model.spread);
            dataverse.configure(|settings| settings.times = model.dataverse);
        }
        Self {
            identity: Identity::new(clock.clone(), seed, options.identity_client_id),
            portal: Portal::new(dataverse.clone(), clock.clone()),
            storage: Storage::new(clock.clone()),
            dataverse,
            graph,
            faults,
            traffic: Traffic::default(),
            clock,
            senders: options.senders,
            model,
            chance: Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))),
            aged: Arc::default(),
        }
    }

    /// The way to one service for callers in this process, with faults, latency and log.
    ///
    /// Every bearer token passes until [`Sandbox::listen`] was called.
    pub fn wire(&self, service: Service) -> Wire {
        let wire = Wire::new(
            service,
            self.router(service),
            self.faults.clone(),
            self.traffic.clone(),
            self.clock.clone(),
        );
        wire.with_latency(self.model, Arc::clone(&self.chance))
    }

    /// Serves the services on free loopback ports, until the runtime ends.
    ///
    /// From now on Dataverse and Graph accept only live tokens of the identity endpoint, for their own
    /// address; Storage accepts those for `https://storage.azure.com`.
    pub async fn listen(&self) -> io::Result<Addresses> {
        let addresses = Addresses {
            dataverse: self.bind(Service::Dataverse).await?,
            graph: self.bind(Service::Graph).await?,
            identity: self.bind(Service::Identity).await?,
            portal: self.bind(Service::Portal).await?,
            storage: self.bind(Service::Storage).await?,
        };
        let check = |url: &Url| self.identity.token_check(url.as_str());
        self.dataverse.set_token_check(check(&addresses.dataverse));
        self.graph.set_token_check(check(&addresses.graph));
        let granted = ["Mail.ReadWrite", "Mail.Send"];
        self.identity.grant(addresses.graph.as_str(), &granted);
        (self.storage).set_token_check(self.identity.token_check(identity::STORAGE));
        Ok(addresses)
    }

    /// From now on Dataverse gives each caller what its roles give. The handler's identity is no user there until an
    /// administrator makes it one, with [`Identity::administrator_token`].
    pub fn enforce_roles(&self) {
        let administrator = self.identity.administrator();
        self.dataverse.enforce_roles(administrator);
    }

    /// Makes every row, message and blob this much older: the way in which time moves for a handler
    /// that keeps its own clock.
    ///
    /// Tokens stay as they are, because the handler was told when they expire by its own clock.
    pub fn age(&self, by: SignedDuration) {
        {
            let mut aged = self.aged.lock();
            *aged = aged.saturating_add(by);
        }
        self.dataverse.age(by);
        self.graph.age(by);
        self.storage.age(by);
    }

    /// How much older everything was made so far.
    pub fn aged(&self) -> SignedDuration {
        *self.aged.lock()
    }

    fn router(&self, service: Service) -> Router {
        match service {
            Service::Dataverse => self.dataverse.router(),
            Service::Graph => self.graph.router(),
            Service::Identity => self.identity.router(),
            Service::Portal => self.portal.router(),
            Service::Storage => self.storage.router(),
        }
    }

    async fn bind(&self, service: Service) -> io::Result<Url> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        self.wire(service).serve(listener);
        Url::parse(&address).map_err(io::Error::other)
    }
}

/// Where the services listen.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Root of Dataverse.
    pub dataverse: Url,
    /// Root of Graph, without the version.
    pub graph: Url,
    /// Root of the identity endpoint's server.
    pub identity: Url,
    /// Root of the portal.
    pub portal: Url,
    /// Root of the storage account's blob service.
    pub storage: Url,
}

impl Addresses {
    /// The settings that make a handler work against `sandbox`, as names and values.
    pub fn handler_environment(&self, sandbox: &Sandbox) -> Vec<(String, String)> {
        let root = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        let mut variables = vec![
            ("DATAVERSE_URL", root(&self.dataverse)),
            ("GRAPH_URL", root(&self.graph)),
            ("PORTAL_URL", root(&self.portal)),
            ("MAIL_SENDERS", sandbox.senders.join(",")),
            ("IDENTITY_ENDPOINT", format!("{}msi/token", self.identity)),
            ("IDENTITY_HEADER", sandbox.identity.secret().to_owned()),
        ];
        if let Some(id) = sandbox.identity.user_assigned_client_id() {
            variables.push(("AZURE_CLIENT_ID", id.to_owned()));
        }
        let owned = variables.into_iter().map(|(n, v)| (n.to_owned(), v));
        owned.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::client::client;
    use serde_json::Value;

    const MESSAGES: &str = "v1.0/users/invitations@contoso.example/messages";

    async fn token(sandbox: &Sandbox, at: &Addresses, resource: &Url) -> String {
        let environment = at.handler_environment(sandbox);
        let variable = |name| &environment.iter().find(|(n, _)| n == name).unwrap().1;
        let mut url: Url = variable("IDENTITY_ENDPOINT").parse().unwrap();
        url.query_pairs_mut()
            .append_pair("api-version", "2019-08-01")
            .append_pair("resource", resource.as_str().trim_end_matches('/'));
        let request = client().unwrap().get(url);
        let request = request.header("X-IDENTITY-HEADER", variable("IDENTITY_HEADER"));
        let body = request.send().await.unwrap().bytes().await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    async fn status(url: &Url, path: &str, token: &str) -> u16 {
        let request = client().unwrap().get(url.join(path).unwrap());
        let answer = request.bearer_auth(token).send().await.unwrap();
        answer.status().as_u16()
    }

    #[tokio::test]
    async fn services_take_only_live_tokens_for_their_own_address() {
        let sandbox = Sandbox::new(Options::default());
        let at = sandbox.listen().await.unwrap();
        let graph = token(&sandbox, &at, &at.graph).await;
        let dataverse = token(&sandbox, &at, &at.dataverse).await;
        let whoami = "api/data/v9.2/WhoAmI";
        assert_eq!(status(&at.graph, MESSAGES, &graph).await, 200);
        assert_eq!(status(&at.dataverse, whoami, &dataverse).await, 200);
        assert_eq!(status(&at.graph, MESSAGES, &dataverse).await, 401);
        assert_eq!(status(&at.dataverse, whoami, &graph).await, 401);
        sandbox.identity.revoke_all();
        assert_eq!(status(&at.graph, MESSAGES, &graph).await, 401);
        assert_eq!(status(&at.dataverse, whoami, &dataverse).await, 401);
        assert_eq!(sandbox.traffic.count(Service::Graph), 3);
    }

    #[tokio::test]
    async fn the_handler_is_told_where_everything_is() {
        let sandbox = Sandbox::new(Options {
            identity_client_id: Some("me".to_owned()),
            ..Options::default()
        });
        let at = sandbox.listen().await.unwrap();
        let environment = at.handler_environment(&sandbox);
        let names: Vec<&str> = environment.iter().map(|(name, _)| name.as_str()).collect();
        let expected = "DATAVERSE_URL GRAPH_URL PORTAL_URL MAIL_SENDERS IDENTITY_ENDPOINT IDENTITY_HEADER AZURE_CLIENT_ID";
        assert_eq!(names.join(" "), expected);
        assert!(!environment[1].1.ends_with('/'));
        assert_eq!(environment[6].1, "me");
    }

    #[tokio::test(start_paused = true)]
    async fn realistic_latency_lets_requests_meet_in_dataverse() {
        let sandbox = Sandbox::new(Options {
            latency: Latency::Realistic,
            ..Options::default()
        });
        sandbox
            .dataverse
            .configure(|settings| settings.concurrent_requests = 2);
        let wire = sandbox.wire(Service::Dataverse);
        let call = || {
            let request = http::Request::get("/api/data/v9.2/WhoAmI");
            let request = request.header("authorization", "Bearer any");
            wire.call(request.body(bytes::Bytes::new()).unwrap())
        };
        let replies = futures::future::join_all((0..20).map(|_| call())).await;
        let statuses = replies.iter().map(|it| it.as_ref().unwrap().status());
        let refused = statuses.filter(|status| *status == 429).count();
        assert!((1..20).contains(&refused), "{refused}");
    }

    #[tokio::test(start_paused = true)]
    async fn realistic_latency_keeps_operations_in_flight() {
        let sandbox = Sandbox::new(Options {
            latency: Latency::Realistic,
            ..Options::default()
        });
        let started = sandbox.clock.now();
        let wire = sandbox.wire(Service::Graph);
        let call = || {
            let request = http::Request::get(format!("/{MESSAGES}"));
            let request = request.header("authorization", "Bearer any");
            wire.call(request.body(bytes::Bytes::new()).unwrap())
        };
        let replies = futures::future::join_all((0..4).map(|_| call())).await;
        assert!(
            replies
                .iter()
                .all(|reply| reply.as_ref().unwrap().status() == 200)
        );
        assert!(sandbox.graph.max_in_flight("invitations@contoso.example") > 1);
        let took = sandbox.clock.now().duration_since(started);
        assert!((100..10_000).contains(&took.as_millis()), "{took:?}");
    }
}
