//! Owns accepting a request to invite: check, plan, journal, and work on it for as long as the caller waits.
//!
//! Everything is read and decided before anything is written. From the `planned` line on, the batch is accepted:
//! whatever dies, someone finishes it. A repeated request with the same Idempotency-Key finds its batch again.

mod accept;
mod check;
mod entries;
mod source;

pub(super) use accept::journal_plan;
use check::{check, missing, terms};
use entries::entries;
use source::contacts;

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

pub use super::plan::WhenPending;
use super::plan::{Planner, Rules};
use super::report::{BatchReport, result_entry};
use super::{Parts, Service};
use crate::domain::batch::{Bound, Entry, Plan, Terms};
use crate::domain::expiry::ValidDays;
use crate::domain::ids::{BatchNumber, ContactId, Urgency, WebRoleId};
use crate::domain::outcome::{Counts, Outcome, OutcomeKind};
use crate::domain::redeem_link::ReturnPath;
use crate::remote::budget::Budget;
use crate::remote::dataverse::sources::ContactQuery;
use crate::remote::error::RemoteError;
use crate::remote::journal::StoreError;

/// Contacts in one request.
pub const MOST_CONTACTS: usize = 20_000;

/// A request gives up planning after this, and leaves nothing behind.
pub(super) const PLANNING_TIME: Duration = Duration::from_secs(90);

/// Until when invitations are to be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryChoice {
    /// As the settings say.
    Default,
    /// Until the end of the day that is so many days ahead.
    Days(ValidDays),
    /// Until the end of a day.
    Until(Date),
}

/// Whom a request invites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// These, in the caller's order; duplicates included.
    Listed(Vec<ContactId>),
    /// Those that Dataverse finds.
    Query(ContactQuery),
}

/// A request to invite, as far as its form goes.
#[derive(Clone, Debug)]
pub struct InviteRequest {
    /// Whom.
    pub source: Source,
    /// Until when.
    pub expiry: ExpiryChoice,
    /// What to do about pending invitations.
    pub when_pending: WhenPending,
    /// Rows to bind; its web roles are found out from `web_roles`.
    pub bound: Bound,
    /// The web roles that whoever redeems gets.
    pub web_roles: Vec<WebRoleId>,
    /// The letter's language, where the request names one.
    pub language: Option<String>,
    /// The letter's template, where the request names one.
    pub template: Option<String>,
    /// A subject of its own.
    pub subject: Option<String>,
    /// A personal message.
    pub message: Option<String>,
    /// Where the site leads after redemption.
    pub return_path: Option<ReturnPath>,
    /// Whether letters are sent.
    pub send_email: bool,
    /// Whether registered contacts are invited too.
    pub include_registered: bool,
    /// Who asks.
    pub requested_by: Option<String>,
    /// Whether only to say what would be done.
    pub dry_run: bool,
}

/// The caller's word that two requests are the same.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// A hash of the key: callers put all sorts of things into keys.
    name: String,
    /// A hash of the body.
    body_hash: String,
}

impl IdempotencyKey {
    /// The key of a contact that is invited unasked, for the `attempt`th time; no caller's key has such a name.
    pub(super) fn of_contact(contact: ContactId, attempt: u32) -> Self {
        Self {
            name: format!("contact-{contact}-{attempt}"),
            body_hash: String::new(),
        }
    }

    /// What it is kept under.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A key and the body it came with.
    pub fn new(key: &str, body: &[u8]) -> Self {
        Self {
            name: hex(&Sha256::digest(key.as_bytes())),
            body_hash: hex(&Sha256::digest(body)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A field of the request that cannot be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// Which field.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// Why a request was not accepted. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// The request makes no sense as it is.
    #[error("the request is not valid")]
    Invalid(Vec<FieldError>),
    /// A setting forbids it.
    #[error("{field} is not allowed; it takes the app setting {setting}")]
    NotAllowed {
        /// Which field.
        field: &'static str,
        /// Which setting would allow it.
        setting: &'static str,
    },
    /// Dataverse, or what is allowed to be asked of it, forbids the query for contacts.
    #[error("{} {}", .0.field, .0.message)]
    SourceRejected(FieldError),
    /// More contacts than [`MOST_CONTACTS`].
    #[error("the request names too many contacts")]
    TooManyContacts,
    /// The key was used for another body.
    #[error("the Idempotency-Key was used for another request")]
    KeyReused,
    /// There was no time to plan it.
    #[error("the request could not be planned in time")]
    Busy,
    /// A remote service could not be asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The journal could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A plan, ready to be journalled.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) terms: Terms,
    pub(super) entries: Vec<Entry>,
    /// How long after a letter no other one follows; `None` where an Idempotency-Key tells requests apart.
    pub(super) cooldown: Option<Duration>,
    /// By when it must be journalled: nobody waits for it any longer.
    pub(super) budget: Budget,
}

/// What a request does once its plan is accepted.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// How long it waits for a twin, or works.
    time: Budget,
    /// Whether it works on the batch; otherwise the dispatcher does all of it.
    works: bool,
}

impl Patience {
    /// That of a caller who waits for the answer.
    pub(super) fn of_caller(parts: &Parts) -> Self {
        Self {
            time: Budget::within(&parts.clock, parts.policy.inline_time),
            works: true,
        }
    }
}

impl Service {
    /// Invites, and says how far that is once all is settled or the caller has waited long enough.
    pub async fn invite(
        &self,
        request: InviteRequest,
        key: Option<IdempotencyKey>,
    ) -> Result<BatchReport, InviteError> {
        let patience = Patience::of_caller(&self.0);
        if let Some(key) = key.as_ref().filter(|_| !request.dry_run)
            && let Some(report) = Box::pin(self.repeated(key, &patience)).await?
        {
            return Ok(report);
        }
        let budget = Budget::within(&self.0.clock, PLANNING_TIME);
        let expires = check(&self.0, &request, &budget).await?;
        let number = BatchNumber::from_random(self.0.chance.number(), Urgency::Request);
        let cooldown = key.is_none().then_some(self.0.policy.cooldown);
        let planned = self
            .plan(&request, expires, number, cooldown, budget)
            .await?;
        if request.dry_run {
            return Ok(dry_run(planned));
        }
        Box::pin(self.accept(planned, key, &patience)).await
    }

    /// Accepts a request for one contact and leaves the work to the dispatcher; gives the batch, or how the entry ends
    /// where there is nothing to do. Then nothing was written.
    pub(super) async fn accept_for_later(
        &self,
        request: &InviteRequest,
        key: IdempotencyKey,
        budget: Budget,
    ) -> Result<Result<BatchNumber, Outcome>, InviteError> {
        let expires = check(&self.0, request, &budget).await?;
        let number = BatchNumber::from_random(self.0.chance.number(), Urgency::Rule);
        let planned = self
            .plan(request, expires, number, None, budget.clone())
            .await?;
        if let [
            Entry {
                plan: Plan::Settled(outcome),
                ..
            },
        ] = planned.entries.as_slice()
        {
            return Ok(Err(outcome.clone()));
        }
        let patience = Patience {
            time: budget,
            works: false,
        };
        let report = Box::pin(self.accept(planned, Some(key), &patience)).await?;
        Ok(Ok(report.number.unwrap_or(number)))
    }

    /// Reads and decides; writes nothing.
    async fn plan(
        &self,
        request: &InviteRequest,
        expires: Timestamp,
        number: BatchNumber,
        cooldown: Option<Duration>,
        budget: Budget,
    ) -> Result<Planned, InviteError> {
        let parts = &*self.0;
        let (website, roles) = (parts.policy.site.website(), &request.web_roles);
        let rows = parts
            .dataverse
            .bound_rows(&request.bound, roles, website, &budget);
        let rows = rows.await.map_err(busy_when_late)?;
        let missing = missing(request, &rows);
        let terms = terms(parts, request, expires, number, rows);
        let mut planner = Planner::new(Rules {
            site: &parts.policy.site,
            now: terms.created,
            when_pending: request.when_pending,
            cooldown,
            send_email: request.send_email,
            include_registered: request.include_registered,
            missing,
        });
        let contacts = contacts(parts, &request.source, &budget).await?;
        let entries = entries(parts, &mut planner, &contacts, &budget).await?;
        Ok(Planned {
            terms,
            entries,
            cooldown,
            budget,
        })
    }
}

fn busy_when_late(error: RemoteError) -> InviteError {
    match error {
        RemoteError::OutOfTime => InviteError::Busy,
        error => InviteError::Remote(error),
    }
}

/// What a real run would do, on unchanged data.
fn dry_run(planned: Planned) -> BatchReport {
    let Planned { terms, entries, .. } = planned;
    let planned = |invitation, expires| Outcome {
        kind: OutcomeKind::Planned,
        reason: None,
        invitation,
        expires,
    };
    let outcome = |plan: &Plan| match plan {
        Plan::Settled(outcome) => outcome.clone(),
        Plan::Create(_) | Plan::Replace { .. } => planned(None, Some(terms.expires)),
        plan => planned(plan.invitation(), None),
    };
    let results: Vec<_> = entries
        .into_iter()
        .map(|entry| {
            let outcome = outcome(&entry.plan);
            result_entry(entry, outcome, None)
        })
        .collect();
    BatchReport {
        number: None,
        dry_run: true,
        finished: true,
        counts: results
            .iter()
            .map(|entry| entry.outcome)
            .collect::<Counts>(),
        requested_by: terms.requested_by,
        retry_after: Duration::ZERO,
        next: None,
        results,
    }
}
