//! What goes wrong between the processes and the services, and what befalls the processes.

use std::time::Duration;

use rand::RngExt;
use sandbox::{Fault, Rule, Service};

use super::super::life::{Blow, Fate};
use super::run::Run;

impl Run {
    /// Lays out the trouble of an episode.
    pub(super) fn lay_trouble(&mut self) {
        for _ in 0..self.random.random_range(0..8) {
            let service = self.any_service();
            let fault = self.fault(service);
            let mut rule = Rule::on(service, fault)
                .skip(self.random.random_range(0..15))
                .times(self.random.random_range(1..4));
            if service != Service::Storage && self.random.random_bool(0.4) {
                rule = rule.inside_batch();
            }
            self.sandbox().faults.add(rule);
        }
        for _ in 0..self.random.random_range(0..4) {
            let deed = self.meddling.deed(&mut self.random, &self.contacts);
            let service = self.any_service();
            let rule = Rule::on(service, deed).skip(self.random.random_range(0..20));
            self.sandbox().faults.add(rule.times(1));
        }
        if self.random.random_bool(0.05) {
            let most = self.random.random_range(1..5);
            let graph = &self.sandbox().graph;
            graph.configure(|rules| rules.daily_recipients = most);
            self.deployment
                .diary
                .count("mailboxes at their daily limit", 1);
        }
    }

    fn any_service(&mut self) -> Service {
        let all = [Service::Dataverse, Service::Graph, Service::Storage];
        all[self.random.random_range(0..all.len())]
    }

    fn fault(&mut self, service: Service) -> Fault {
        let answer = |status, retry_after_seconds, effect| Fault::Answer {
            status,
            retry_after_seconds,
            code: "Chaos".to_owned(),
            effect,
        };
        match self.random.random_range(0..8) {
            0 => Fault::DropBefore,
            1 | 2 => Fault::DropAfter,
            3 => Fault::Delay(Duration::from_secs(self.delay(service))),
            4 => answer(504, None, true),
            5 => answer(503, None, false),
            6 => answer(500, None, self.random.random_bool(0.5)),
            _ => answer(429, Some(self.random.random_range(1..90)), false),
        }
    }

    /// Seconds. A submitted letter that still looks like a draft would go out twice if an earlier request to send it
    /// came in later than a minute: nobody promises anything then, see [`Run::fates`].
    fn delay(&mut self, service: Service) -> u64 {
        let short = service == Service::Graph && self.slow_exchange;
        self.random.random_range(1..if short { 14 } else { 120 })
    }

    /// What befalls a process. Where Exchange takes its time, no process freezes with a request to send in its hands:
    /// such a request may arrive at any later moment, also while another one for the same draft is under way.
    pub(super) fn fates(&mut self) -> Vec<Fate> {
        let mut fates = Vec::new();
        for _ in 0..self.random.random_range(0..3) {
            let seconds = self.random.random_range(30..300);
            let before = self.random.random_bool(0.5);
            let blow = if self.random.random_bool(0.4) {
                Blow::Crash
            } else {
                Blow::Freeze(Duration::from_secs(seconds))
            };
            fates.push(Fate {
                request: self.random.random_range(0..60),
                before: before && !(self.slow_exchange && matches!(blow, Blow::Freeze(_))),
                blow,
            });
        }
        fates
    }
}
