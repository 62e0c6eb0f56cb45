//! One simulated process: the whole service over a transport of its own, with its own wall clock.
//!
//! Everything stays on one thread, so that a seed replays. The way out leads to the sandbox's services by host
//! name; tokens come from a stand-in for the machine's identity endpoint that any service believes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use portal_invite::app::{Ambient, App};
use portal_invite::chance::Chance;
use portal_invite::clock::Clock;
use portal_invite::config::{Config, Environment};
use portal_invite::domain::ids::WebRoleId;
use portal_invite::letter::Letters;
use portal_invite::remote::http::{Broken, InProcess, Transport};
use portal_invite::service::Service;
use sandbox::{Sandbox, Service as Remote, Wire};

use super::diary::Diary;
use super::given::{AGES_FROM_NOW, identity};
use super::life::{Fate, Life};

/// The container that the handler keeps its journals in.
pub(super) const CONTAINER: &str = "portal-invite";

/// A web role that callers may give.
pub(super) const WEB_ROLE: WebRoleId =
    WebRoleId::new(uuid::uuid!("cccccccc-0000-4000-8000-000000000001"));

/// What the processes of a deployment have in common.
#[derive(Clone)]
pub(super) struct Deployment {
    pub(super) sandbox: Sandbox,
    pub(super) diary: Diary,
    pub(super) senders: Vec<String>,
    /// Settings beside the necessary ones.
    pub(super) settings: Vec<(&'static str, String)>,
    pub(super) seed: u64,
    /// Who leased each journal last.
    holders: Arc<Mutex<BTreeMap<String, Arc<str>>>>,
}

/// A process.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) service: Service,
    pub(super) clock: Clock,
    pub(super) life: Life,
}

impl Deployment {
    pub(super) fn new(sandbox: &Sandbox, diary: &Diary, senders: &[&str], seed: u64) -> Self {
        Self {
            sandbox: sandbox.clone(),
            diary: diary.clone(),
            senders: senders.iter().map(|sender| (*sender).to_owned()).collect(),
            settings: Vec::new(),
            seed,
            holders: Arc::default(),
        }
    }

    /// Starts a process, which will meet its fates.
    pub(super) fn process(&self, name: &str, number: u64, fates: Vec<Fate>) -> Process {
        let life = Life::new(name, fates, &self.diary);
        let clock = Clock::starting_at(self.sandbox.clock.now());
        let ambient = Ambient {
            clock: clock.clone(),
            chance: Chance::seeded(self.seed.wrapping_mul(1_000) + number),
            transport: self.transport(&life),
        };
        let app = App::put_together(self.config(), ambient, identity(), letters());
        Process {
            service: app.unwrap().service().clone(),
            clock,
            life,
        }
    }

    fn config(&self) -> Config {
        let settings = [
            ("DATAVERSE_URL", "https://dataverse.test".to_owned()),
            ("GRAPH_URL", "https://graph.test".to_owned()),
            ("PORTAL_URL", "https://portal.test".to_owned()),
            ("MAIL_SENDERS", self.senders.join(",")),
            (
                "AzureWebJobsStorage__blobServiceUri",
                "https://storage.test/".to_owned(),
            ),
            ("ALLOW_LINKS", "true".to_owned()),
            ("ALLOWED_WEB_ROLES", WEB_ROLE.to_string()),
        ];
        let settings = settings.into_iter().chain(self.settings.iter().cloned());
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        Config::from_environment(&Environment::Given(settings.collect())).unwrap()
    }

    fn transport(&self, life: &Life) -> Transport {
        let wires = [Remote::Dataverse, Remote::Graph, Remote::Storage];
        let wires = wires.map(|service| self.sandbox.wire(service));
        let (deployment, life) = (self.clone(), life.clone());
        let transport: InProcess = Arc::new(move |request| {
            let [dataverse, graph, storage] = &wires;
            let wire = match request.uri().host() {
                Some("dataverse.test") => dataverse.clone(),
                Some("graph.test") => graph.clone(),
                Some("storage.test") => storage.clone(),
                // What the storage client asks on a virtual machine.
                _ => return Box::pin(async { Ok(storage_token()) }),
            };
            let (deployment, life) = (deployment.clone(), life.clone());
            Box::pin(async move { deployment.exchange(&life, &wire, request).await })
        });
        Transport::InProcess(transport)
    }

    async fn exchange(
        &self,
        life: &Life,
        wire: &Wire,
        mut request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Broken> {
        // Links to the next page lead to the address that was asked.
        let host = request.uri().host().unwrap().parse().unwrap();
        request.headers_mut().insert(http::header::HOST, host);
        let path = request.uri().path_and_query().unwrap().as_str().to_owned();
        *request.uri_mut() = path.parse().unwrap();
        let action = request.headers().get("x-ms-lease-action").cloned();
        let answer = life.carry(wire.call(request)).await;
        let answer = answer.map_err(|_| Broken::Lost("the connection broke".to_owned()))?;
        if answer.status() == 201 && action.is_some() {
            self.note_holder(path, life);
        }
        Ok(answer)
    }

    fn note_holder(&self, journal: String, life: &Life) {
        let mut holders = self.holders.lock().unwrap();
        let before = holders.insert(journal, Arc::clone(&life.name));
        if before.is_some_and(|before| before != life.name) {
            self.diary.count("takeovers", 1);
        }
    }
}

/// Compiled once: every process would make the same of the same files.
fn letters() -> Letters {
    static LETTERS: LazyLock<Letters> = LazyLock::new(|| {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        Letters::load(&templates).unwrap()
    });
    LETTERS.clone()
}

/// <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
fn storage_token() -> http::Response<Bytes> {
    let body = serde_json::json!({
        "access_token": "any",
        "expires_on": AGES_FROM_NOW.to_string(),
        "resource": "https://storage.azure.com",
        "token_type": "Bearer",
    });
    http::Response::new(Bytes::from(body.to_string()))
}
