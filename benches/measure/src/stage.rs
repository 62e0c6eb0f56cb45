//! A stage: the sandbox's services in this process, and beside them the program that is measured.

use std::fs;
use std::path::PathBuf;

use anyhow::ensure;
use sandbox::{Addresses, Latency, Options, Sandbox, Service};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::program::{Launch, Program};

/// Far above what any chapter needs: limits of the services are lifted where our own cost is measured.
const NO_LIMIT: usize = 100_000_000;

/// The most letters a minute that `MAIL_RATE_PER_MINUTE` allows a sender.
const HIGHEST_RATE: usize = 1_000;

/// Letters a sender on average: contacts are not spread so evenly that none had more than [`HIGHEST_RATE`] with that many.
const LETTERS_A_SENDER: usize = 800;

/// What is measured, and what it needs.
#[derive(Clone, Debug)]
pub(crate) struct Subjects {
    /// The handler's executable.
    pub(crate) handler: PathBuf,
    /// The folder that it runs in, with host.json and the letter templates.
    pub(crate) app: PathBuf,
    /// The flow's work as a program.
    pub(crate) flow: PathBuf,
    /// The library that counts allocations.
    pub(crate) counter: Option<PathBuf>,
    /// What is deployed, packed.
    pub(crate) package: Option<PathBuf>,
}

/// What a stage is set with.
#[derive(Clone, Debug)]
pub(crate) struct Setup<'a> {
    pub(crate) subjects: &'a Subjects,
    pub(crate) latency: Latency,
    pub(crate) senders: usize,
    /// Whether the limits of Dataverse and of mailboxes hold.
    pub(crate) limits: bool,
    pub(crate) inline_seconds: u32,
    pub(crate) core: Option<usize>,
    pub(crate) environment: Vec<(String, String)>,
}

/// Services and a program; dropping it ends both.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) program: Program,
    /// Journals; only the handler has any.
    store: TempDir,
}

/// What went to the services since the last count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Requests {
    pub(crate) dataverse: usize,
    pub(crate) graph: usize,
    /// Bodies in both directions.
    pub(crate) bytes: usize,
}

impl<'a> Setup<'a> {
    /// No latency, no limits, and so many senders that none has to wait for a minute's end.
    pub(crate) fn unlimited(subjects: &'a Subjects, contacts: usize) -> Self {
        Self {
            subjects,
            latency: Latency::None,
            senders: contacts.div_ceil(LETTERS_A_SENDER).max(1),
            limits: false,
            inline_seconds: 90,
            core: None,
            environment: Vec::new(),
        }
    }

    /// Starts the services and the handler.
    pub(crate) async fn ours(&self) -> anyhow::Result<Stage> {
        let (sandbox, at) = self.services().await?;
        let store = tempfile::tempdir()?;
        let rate = if self.limits { 30 } else { HIGHEST_RATE };
        let mut launch = self.launch(vec![self.subjects.handler.clone()], &sandbox, &at);
        launch
            .environment
            .extend(settings(&store, rate, self.inline_seconds));
        launch.environment.extend(self.environment.iter().cloned());
        let program = Program::start(&launch).await?;
        Ok(Stage {
            sandbox,
            program,
            store,
        })
    }

    /// Starts the services and the flow's work.
    pub(crate) async fn flow(&self) -> anyhow::Result<Stage> {
        let (sandbox, at) = self.services().await?;
        let command = vec![PathBuf::from("node"), self.subjects.flow.clone()];
        let program = Program::start(&self.launch(command, &sandbox, &at)).await?;
        Ok(Stage {
            sandbox,
            program,
            store: tempfile::tempdir()?,
        })
    }

    fn launch(&self, command: Vec<PathBuf>, sandbox: &Sandbox, at: &Addresses) -> Launch {
        Launch {
            command,
            folder: self.subjects.app.clone(),
            environment: at.handler_environment(sandbox),
            core: self.core,
        }
    }

    async fn services(&self) -> anyhow::Result<(Sandbox, Addresses)> {
        let senders = (0..self.senders).map(|n| format!("sender{n}@contoso.example"));
        let sandbox = Sandbox::new(Options {
            latency: self.latency,
            senders: senders.collect(),
            ..Options::default()
        });
        if !self.limits {
            sandbox.dataverse.configure(|settings| {
                settings.requests_per_window = NO_LIMIT;
                settings.execution_per_window = std::time::Duration::MAX;
            });
            sandbox.graph.configure(|rules| {
                rules.requests_per_window = NO_LIMIT;
                rules.letters_per_minute = NO_LIMIT;
                rules.daily_recipients = NO_LIMIT;
            });
        }
        let at = sandbox.listen().await?;
        Ok((sandbox, at))
    }
}

fn settings(store: &TempDir, rate: usize, inline_seconds: u32) -> Vec<(String, String)> {
    let settings = [
        ("BATCH_STORE", store.path().display().to_string()),
        ("MAIL_RATE_PER_MINUTE", rate.to_string()),
        ("INLINE_SECONDS", inline_seconds.to_string()),
        ("ALLOW_LINKS", "true".to_owned()),
        ("PORTAL_TIME_ZONE", "Europe/Copenhagen".to_owned()),
        ("BRAND_NAME", "Contoso".to_owned()),
    ];
    settings
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

impl Stage {
    /// Adds contacts with addresses.
    pub(crate) fn contacts(&self, count: usize) -> Vec<Uuid> {
        let contact = |place: usize| {
            json!({
                "firstname": format!("Person{place}"), "lastname": "Tester",
                "emailaddress1": format!("person{place}@customer.example"),
            })
        };
        let insert = |place| self.sandbox.dataverse.insert("contacts", &contact(place));
        (0..count).map(insert).collect()
    }

    /// Adds invitations that were sent to somebody and expire then.
    pub(crate) fn invitations(&self, count: usize, expires: &str) {
        for place in 0..count {
            let row = json!({
                "adx_name": format!("Person{place} Tester"), "adx_type": 756_150_000,
                "adx_invitationcode": Uuid::from_u128(place as u128).to_string(),
                "adx_expirydate": expires, "adx_maximumredemptions": 1,
                "statecode": 0, "statuscode": 756_150_000,
            });
            self.sandbox.dataverse.insert("adx_invitations", &row);
        }
    }

    /// What the services were asked since the last call.
    pub(crate) fn requests(&self) -> Requests {
        let mut requests = Requests::default();
        for entry in self.sandbox.traffic.entries() {
            match entry.service {
                Service::Dataverse => requests.dataverse += 1,
                Service::Graph => requests.graph += 1,
                _ => continue,
            }
            requests.bytes += entry.request_bytes + entry.answer_bytes;
        }
        self.sandbox.traffic.clear();
        requests
    }

    /// Has the handler invite contacts, with everything that a process reads once already read; gives the answer's status.
    pub(crate) async fn invite(&self, body: &Value) -> anyhow::Result<u16> {
        Ok(self.program.post("/api/invitations", body).await?.status)
    }

    /// Plans for nobody: tokens are fetched and the names of tables are read.
    pub(crate) async fn warm(&self) -> anyhow::Result<()> {
        let nobody = json!({"filter": "firstname eq 'Nobody'", "dryRun": true});
        self.invite(&nobody).await?;
        self.requests();
        Ok(())
    }

    /// Runs a timer's function, and gives its tally.
    pub(crate) async fn fire(&self, function: &str) -> anyhow::Result<Value> {
        let timer =
            json!({"Schedule": {"AdjustForDST": true}, "ScheduleStatus": null, "IsPastDue": false});
        let envelope = json!({"Data": {"timer": timer}, "Metadata": {}});
        let answer = self
            .program
            .post(&format!("/{function}"), &envelope)
            .await?;
        Ok(answer.body["tally"].clone())
    }

    /// Dispatches until no batch is open.
    pub(crate) async fn finish(&self) -> anyhow::Result<()> {
        for _ in 0..20 {
            if self.open_batches()? == 0 {
                return Ok(());
            }
            self.fire("function-dispatch").await?;
        }
        anyhow::bail!("work is left after twenty runs of the dispatcher");
    }

    /// Batches that are accepted and not ended.
    pub(crate) fn open_batches(&self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(self.store.path().join("open"))?.count())
    }

    /// Has the flow's work invite contacts, so many at once.
    pub(crate) async fn flow_invites(
        &self,
        contacts: &[Uuid],
        parallel: usize,
    ) -> anyhow::Result<()> {
        let body = json!({"contactIds": contacts, "parallel": parallel, "sendEmail": true});
        let answer = self.program.post("/invite", &body).await?.body;
        ensure!(
            answer["sent"] == contacts.len(),
            "the flow's work failed: {answer}"
        );
        Ok(())
    }
}
