//! Owns counting invitations that are not as they should be, without reading more of them than that takes.
//!
//! Codes are compared by a hash that is taken while an answer is read: no list of codes is ever in memory.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/count-rows>

use std::collections::HashMap;

use http::header::HeaderName;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Dataverse;
use super::invitations::past_expiry;
use super::multipart::{Operation, Part, Step};
use super::odata::{Filter, Query, Value};
use crate::domain::ids::InvitationId;
use crate::domain::invitation::{STATE_ACTIVE, SweepScope, TYPE_SINGLE};
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// Codes compared at most: ten pages.
const MOST_CODES: usize = 50_000;

/// Dataverse counts no further.
const MOST_COUNTED: u64 = 5_000;

/// A number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub rows: u64,
    /// Whether there may be more.
    pub at_least: bool,
}

/// How many invitations are not as they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Single ones that can be redeemed without end.
    pub unlimited: Count,
    /// Open ones that expired before the moment asked about.
    pub overdue: Count,
}

/// Active invitations that share a code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedCodes {
    /// Invitations that share a code with another one, code by code.
    pub groups: Vec<Vec<InvitationId>>,
    /// How many codes were compared.
    pub compared: usize,
    /// Whether there are more.
    pub more: bool,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(rename = "@odata.count")]
    count: u64,
}

#[derive(Deserialize)]
struct CodeRow {
    adx_invitationid: Uuid,
    #[serde(rename = "adx_invitationcode", deserialize_with = "hashed")]
    hash: Option<[u8; 32]>,
}

const READ: &str = "count invitations";

impl Dataverse {
    /// Counts invitations that are not as they should be, as of `now`; overdue are those that expired before `before`.
    pub async fn figures(
        &self,
        now: Timestamp,
        (before, scope): (Timestamp, SweepScope),
        budget: &Budget,
    ) -> Result<Figures, RemoteError> {
        let steps = [unlimited(now), past_expiry(before, scope)].map(|filter| counting(&filter));
        let parts = self.batch(READ, &steps, false, budget).await?;
        let [unlimited, overdue] = parts.as_slice() else {
            return Err(self
                .endpoint
                .unreadable(READ, "fewer answers than questions"));
        };
        Ok(Figures {
            unlimited: self.count(unlimited)?,
            overdue: self.count(overdue)?,
        })
    }

    fn count(&self, part: &Part) -> Result<Count, RemoteError> {
        if !part.status.is_success() {
            return Err(self.part_error(READ, part));
        }
        let counted: Counted = self.json(READ, &part.body)?;
        Ok(Count {
            rows: counted.count,
            at_least: counted.count >= MOST_COUNTED,
        })
    }

    /// Compares the codes of active invitations. The portal finds none of those that share one, and reads codes
    /// without case, as the database does.
    /// <https://github.com/Adoxio/xRM-Portals-Community-Edition>
    pub async fn shared_codes(&self, budget: &Budget) -> Result<SharedCodes, RemoteError> {
        const ACTION: &str = "compare the codes of invitations";
        let with_code = Filter::equals("statecode", i64::from(STATE_ACTIVE))
            .and(Filter::differs("adx_invitationcode", Value::Null));
        let query = Query::over("adx_invitations")
            .select(&["adx_invitationcode"])
            .filter(&with_code);
        let mut next = Some(self.url(&query.to_path()));
        let mut holders: HashMap<[u8; 32], Vec<InvitationId>> = HashMap::new();
        let mut compared = 0;
        while let Some(link) = next.take_if(|_| compared < MOST_CODES) {
            let page = self
                .get::<super::Page<CodeRow>>(ACTION, link, budget)
                .await?;
            let page = page.ok_or_else(|| self.endpoint.unreadable(ACTION, "the table is gone"))?;
            compared += page.value.len();
            for row in page.value {
                let holder = InvitationId::new(row.adx_invitationid);
                holders
                    .entry(row.hash.unwrap_or_default())
                    .or_default()
                    .push(holder);
            }
            next = page.next;
        }
        let groups = holders.into_values().filter(|holders| holders.len() > 1);
        Ok(SharedCodes {
            groups: groups.collect(),
            compared,
            more: next.is_some(),
        })
    }
}

/// Active, for one person, not expired, and without a last redemption.
fn unlimited(now: Timestamp) -> Filter {
    let endless = Filter::any([
        Filter::equals("adx_maximumredemptions", Value::Null),
        Filter::equals("adx_maximumredemptions", 0),
    ]);
    let open = Filter::any([
        Filter::equals("adx_expirydate", Value::Null),
        Filter::at_least("adx_expirydate", now),
    ]);
    Filter::equals("statecode", i64::from(STATE_ACTIVE))
        .and(Filter::equals("adx_type", i64::from(TYPE_SINGLE)))
        .and(endless)
        .and(open)
}

/// One row, and the number of all.
fn counting(filter: &Filter) -> Step {
    let query = Query::over("adx_invitations")
        .select(&["adx_invitationid"])
        .filter(filter)
        .option("$count", "true".to_owned());
    let one_row = "odata.maxpagesize=1".to_owned();
    Step::Single(Operation {
        condition: Some((HeaderName::from_static("prefer"), one_row)),
        ..Operation::get(query.to_path())
    })
}

/// Reads a code as nothing but its hash.
fn hashed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[u8; 32]>, D::Error> {
    let code = Option::<String>::deserialize(deserializer)?;
    Ok(code.map(|code| Sha256::digest(code.trim().to_lowercase()).into()))
}
