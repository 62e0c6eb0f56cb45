//! Seeded chaos: random faults, crashes and meddling, then peace; then the promises are checked.
//!
//! A failing seed is printed. `SIMULATION_SEEDS=from..to` runs others than the few that every test run does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use portal_invite::domain::ids::ContactId;
use portal_invite::service::Service;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sandbox::{Fault, Rule, Sandbox, Service as Remote};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Simulation, process, request};

const SENDERS: [&str; 2] = ["a@contoso.example", "b@contoso.example"];
const SENT: i64 = 756_150_000;
const REDEEMED: i64 = 756_150_001;

/// Seeds of an ordinary test run.
const FEW: Range<u64> = 0..150;

#[test]
fn promises_hold_whatever_breaks() {
    for seed in seeds() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let outcome = std::panic::catch_unwind(|| runtime.block_on(Chaos::run(seed)));
        assert!(
            outcome.is_ok(),
            "seed {seed} breaks a promise: SIMULATION_SEEDS={seed}..{}",
            seed + 1
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person chooses the seeds of a long run"
)]
fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("SIMULATION_SEEDS") else {
        return FEW;
    };
    let (from, to) = text
        .split_once("..")
        .expect("SIMULATION_SEEDS looks like 0..5000");
    from.parse().unwrap()..to.parse().unwrap()
}

struct Chaos {
    simulation: Simulation,
    random: StdRng,
    contacts: Vec<ContactId>,
    /// Rows that someone deleted: nobody promises anything about those.
    deleted: Arc<std::sync::Mutex<BTreeSet<Uuid>>>,
}

impl Chaos {
    async fn run(seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        let senders = &SENDERS[..random.random_range(1..=2)];
        let simulation = Simulation::seeded(senders, seed);
        let contacts = simulation.contacts(random.random_range(1..=12));
        let mut chaos = Self {
            simulation,
            random,
            contacts,
            deleted: Arc::default(),
        };
        chaos.break_things();
        chaos.live_through(senders, seed).await;
        chaos.simulation.sandbox.faults.clear();
        chaos.settle(senders, seed).await;
        chaos.check().await;
    }

    /// Lays out what will go wrong.
    fn break_things(&mut self) {
        let sandbox = self.simulation.sandbox.clone();
        sandbox
            .dataverse
            .overwrite_codes_at_create(self.random.random_bool(0.1));
        let keeps_etag = self.random.random_bool(0.2);
        sandbox
            .dataverse
            .configure(|settings| settings.equal_values_keep_etag = keeps_etag);
        let second = self.random.random_bool(0.5);
        sandbox.graph.configure(|rules| {
            if second {
                rules.second_send = sandbox::graph::SecondSend::BadRequest;
            }
        });
        for _ in 0..self.random.random_range(0..6) {
            let fault = self.fault();
            let service = if self.random.random_bool(0.5) {
                Remote::Graph
            } else {
                Remote::Dataverse
            };
            let mut rule = Rule::on(service, fault)
                .skip(self.random.random_range(0..8))
                .times(self.random.random_range(1..4));
            if self.random.random_bool(0.4) {
                rule = rule.inside_batch();
            }
            sandbox.faults.add(rule);
        }
        for _ in 0..self.random.random_range(0..3) {
            let meddler = self.meddler(&sandbox);
            let service = if self.random.random_bool(0.5) {
                Remote::Graph
            } else {
                Remote::Dataverse
            };
            sandbox.faults.add(
                Rule::on(service, meddler)
                    .skip(self.random.random_range(0..10))
                    .times(1),
            );
        }
    }

    fn fault(&mut self) -> Fault {
        let answer = |status, effect| Fault::Answer {
            status,
            retry_after_seconds: None,
            code: "Chaos".to_owned(),
            effect,
        };
        match self.random.random_range(0..8) {
            0 => Fault::DropBefore,
            1 | 2 => Fault::DropAfter,
            3 => Fault::Delay(Duration::from_secs(self.random.random_range(1..120))),
            4 => answer(504, true),
            5 => answer(503, false),
            6 => answer(500, self.random.random_bool(0.5)),
            _ => Fault::Answer {
                status: 429,
                retry_after_seconds: Some(self.random.random_range(1..90)),
                code: "Chaos".to_owned(),
                effect: false,
            },
        }
    }

    /// Someone who redeems, overwrites a code, closes or deletes a row at an unlucky moment.
    fn meddler(&mut self, sandbox: &Sandbox) -> Fault {
        let (dataverse, portal) = (sandbox.dataverse.clone(), sandbox.portal.clone());
        let contact = self.contacts[self.random.random_range(0..self.contacts.len())].uuid();
        let deed = self.random.random_range(0..4);
        let deleted = Arc::clone(&self.deleted);
        Fault::Call(Arc::new(move || {
            let Some(row) = dataverse.invitations_of(contact).pop() else {
                return;
            };
            let id: Uuid = row["adx_invitationid"].as_str().unwrap().parse().unwrap();
            match deed {
                0 => {
                    if let Some(code) = row["adx_invitationcode"].as_str() {
                        let _ =
                            portal.redeem(code, &contact.to_string(), "someone@customer.example");
                    }
                }
                1 => dataverse.change(
                    "adx_invitations",
                    id,
                    &json!({"adx_invitationcode": format!("overwritten-{id}")}),
                ),
                2 => dataverse.change(
                    "adx_invitations",
                    id,
                    &json!({"statecode": 1, "statuscode": 2}),
                ),
                _ => {
                    deleted.lock().unwrap().insert(contact);
                    dataverse.delete("adx_invitations", id);
                }
            }
        }))
    }

    /// Requests and dispatchers come, overlap, freeze and die.
    async fn live_through(&mut self, senders: &[&str], seed: u64) {
        let mut tasks = Vec::new();
        for process_number in 0..self.random.random_range(1..4_u64) {
            let service = self.another_process(senders, seed, process_number);
            let contacts = self.contacts.clone();
            let task = tokio::spawn(async move {
                let _ = service.invite(request(contacts), None).await;
            });
            tasks.push((task, self.random.random_bool(0.5)));
            self.sleep(20_000).await;
        }
        for process_number in 10..10 + self.random.random_range(0..4_u64) {
            let service = self.another_process(senders, seed, process_number);
            let task = tokio::spawn(async move {
                let _ = service.dispatch().await;
            });
            tasks.push((task, self.random.random_bool(0.5)));
            if self.random.random_bool(0.1) {
                self.simulation
                    .clock
                    .skew(self.random.random_range(-3_600..3_600));
            }
            self.sleep(90_000).await;
        }
        for (task, dies) in tasks {
            if dies {
                self.sleep(5_000).await;
                task.abort();
            }
            let _ = task.await;
        }
    }

    fn another_process(&self, senders: &[&str], seed: u64, number: u64) -> Service {
        let Simulation {
            sandbox,
            clock,
            store,
            ..
        } = &self.simulation;
        process(sandbox, clock, store.path(), senders, seed * 1_000 + number)
    }

    async fn sleep(&mut self, most_milliseconds: u64) {
        let milliseconds = self.random.random_range(0..most_milliseconds);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    /// Once nothing breaks any more, everything accepted settles.
    async fn settle(&mut self, senders: &[&str], seed: u64) {
        let service = self.another_process(senders, seed, 99);
        for _ in 0..180 {
            tokio::time::sleep(Duration::from_mins(1)).await;
            service.dispatch().await.unwrap();
            if self.open_journals() == 0 {
                return;
            }
        }
        panic!(
            "work is left after three hours of peace: {:?}",
            self.journals()
        );
    }

    /// Journals with accepted work; one that was never planned is dropped after a day.
    fn open_journals(&self) -> usize {
        let journals = self.journals();
        journals
            .iter()
            .filter(|(open, text)| *open && text.contains(r#""line":"planned""#))
            .count()
    }

    fn journals(&self) -> Vec<(bool, String)> {
        let read = |folder: &str| {
            let folder = self.simulation.store.path().join(folder);
            let files = std::fs::read_dir(folder).unwrap();
            files
                .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
                .collect::<Vec<_>>()
        };
        let open = read("open").into_iter().map(|text| (true, text));
        open.chain(read("done").into_iter().map(|text| (false, text)))
            .collect()
    }

    async fn check(&self) {
        let letters = self.letters_by_key();
        for (key, count) in &letters {
            assert_eq!(*count, 1, "one letter for the delivery key {key}");
        }
        let deleted = self.deleted.lock().unwrap().clone();
        for contact in self.contacts.iter().map(|contact| contact.uuid()) {
            if !deleted.contains(&contact) {
                self.check_contact(contact);
            }
        }
        self.check_journals().await;
    }

    fn letters_by_key(&self) -> BTreeMap<String, usize> {
        let mut letters = BTreeMap::new();
        for letter in self.simulation.sandbox.graph.letters() {
            let key = letter.extended_properties.values().next().unwrap().clone();
            *letters.entry(key).or_default() += 1;
        }
        letters
    }

    fn check_contact(&self, contact: Uuid) {
        let rows = self.simulation.sandbox.dataverse.invitations_of(contact);
        let open: Vec<&Value> = rows
            .iter()
            .filter(|row| row["statecode"] == 0 && row["statuscode"] != REDEEMED)
            .collect();
        assert!(open.len() <= 1, "at most one redeemable row: {open:?}");
        for row in &rows {
            if row["statuscode"] == SENT && row["statecode"] == 0 {
                self.check_marked(row);
            }
        }
    }

    /// A row that says Sent has a letter out, and that letter's code redeems it.
    fn check_marked(&self, row: &Value) {
        let id = row["adx_invitationid"].as_str().unwrap();
        let letters = self.simulation.sandbox.graph.letters();
        let mine = letters.iter().find(|letter| {
            letter
                .extended_properties
                .values()
                .any(|key| key.starts_with(id))
        });
        let letter = mine.unwrap_or_else(|| panic!("{id} says Sent and no letter was accepted"));
        let code = row["adx_invitationcode"].as_str().unwrap();
        let overwritten_later = code.starts_with("overwritten-");
        assert!(
            overwritten_later || letter.html.contains(code),
            "the mailed code is the stored one"
        );
    }

    async fn check_journals(&self) {
        let codes: Vec<String> = self.codes();
        for (_, text) in self.journals() {
            for code in &codes {
                assert!(!text.contains(code), "a code stands in a journal");
            }
            let first: Value = serde_json::from_str(text.lines().next().unwrap_or("{}")).unwrap();
            let Some(number) = first["terms"]["number"].as_i64() else {
                continue;
            };
            if !text.contains(r#""line":"planned""#) {
                continue;
            }
            let number = portal_invite::domain::ids::BatchNumber::try_from(number).unwrap();
            let report = self.simulation.service.batch(number).await.unwrap();
            assert!(report.finished);
            assert_eq!(report.counts.pending, 0);
            assert_eq!(report.counts.requested, self.contacts.len());
            assert_eq!(report.results.len(), self.contacts.len());
        }
    }

    fn codes(&self) -> Vec<String> {
        let rows = self.simulation.sandbox.dataverse.rows("adx_invitations");
        let codes = rows
            .iter()
            .filter_map(|row| row["adx_invitationcode"].as_str());
        codes
            .filter(|code| !code.starts_with("overwritten-"))
            .map(str::to_owned)
            .collect()
    }
}
