//! Which requests meet a fault: by service, method, path and place, after how many and how often.

use http::Method;

use super::{Fault, Listed, Service};

/// Which requests meet a [`Fault`], and how many of them.
#[derive(Clone, Debug)]
pub struct Rule {
    service: Service,
    method: Option<Method>,
    only_writes: bool,
    path_contains: Option<String>,
    reach: Reach,
    skip: u32,
    times: u32,
    fault: Fault,
    label: Option<String>,
    struck: u64,
}

/// What counts as a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Whole requests, a `$batch` being one of them.
    Whole,
    /// The operations of a `$batch`.
    Inside,
    /// Each operation, in a `$batch` or not; the `$batch` itself is none.
    Each,
}

impl Reach {
    fn includes(self, path: &str, within_batch: bool) -> bool {
        match self {
            Self::Whole => !within_batch,
            Self::Inside => within_batch,
            Self::Each => within_batch || !path.contains("/$batch"),
        }
    }
}

impl Rule {
    /// A rule for every whole request to `service`, without end.
    pub fn on(service: Service, fault: Fault) -> Self {
        Self {
            service,
            method: None,
            only_writes: false,
            path_contains: None,
            reach: Reach::Whole,
            skip: 0,
            times: u32::MAX,
            fault,
            label: None,
            struck: 0,
        }
    }

    /// Matches this method only.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Matches every method but GET and HEAD.
    #[must_use]
    pub fn writes(mut self) -> Self {
        self.only_writes = true;
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
        self.reach = Reach::Inside;
        self
    }

    /// Matches each operation, whether it comes alone or in a `$batch`.
    #[must_use]
    pub fn each_operation(mut self) -> Self {
        self.reach = Reach::Each;
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

    /// Gives the rule a name, under which [`listed`](super::Faults::listed) tells of it.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(super) fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The rule as it stands, where it has a name.
    pub(super) fn list(&self, id: u64) -> Option<Listed> {
        Some(Listed {
            id,
            label: self.label.clone()?,
            left: (self.times < u32::MAX).then_some(self.times),
            struck: self.struck,
        })
    }

    pub(super) fn matches(
        &self,
        service: Service,
        method: &Method,
        path: &str,
        within_batch: bool,
    ) -> bool {
        self.service == service
            && self.reach.includes(path, within_batch)
            && !(self.only_writes && method.is_safe())
            && self.method.as_ref().is_none_or(|own| own == method)
            && (self.path_contains.as_ref()).is_none_or(|part| path.contains(part.as_str()))
    }

    /// Counts one matching request, and tells whether the fault is due for it.
    pub(super) fn count_down(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let due = self.times > 0;
        if due && self.times < u32::MAX {
            self.times -= 1;
        }
        self.struck += u64::from(due);
        due
    }
}
