//! Scripted trouble: which requests meet it, how often, and what happens to them.
//!
//! A rule matches by service, method and path; [`Faults::take`] hands out what is due for one request
//! and counts down. What a fault does to a whole request is `wire`'s business, what it does to one
//! operation of a `$batch` is the service's.

mod rule;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;

pub use self::rule::Rule;

/// The services that the sandbox stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The Dataverse Web API.
    Dataverse,
    /// Microsoft Graph.
    Graph,
    /// The managed identity endpoint of App Service.
    Identity,
    /// The Power Pages site.
    Portal,
    /// Azure Blob Storage.
    Storage,
}

/// What happens to a request that a [`Rule`] matches.
#[derive(Clone)]
pub enum Fault {
    /// The request waits this long, then goes on.
    Delay(Duration),
    /// The connection breaks and nothing has happened.
    DropBefore,
    /// The work is done, then the connection breaks without an answer.
    DropAfter,
    /// The caller gets this answer instead of the service's own.
    Answer {
        /// HTTP status, 100 to 999.
        status: u16,
        /// Value of `Retry-After`, in seconds.
        retry_after_seconds: Option<u64>,
        /// `error.code` of the JSON body.
        code: String,
        /// Whether the work is done all the same.
        effect: bool,
    },
    /// Nothing is done, and the answer is an error whose text repeats the whole request, as careless
    /// services do: whoever passes such a text on passes on what was in the request.
    Quote {
        /// HTTP status, 100 to 999.
        status: u16,
    },
    /// Runs a callback before the request goes on, to change a row or kill a process.
    Call(Arc<dyn Fn() + Send + Sync>),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(time) => f.debug_tuple("Delay").field(time).finish(),
            Self::DropBefore => f.write_str("DropBefore"),
            Self::DropAfter => f.write_str("DropAfter"),
            Self::Answer { status, effect, .. } => {
                write!(f, "Answer({status}, effect: {effect})")
            }
            Self::Quote { status } => write!(f, "Quote({status})"),
            Self::Call(_) => f.write_str("Call"),
        }
    }
}

impl Fault {
    /// What kind of trouble it is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Delay(_) => "delay",
            Self::DropBefore => "drop before",
            Self::DropAfter => "drop after",
            Self::Answer { status: 429, .. } => "429",
            Self::Answer { effect: true, .. } => "answer after",
            Self::Answer { .. } => "answer before",
            Self::Quote { .. } => "quote",
            Self::Call(_) => "call",
        }
    }
}

/// How often each service met each kind of trouble.
pub type Fired = BTreeMap<(Service, &'static str), usize>;

/// A rule with a label, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// For [`Faults::remove`].
    pub id: u64,
    /// What it was called.
    pub label: String,
    /// How many more requests it is for; `None` where it has no end.
    pub left: Option<u32>,
    /// How many requests it struck.
    pub struck: u64,
}

#[derive(Debug, Default)]
struct Inner {
    /// By ids, which are never used again.
    rules: BTreeMap<u64, Rule>,
    fired: Fired,
    added: u64,
    changes: u64,
}

/// A shared list of rules; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Inner>>);

impl Faults {
    /// Adds a rule after those already there.
    pub fn add(&self, rule: Rule) {
        let inner = &mut *self.0.lock();
        inner.added += 1;
        inner.changes += 1;
        inner.rules.insert(inner.added, rule);
    }

    /// Forgets a rule; false when there is none of this id.
    pub fn remove(&self, id: u64) -> bool {
        let inner = &mut *self.0.lock();
        inner.changes += 1;
        inner.rules.remove(&id).is_some()
    }

    /// Forgets every rule.
    pub fn clear(&self) {
        let inner = &mut *self.0.lock();
        inner.changes += 1;
        inner.rules.clear();
    }

    /// The rules that have a label, oldest first, those that are used up too.
    pub fn listed(&self) -> Vec<Listed> {
        let inner = self.0.lock();
        let rules = inner.rules.iter();
        rules.filter_map(|(id, rule)| rule.list(*id)).collect()
    }

    /// A number that grows whenever a rule comes, goes or strikes.
    pub fn changes(&self) -> u64 {
        self.0.lock().changes
    }

    /// The faults due for this request, in the order of their rules; their counters go down.
    pub fn take(
        &self,
        service: Service,
        method: &Method,
        path_and_query: &str,
        within_batch: bool,
    ) -> Vec<Fault> {
        let path = percent_decode_str(path_and_query).decode_utf8_lossy();
        let inner = &mut *self.0.lock();
        let rules = inner.rules.values_mut();
        let due: Vec<Fault> = rules
            .filter(|rule| rule.matches(service, method, &path, within_batch))
            .filter_map(|rule| rule.count_down().then(|| rule.fault().clone()))
            .collect();
        for fault in &due {
            *inner.fired.entry((service, fault.kind())).or_default() += 1;
            inner.changes += 1;
        }
        due
    }

    /// How often each service met each kind of trouble so far.
    pub fn fired(&self) -> Fired {
        self.0.lock().fired.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(faults: &Faults, method: &Method, path: &str, within_batch: bool) -> usize {
        faults
            .take(Service::Graph, method, path, within_batch)
            .len()
    }

    #[test]
    fn a_rule_skips_then_strikes_then_ends() {
        let faults = Faults::default();
        faults.add(
            Rule::on(Service::Graph, Fault::DropAfter)
                .method(Method::POST)
                .path("a@b.c/send")
                .skip(1)
                .times(2),
        );
        let path = "/v1.0/users/a%40b.c/sendMail";
        assert_eq!(due(&faults, &Method::GET, path, false), 0);
        assert_eq!(due(&faults, &Method::POST, "/v1.0/other", false), 0);
        assert_eq!(due(&faults, &Method::POST, path, true), 0);
        let strikes: Vec<usize> = (0..4)
            .map(|_| due(&faults, &Method::POST, path, false))
            .collect();
        assert_eq!(strikes, [0, 1, 1, 0]);
        let fired = Fired::from([((Service::Graph, "drop after"), 2)]);
        assert_eq!(faults.fired(), fired);
    }

    #[test]
    fn each_write_is_met_once_wherever_it_is() {
        let faults = Faults::default();
        faults.add(
            Rule::on(Service::Graph, Fault::DropAfter)
                .writes()
                .each_operation(),
        );
        assert_eq!(due(&faults, &Method::POST, "/v1.0/$batch", false), 0);
        assert_eq!(due(&faults, &Method::POST, "/users/a/messages", true), 1);
        assert_eq!(due(&faults, &Method::GET, "/users/a/messages", true), 0);
        assert_eq!(due(&faults, &Method::POST, "/users/a/messages", false), 1);
    }

    #[test]
    fn labelled_rules_are_listed_until_they_are_removed() {
        let faults = Faults::default();
        faults.add(Rule::on(Service::Graph, Fault::DropBefore));
        let rule = Rule::on(Service::Graph, Fault::DropBefore).skip(1).times(2);
        faults.add(rule.label("Broken"));
        let before = faults.changes();
        for _ in 0..2 {
            due(&faults, &Method::GET, "/", false);
        }
        assert!(faults.changes() > before);
        let listed = Listed {
            id: 2,
            label: "Broken".to_owned(),
            left: Some(1),
            struck: 1,
        };
        assert_eq!(faults.listed(), [listed]);
        assert!(faults.remove(2) && !faults.remove(2));
        assert_eq!(faults.listed(), []);
        assert_eq!(due(&faults, &Method::GET, "/", false), 1);
    }

    #[test]
    fn rules_add_up_until_cleared() {
        let faults = Faults::default();
        faults.add(Rule::on(Service::Graph, Fault::DropBefore).inside_batch());
        faults.add(Rule::on(Service::Graph, Fault::Delay(Duration::ZERO)).inside_batch());
        faults.add(Rule::on(Service::Portal, Fault::DropBefore).inside_batch());
        assert_eq!(due(&faults, &Method::GET, "/", true), 2);
        faults.clear();
        assert_eq!(due(&faults, &Method::GET, "/", true), 0);
    }
}
