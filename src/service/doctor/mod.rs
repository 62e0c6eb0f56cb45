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

mod answers;
mod invitations;
mod privileges;
mod registration;
mod senders;
mod store;
mod tables;

/// All checks end by this: the HTTP function has 100 seconds.
const TIME: Duration = Duration::from_secs(80);

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// All is well.
    Pass,
    /// The service works, and someone may be surprised.
    Warn,
    /// The service cannot do its work.
    Fail,
    /// It could not be looked at; what was seen says why.
    NotChecked,
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
    /// The checks, area by area.
    pub checks: Vec<Check>,
}

impl Service {
    /// Looks at the whole installation; changes nothing.
    pub async fn diagnose(&self) -> Diagnosis {
        let parts = &*self.0;
        let budget = Budget::within(&parts.clock, TIME);
        let groups: Vec<BoxFuture<'_, Vec<Check>>> = vec![
            Box::pin(tables::checks(parts, &budget)),
            Box::pin(privileges::checks(parts, &budget)),
            Box::pin(registration::checks(parts, &budget)),
            Box::pin(senders::checks(parts, &budget)),
            Box::pin(invitations::checks(parts, &budget)),
            Box::pin(store::checks(parts, &budget)),
        ];
        let checks = join_all(groups).await.concat();
        Diagnosis {
            ok: checks.iter().all(|check| check.status != Status::Fail),
            checked_on: parts.clock.now(),
            checks,
        }
    }
}
