//! One run: a world drawn from the seed, some episodes of trouble with days between them, and the checks.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portal_invite::domain::ids::ContactId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sandbox::graph::{Rate, SecondSend};
use sandbox::{Sandbox, Service};
use serde_json::json;
use tracing::level_filters::LevelFilter;

use super::super::diary::{Diary, Totals};
use super::super::process::{CONTAINER, Deployment, Process, WEB_ROLE};
use super::meddlers::Meddling;
use super::progress::Seen;

const SENDERS: [&str; 3] = [
    "a@contoso.example",
    "b@contoso.example",
    "c@contoso.example",
];

/// What is left of a run that kept its promises.
pub(super) struct Told {
    pub(super) totals: Totals,
    /// A hash of every request: when, where to, and what was answered.
    pub(super) traffic: u64,
    pub(super) story: String,
}

/// A run.
pub(super) struct Run {
    pub(super) deployment: Deployment,
    pub(super) random: StdRng,
    pub(super) contacts: Vec<ContactId>,
    pub(super) meddling: Meddling,
    pub(super) seen: Seen,
    /// What the processes logged.
    pub(super) log: Log,
    /// Whether letters leave without a draft.
    pub(super) send_mode: bool,
    /// Whether an accepted letter looks like a draft for a while.
    pub(super) slow_exchange: bool,
    processes: u64,
}

impl Run {
    pub(super) async fn of(seed: u64, detailed: bool) -> Told {
        let mut run = Self::begin(seed, detailed);
        let sandbox = run.sandbox().clone();
        let _log = run.log.start();
        // A failing run is told as well, once its panic leaves here.
        let story = Story(detailed, run.deployment.diary.clone(), sandbox.clone());
        run.prepare();
        for episode in 0..run.episodes() {
            if episode > 0 {
                run.let_days_pass().await;
            }
            run.episode().await;
            run.settle().await;
            run.check().await;
        }
        run.redeem_all();
        let told = run.tell();
        story.leave_untold();
        told
    }

    fn begin(seed: u64, detailed: bool) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let senders = &SENDERS[..random.random_range(1..=3)];
        let sandbox = super::super::sandbox(senders, seed);
        let contacts = super::super::contacts(&sandbox, random.random_range(1..=10));
        let diary = Diary::new(&sandbox.clock, detailed);
        let mut deployment = Deployment::new(&sandbox, &diary, senders, seed);
        let send_mode = random.random_bool(0.15);
        if send_mode {
            deployment
                .settings
                .push(("MAIL_DELIVERY", "send".to_owned()));
        }
        let slow_exchange = random.random_bool(0.3);
        let remind = if random.random_bool(0.5) { "30" } else { "3" };
        let remind = ("REMIND_DAYS_BEFORE", remind.to_owned());
        deployment.settings.push(remind);
        if random.random_bool(0.4) {
            let at_once = ("RESEND_COOLDOWN_MINUTES", "0".to_owned());
            deployment.settings.push(at_once);
        }
        let run = Self {
            meddling: Meddling::new(&sandbox, &diary, &contacts),
            seen: Seen::default(),
            log: Log::default(),
            deployment,
            contacts,
            send_mode,
            slow_exchange,
            processes: 0,
            random,
        };
        run.furnish()
    }

    /// Draws what the services are like.
    fn furnish(mut self) -> Self {
        let sandbox = self.sandbox().clone();
        let overwrites = self.random.random_bool(0.1);
        sandbox.dataverse.overwrite_codes_at_create(overwrites);
        let keeps_etag = self.random.random_bool(0.2);
        sandbox
            .dataverse
            .configure(|settings| settings.equal_values_keep_etag = keeps_etag);
        let (bad_request, refuse) = (self.random.random_bool(0.5), self.random.random_bool(0.3));
        let delay = self.random.random_range(1..50);
        let slow = self.slow_exchange;
        sandbox.graph.configure(|rules| {
            if bad_request {
                rules.second_send = SecondSend::BadRequest;
            }
            if refuse {
                rules.rate = Rate::Refuse;
            }
            if slow {
                rules.sending_delay = jiff::SignedDuration::from_secs(delay);
            }
        });
        self
    }

    /// Somebody prepared invitations for some of the contacts by hand, half of them without limits.
    fn prepare(&mut self) {
        let sandbox = self.sandbox().clone();
        let role = json!({
            "powerpagecomponentid": WEB_ROLE, "name": "Customer", "powerpagecomponenttype": 11,
        });
        sandbox.dataverse.insert("powerpagecomponents", &role);
        for contact in self.contacts.clone() {
            if !self.random.random_bool(0.15) {
                continue;
            }
            let limited = self.random.random_bool(0.5);
            let row = json!({
                "adx_name": "By hand",
                "adx_type": 756_150_000,
                "adx_invitationcode": format!("prepared-{contact}"),
                "adx_expirydate": limited.then_some("2027-06-30T12:00:00Z"),
                "adx_maximumredemptions": limited.then_some(1),
                "_adx_invitecontact_value": contact.uuid(),
            });
            sandbox.dataverse.insert("adx_invitations", &row);
            self.deployment.diary.count("rows prepared by hand", 1);
        }
    }

    fn episodes(&mut self) -> u32 {
        match self.random.random_range(0..10) {
            0..6 => 1,
            6..9 => 2,
            _ => 3,
        }
    }

    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.deployment.sandbox
    }

    /// A process that nothing befalls.
    pub(super) fn another_process(&mut self, name: &str) -> Process {
        self.processes += 1;
        let name = format!("{name} {}", self.processes);
        self.deployment.process(&name, self.processes, Vec::new())
    }

    /// The number of the next process.
    pub(super) fn next_process(&mut self) -> u64 {
        self.processes += 1;
        self.processes
    }

    /// Once nothing breaks any more, everything accepted settles.
    async fn settle(&mut self) {
        let sandbox = self.sandbox().clone();
        sandbox.faults.clear();
        sandbox
            .graph
            .configure(|rules| rules.daily_recipients = 10_000);
        let process = self.another_process("healer");
        for minute in 0..45 {
            // Some mailboxes rest for an hour; looking each minute would take most of a run's time.
            let minutes = if minute < 15 { 1 } else { 10 };
            tokio::time::sleep(Duration::from_mins(minutes)).await;
            let tally = process.service.dispatch().await.unwrap();
            let note = || format!("minute {minute} of peace: {tally:?}");
            self.deployment.diary.note(note);
            if self.open_journals().is_empty() {
                // Letters may still queue at Exchange.
                tokio::time::sleep(Duration::from_mins(2)).await;
                return;
            }
        }
        panic!(
            "work is left after hours of peace: {:?}",
            self.open_journals()
        );
    }

    /// Days pass, invitations expire, the sweep closes them, people repair their addresses.
    async fn let_days_pass(&mut self) {
        let hours = self.random.random_range(1..24 * 20);
        tokio::time::sleep(Duration::from_hours(hours)).await;
        let process = self.another_process("sweeper");
        let tally = process.service.sweep().await.unwrap();
        self.deployment.diary.count("rows swept", tally.closed);
        process.service.remind().await.unwrap();
        self.meddling.repair(&self.contacts);
    }

    /// Journals with accepted work; one that was never planned is dropped after a day.
    fn open_journals(&self) -> Vec<String> {
        let journals = self.journals();
        let open = journals.into_iter().filter(|(name, text)| {
            name.starts_with("open/") && text.contains(r#""line":"planned""#)
        });
        open.map(|(_, text)| text).collect()
    }

    /// The journals as they lie in the store, by their names.
    pub(super) fn journals(&self) -> Vec<(String, String)> {
        let storage = &self.sandbox().storage;
        let names = storage.names(CONTAINER).into_iter();
        let journals = names.filter(|name| !name.starts_with("keys/"));
        let text = |name: String| {
            let bytes = storage.content(CONTAINER, &name).unwrap();
            (name, String::from_utf8(bytes).unwrap())
        };
        journals.map(text).collect()
    }

    fn tell(self) -> Told {
        let sandbox = self.sandbox();
        let diary = &self.deployment.diary;
        let mut hash = DefaultHasher::new();
        for entry in sandbox.traffic.entries() {
            let service = format!("{:?}", entry.service);
            let answered = (entry.status, entry.request_bytes);
            (
                entry.at.as_nanosecond(),
                service,
                entry.method,
                entry.path,
                answered,
            )
                .hash(&mut hash);
        }
        diary.count("seeds", 1);
        let letters = sandbox.graph.letters();
        let again = letters
            .iter()
            .flat_map(|letter| letter.extended_properties.values());
        let keys: Vec<_> = again.collect();
        for (what, kind) in [
            ("letters sent again", "/resend/"),
            ("reminders", "/remind/"),
        ] {
            let count = keys.iter().filter(|key| key.contains(kind)).count();
            diary.count(what, count);
        }
        diary.count("letters", letters.len());
        for (what, plan) in [
            ("rows replaced", "replace"),
            ("rows extended", "extend"),
            ("rows opened again", "reopen"),
        ] {
            let journals = self.journals();
            let planned = journals.iter().map(|(_, text)| planned(text, plan));
            diary.count(what, planned.sum());
        }
        for service in [Service::Dataverse, Service::Graph, Service::Storage] {
            let requests = sandbox.traffic.count(service);
            diary.count(&format!("requests: {service:?}"), requests);
        }
        for ((service, kind), times) in sandbox.faults.fired() {
            diary.count(&format!("fault: {service:?} {kind}"), times);
        }
        Told {
            totals: diary.totals(),
            traffic: hash.finish(),
            story: diary.tell(sandbox),
        }
    }
}

/// How many entries of a journal are planned so.
pub(super) fn planned(journal: &str, plan: &str) -> usize {
    journal.matches(&format!(r#""{plan}":{{"#)).count()
}

/// Tells a run that ends in a panic.
struct Story(bool, Diary, Sandbox);

impl Story {
    fn leave_untold(mut self) {
        self.0 = false;
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        if self.0 {
            super::say(&self.1.tell(&self.2));
        }
    }
}

/// What is logged on this thread.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(LevelFilter::DEBUG)
            .with_writer(move || log.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
