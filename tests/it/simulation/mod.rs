//! A stage without sockets: the real service in this process, against the sandbox, under paused time.
//!
//! Hours pass in milliseconds here. A process that dies is a service whose task is aborted: its journal's lock goes
//! with it, as the operating system would take it.

mod chaos;
mod frozen;
mod pace;
mod stories;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use jiff::SignedDuration;
use portal_invite::app::{Ambient, App};
use portal_invite::chance::Chance;
use portal_invite::clock::Clock;
use portal_invite::config::{Config, Environment};
use portal_invite::domain::ids::ContactId;
use portal_invite::domain::outcome::OutcomeKind;
use portal_invite::remote::http::{Broken, InProcess, Transport};
use portal_invite::remote::identity::Identity;
use portal_invite::service::Service;
use portal_invite::service::invite::{ExpiryChoice, InviteRequest, Source, WhenPending};
use portal_invite::service::report::BatchReport;
use sandbox::{Options, Sandbox, Service as Remote};
use serde_json::json;
use tempfile::TempDir;

const START: &str = "2026-11-22T12:00:00Z";

/// A sandbox and the service, both on simulated time.
struct Simulation {
    sandbox: Sandbox,
    service: Service,
    clock: Clock,
    store: TempDir,
}

#[derive(Debug)]
struct AnyToken(Clock);

#[async_trait::async_trait]
impl TokenCredential for AnyToken {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let seconds = self.0.now().as_second() + 3_600;
        let expires = azure_core::time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        Ok(AccessToken::new("any", expires))
    }
}

fn in_process(sandbox: &Sandbox) -> Transport {
    let dataverse = sandbox.wire(Remote::Dataverse);
    let graph = sandbox.wire(Remote::Graph);
    let transport: InProcess = Arc::new(move |mut request| {
        let to_graph = request.uri().host() == Some("graph.test");
        let wire = if to_graph {
            graph.clone()
        } else {
            dataverse.clone()
        };
        let path = request.uri().path_and_query().unwrap().as_str().parse();
        *request.uri_mut() = path.unwrap();
        Box::pin(async move {
            let answer = wire.call(request).await;
            answer.map_err(|_| Broken::Lost("the connection broke".to_owned()))
        })
    });
    Transport::InProcess(transport)
}

impl Simulation {
    fn start(senders: &[&str]) -> Self {
        Self::seeded(senders, 7)
    }

    fn seeded(senders: &[&str], seed: u64) -> Self {
        let start = START.parse().unwrap();
        let sandbox = Sandbox::new(Options {
            seed,
            clock: sandbox::Clock::starting_at(start),
            senders: senders.iter().map(|sender| (*sender).to_owned()).collect(),
            ..Options::default()
        });
        let clock = Clock::starting_at(start);
        let store = tempfile::tempdir().unwrap();
        let service = process(&sandbox, &clock, store.path(), senders, seed);
        Self {
            sandbox,
            service,
            clock,
            store,
        }
    }

    fn contacts(&self, count: usize) -> Vec<ContactId> {
        let insert = |place: usize| {
            let email = format!("person{place}@customer.example");
            let row = json!({"firstname": "Person", "lastname": place.to_string(), "emailaddress1": email});
            ContactId::new(self.sandbox.dataverse.insert("contacts", &row))
        };
        (0..count).map(insert).collect()
    }

    async fn invite(&self, contacts: Vec<ContactId>) -> BatchReport {
        self.service.invite(request(contacts), None).await.unwrap()
    }

    /// Fires the dispatcher each minute until the batch is settled; gives the minutes that took.
    async fn dispatch_each_minute(&self, report: &BatchReport, most_minutes: i64) -> i64 {
        let start = self.clock.now();
        let number = report.number.unwrap();
        for minute in 1..=most_minutes {
            let due = start + SignedDuration::from_mins(minute);
            let wait = Duration::try_from(due.duration_since(self.clock.now())).unwrap();
            tokio::time::sleep(wait).await;
            self.service.dispatch().await.unwrap();
            if self.service.batch(number).await.unwrap().finished {
                return minute;
            }
        }
        panic!("work is left after {most_minutes} minutes");
    }

    async fn outcomes(&self, report: &BatchReport) -> Vec<OutcomeKind> {
        let report = self.service.batch(report.number.unwrap()).await.unwrap();
        assert!(report.finished);
        report.results.iter().map(|entry| entry.outcome).collect()
    }
}

fn request(contacts: Vec<ContactId>) -> InviteRequest {
    InviteRequest {
        source: Source::Listed(contacts),
        expiry: ExpiryChoice::Default,
        when_pending: WhenPending::Keep,
        bound: portal_invite::domain::batch::Bound::default(),
        web_roles: Vec::new(),
        language: None,
        template: None,
        subject: None,
        message: None,
        return_path: None,
        send_email: true,
        include_registered: false,
        requested_by: None,
        dry_run: false,
    }
}

/// One process of the service: several may share a sandbox and a store.
fn process(sandbox: &Sandbox, clock: &Clock, store: &Path, senders: &[&str], seed: u64) -> Service {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let settings = [
        ("DATAVERSE_URL", "https://dataverse.test".to_owned()),
        ("GRAPH_URL", "https://graph.test".to_owned()),
        ("PORTAL_URL", "https://portal.test".to_owned()),
        ("MAIL_SENDERS", senders.join(",")),
        ("BATCH_STORE", store.to_str().unwrap().to_owned()),
        ("TEMPLATE_DIR", templates.to_str().unwrap().to_owned()),
    ];
    let settings = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    let config = Config::from_environment(&Environment::Given(settings.collect())).unwrap();
    let ambient = Ambient {
        clock: clock.clone(),
        chance: Chance::seeded(seed),
        transport: in_process(sandbox),
    };
    let tokens = clock.clone();
    let identity = Identity::new(Box::new(move || Ok(Arc::new(AnyToken(tokens.clone()))))).unwrap();
    let app = App::signed_in(config, ambient, Arc::new(identity)).unwrap();
    app.service().clone()
}
