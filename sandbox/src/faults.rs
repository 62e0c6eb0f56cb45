//! Scripted trouble: which requests meet it, how often, and what happens to them.
//!
//! A rule matches by service, method and path; [`Faults::take`] hands out what is due for one request
//! and counts down. What a fault does to a whole request is `wire`'s business, what it does to one
//! operation of a `$batch` is the service's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;

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

/// Which requests meet a [`Fault`], and how many of them.
#[derive(Clone, Debug)]
pub struct Rule {
    service: Service,
    method: Option<Method>,
    path_contains: Option<String>,
    within_batch: bool,
    skip: u32,
    times: u32,
    fault: Fault,
}

impl Rule {
    /// A rule for every whole request to `service`, without end.
    pub fn on(service: Service, fault: Fault) -> Self {
        Self {
            service,
            method: None,
            path_contains: None,
            within_batch: false,
            skip: 0,
            times: u32::MAX,
            fault,
        }
    }

    /// Matches this method only.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Matches only where the percent-decoded path and query contain this text.
    #[must_use]
    pub fn path(mut self, contains: &str) -> Self {
        self.path_contains = Some(contains.to_owned());
        self
    }

    /// Matches operations inside a `$batch` instead of whole requests.
    #[must_use]
    pub fn inside_batch(mut self) -> Self {
        self.within_batch = true;
        self
    }

    /// Lets the first `n` matching requests pass.
    #[must_use]
    pub fn skip(mut self, n: u32) -> Self {
        self.skip = n;
        self
    }

    /// Ends after `n` requests have met the fault.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.times = n;
        self
    }

    fn matches(&self, service: Service, method: &Method, path: &str, within_batch: bool) -> bool {
        self.service == service
            && self.within_batch == within_batch
            && self.method.as_ref().is_none_or(|own| own == method)
            && (self.path_contains.as_ref()).is_none_or(|part| path.contains(part.as_str()))
    }

    /// Counts one matching request, and tells whether the fault is due for it.
    fn count_down(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let due = self.times > 0;
        if due && self.times < u32::MAX {
            self.times -= 1;
        }
        due
    }
}

impl Fault {
    /// What kind of trouble it is, in words.
    fn kind(&self) -> &'static str {
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

#[derive(Debug, Default)]
struct Inner {
    rules: Vec<Rule>,
    fired: Fired,
}

/// A shared list of rules; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Inner>>);

impl Faults {
    /// Adds a rule after those already there.
    pub fn add(&self, rule: Rule) {
        self.0.lock().rules.push(rule);
    }

    /// Forgets every rule.
    pub fn clear(&self) {
        self.0.lock().rules.clear();
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
        let Inner { rules, fired } = &mut *self.0.lock();
        let due: Vec<Fault> = rules
            .iter_mut()
            .filter(|rule| rule.matches(service, method, &path, within_batch))
            .filter_map(|rule| rule.count_down().then(|| rule.fault.clone()))
            .collect();
        for fault in &due {
            *fired.entry((service, fault.kind())).or_default() += 1;
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
