//! Owns the doctor: what it looks at, how a check can end, and the diagnosis they add up to.
//!
//! It writes nothing. Each check stands alone: one that cannot be made says why, and the others go on. Only what the
//! service needs can fail; what may surprise people warns.

use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use jiff::Timestamp;
use serde::Serialize;

use super::Service;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

mod answers;
mod identity;
mod invitations;
mod mailboxes;
mod portal;
mod privileges;
mod registration;
mod senders;
mod settings;
mod store;
mod tables;

pub use identity::{Kind, Whose};

/// No call begins after this and none outlasts it: everything is told within 80 seconds, and the HTTP function has 100.
const TIME: Duration = Duration::from_secs(70);

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// All is well.
    Pass,
    /// It could not be looked at; what was seen says why.
    NotChecked,
    /// The service works, and someone may be surprised.
    Warn,
    /// The service cannot do its work.
    Fail,
}

/// One look at the installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A stable name: the area, a dot, and what is looked at, such as `portal.register`.
    pub id: &'static str,
    /// How it ended.
    pub status: Status,
    /// What was seen, free of secrets.
    pub seen: String,
    /// What to do about it; absent where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    /// All is well.
    pub fn pass(id: &'static str, seen: impl Into<String>) -> Self {
        Self {
            id,
            status: Status::Pass,
            seen: seen.into(),
            advice: None,
        }
    }

    /// The service works, and someone may be surprised.
    pub fn warn(id: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            status: Status::Warn,
            ..Self::pass(id, seen)
        }
    }

    /// The service cannot do its work.
    pub fn fail(id: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            status: Status::Fail,
            ..Self::warn(id, seen, advice)
        }
    }

    /// It could not be looked at.
    pub fn not_checked(
        id: &'static str,
        seen: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::NotChecked,
            ..Self::warn(id, seen, advice)
        }
    }
}

/// What the doctor found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// Whether no check failed.
    pub ok: bool,
    /// When it looked.
    pub checked_on: Timestamp,
    /// Whose identity it used, where a token says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Whose>,
    /// The checks, area by area.
    pub checks: Vec<Check>,
}

impl Diagnosis {
    /// What the checks add up to.
    pub fn of(checked_on: Timestamp, identity: Option<Whose>, checks: Vec<Check>) -> Self {
        Self {
            ok: checks.iter().all(|check| check.status != Status::Fail),
            checked_on,
            identity,
            checks,
        }
    }

    /// The same with this check in the place of the one with its id, and before all others.
    #[must_use]
    pub fn corrected(mut self, check: Check) -> Self {
        self.checks.retain(|other| other.id != check.id);
        self.checks.insert(0, check);
        Self::of(self.checked_on, self.identity, self.checks)
    }
}

impl Service {
    /// Looks at the whole installation; changes nothing.
    pub async fn diagnose(&self) -> Diagnosis {
        let parts = &*self.0;
        let budget = Budget::within(&parts.clock, TIME);
        let groups: Vec<BoxFuture<'_, Vec<Check>>> = vec![
            Box::pin(tables::checks(parts, &budget)),
            Box::pin(privileges::checks(parts, &budget)),
            Box::pin(portal::checks(parts, &budget)),
            Box::pin(registration::checks(parts, &budget)),
            Box::pin(mailboxes::checks(parts, &budget)),
            Box::pin(senders::checks(parts, &budget)),
            Box::pin(invitations::checks(parts, &budget)),
            Box::pin(store::checks(parts, &budget)),
        ];
        let (settings, (whose, identity), groups) = tokio::join!(
            Box::pin(settings::checks(parts, &budget)),
            Box::pin(identity::checks(parts, &budget)),
            join_all(groups),
        );
        let checks = [settings, identity, groups.concat()].concat();
        Diagnosis::of(parts.clock.now(), whose, checks)
    }
}

/// A check that a call came to nothing for.
fn unseen(id: &'static str, error: &RemoteError) -> Check {
    let advice = match error {
        RemoteError::Identity { service, .. } => {
            let advice = "See what the checks of the identity say.";
            return Check::not_checked(id, format!("There is no token for {service}."), advice);
        }
        RemoteError::Throttled { .. } | RemoteError::OutOfTime => "Try again in a few minutes.",
        _ => "Check that the service can be reached, and try again.",
    };
    Check::not_checked(id, format!("{error}."), advice)
}
