//! The lease of one blob: who has it, until when, and which requests it lets through.
//!
//! States and outcomes follow the tables of
//! <https://learn.microsoft.com/rest/api/storageservices/lease-blob>; what they cannot tell is written there too:
//! an expired lease can be renewed as long as nobody wrote to the blob or leased it since.

use jiff::{SignedDuration, Timestamp};

use super::refusal::Refusal;

/// How long a lease may last that ends by itself, in seconds.
const DURATIONS: std::ops::RangeInclusive<i64> = 15..=60;

/// The lease of a blob.
#[derive(Clone, Debug, Default)]
pub(super) enum Lease {
    /// Nobody has it.
    #[default]
    Available,
    /// Someone has it until `ends`, or had it; `None` is for ever.
    Held {
        id: String,
        duration: Option<SignedDuration>,
        ends: Option<Timestamp>,
    },
    /// It was broken, and nobody else can have it before this moment.
    Broken { id: String, ends: Timestamp },
}

/// What is asked of a lease.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Acquire {
        id: String,
        duration: Option<SignedDuration>,
    },
    Renew(String),
    Release(String),
    Break(Option<SignedDuration>),
}

/// A duration as `x-ms-lease-duration` states it: 15 to 60 seconds, or -1 for ever.
pub(super) fn duration(seconds: i64) -> Result<Option<SignedDuration>, Refusal> {
    match seconds {
        -1 => Ok(None),
        seconds if DURATIONS.contains(&seconds) => Ok(Some(SignedDuration::from_secs(seconds))),
        _ => Err(Refusal::header("x-ms-lease-duration")),
    }
}

impl Lease {
    /// Does what is asked; gives the seconds that a broken lease goes on for.
    pub(super) fn act(&mut self, action: Action, now: Timestamp) -> Result<i64, Refusal> {
        match action {
            Action::Acquire { id, duration } => self.acquire(id, duration, now)?,
            Action::Renew(id) => self.renew(&id, now)?,
            Action::Release(id) => self.release(&id)?,
            Action::Break(period) => return self.end_early(period, now),
        }
        Ok(0)
    }

    fn acquire(
        &mut self,
        wanted: String,
        duration: Option<SignedDuration>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        match &*self {
            Self::Held { id, .. } if self.holds(now) && *id != wanted => {
                return Err(Refusal::conflict("LeaseAlreadyPresent"));
            }
            Self::Broken { id, ends } if *ends > now => {
                return Err(Refusal::conflict(if *id == wanted {
                    "LeaseIsBreakingAndCannotBeAcquired"
                } else {
                    "LeaseAlreadyPresent"
                }));
            }
            _ => {}
        }
        *self = Self::Held {
            id: wanted,
            duration,
            ends: duration.map(|duration| after(now, duration)),
        };
        Ok(())
    }

    fn renew(&mut self, wanted: &str, now: Timestamp) -> Result<(), Refusal> {
        match self {
            Self::Held { id, duration, ends } if id == wanted => {
                *ends = duration.map(|duration| after(now, duration));
                Ok(())
            }
            Self::Broken { id, .. } if id == wanted => {
                Err(Refusal::conflict("LeaseIsBrokenAndCannotBeRenewed"))
            }
            _ => Err(Refusal::conflict("LeaseIdMismatchWithLeaseOperation")),
        }
    }

    fn release(&mut self, wanted: &str) -> Result<(), Refusal> {
        match self {
            Self::Held { id, .. } | Self::Broken { id, .. } if id == wanted => {
                *self = Self::Available;
                Ok(())
            }
            _ => Err(Refusal::conflict("LeaseIdMismatchWithLeaseOperation")),
        }
    }

    fn end_early(
        &mut self,
        period: Option<SignedDuration>,
        now: Timestamp,
    ) -> Result<i64, Refusal> {
        let (id, left) = match self {
            Self::Available => return Err(Refusal::conflict("LeaseNotPresentWithLeaseOperation")),
            Self::Held { id, ends, .. } => (id.clone(), ends.map(|ends| ends.duration_since(now))),
            Self::Broken { id, ends } => (id.clone(), Some(ends.duration_since(now))),
        };
        let left = left.map(|left| left.max(SignedDuration::ZERO));
        let wait = match (period, left) {
            (Some(period), Some(left)) => period.min(left),
            (period, left) => period.or(left).unwrap_or_default(),
        };
        let ends = after(now, wait);
        *self = Self::Broken { id, ends };
        Ok(wait.as_secs())
    }

    /// Whether somebody has it now.
    fn holds(&self, now: Timestamp) -> bool {
        match self {
            Self::Available => false,
            Self::Held { ends, .. } => ends.is_none_or(|ends| ends > now),
            Self::Broken { ends, .. } => *ends > now,
        }
    }

    /// Whether a write that names this lease, or none, may go on.
    pub(super) fn admit_write(&self, named: Option<&str>, now: Timestamp) -> Result<(), Refusal> {
        let own = match self {
            Self::Held { id, .. } | Self::Broken { id, .. } => Some(id.as_str()),
            Self::Available => None,
        };
        match (named, self.holds(now)) {
            (None, false) => Ok(()),
            (None, true) => Err(Refusal::precondition("LeaseIdMissing")),
            (Some(named), true) if own == Some(named) => Ok(()),
            (Some(_), true) => Err(Refusal::precondition("LeaseIdMismatchWithBlobOperation")),
            (Some(named), false) if own == Some(named) => Err(Refusal::precondition("LeaseLost")),
            (Some(_), false) => Err(Refusal::precondition("LeaseNotPresentWithBlobOperation")),
        }
    }

    /// Notes a write: an expired lease cannot be renewed after one.
    pub(super) fn written(&mut self, now: Timestamp) {
        if !self.holds(now) {
            *self = Self::Available;
        }
    }

    /// `x-ms-lease-state` and `x-ms-lease-status`.
    pub(super) fn words(&self, now: Timestamp) -> (&'static str, &'static str) {
        match (self, self.holds(now)) {
            (Self::Available, _) => ("available", "unlocked"),
            (Self::Held { .. }, true) => ("leased", "locked"),
            (Self::Held { .. }, false) => ("expired", "unlocked"),
            (Self::Broken { .. }, true) => ("breaking", "locked"),
            (Self::Broken { .. }, false) => ("broken", "unlocked"),
        }
    }
}

fn after(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}
