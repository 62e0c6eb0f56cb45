//! A stage without sockets: the real service in this process, against the sandbox, under paused time.
//!
//! Hours pass in milliseconds here, on one thread, so that a run can be repeated exactly. Processes share nothing
//! but the sandbox's services, the batch store among them; each can freeze, wake up and die.

mod ceiling;
mod chaos;
mod diary;
mod frozen;
mod given;
mod late;
mod life;
mod pace;
mod process;
mod rows;
mod stories;
mod sweeps;
mod templates;

use std::time::Duration;

use jiff::SignedDuration;
use portal_invite::clock::Clock;
use portal_invite::domain::ids::ContactId;
use portal_invite::domain::outcome::OutcomeKind;
use portal_invite::service::Service;
use portal_invite::service::report::BatchReport;
use sandbox::{Options, Sandbox};

use diary::Diary;
use given::{START, contacts, request};
use process::{Deployment, Process};

/// A sandbox and the service, both on simulated time.
pub(crate) struct Simulation {
    pub(crate) sandbox: Sandbox,
    pub(crate) service: Service,
    clock: Clock,
}

impl Simulation {
    pub(crate) fn start(senders: &[&str]) -> Self {
        Self::set(senders, Vec::new())
    }

    /// With settings beside the necessary ones.
    fn set(senders: &[&str], settings: Vec<(&'static str, String)>) -> Self {
        Self::upon(sandbox(senders, 7), senders, settings)
    }

    /// The service before a sandbox of its own.
    fn upon(sandbox: Sandbox, senders: &[&str], settings: Vec<(&'static str, String)>) -> Self {
        let diary = Diary::new(&sandbox.clock, false);
        let mut deployment = Deployment::new(&sandbox, &diary, senders, 7);
        deployment.settings = settings;
        let Process { service, clock, .. } = deployment.process("the process", 1, Vec::new());
        Self {
            sandbox,
            service,
            clock,
        }
    }

    fn contacts(&self, count: usize) -> Vec<ContactId> {
        contacts(&self.sandbox, count)
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

fn sandbox(senders: &[&str], seed: u64) -> Sandbox {
    Sandbox::new(Options {
        seed,
        clock: sandbox::Clock::starting_at(START.parse().unwrap()),
        senders: senders.iter().map(|sender| (*sender).to_owned()).collect(),
        ..Options::default()
    })
}
