//! Owns accepting a request to invite: check, plan, journal, and work on it for as long as the caller waits.
//!
//! Everything is read and decided before anything is written. From the `planned` line on, the batch is accepted:
//! whatever dies, someone finishes it. A repeated request with the same Idempotency-Key finds its batch again.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use super::plan::WhenPending;
use super::plan::{Journals, Planner, Rules};
use super::report::{BatchReport, result_entry};
use super::work::{Stopped, Work};
use super::{Parts, Service};
use crate::domain::batch::{Bound, Entry, LetterTerms, Line, Plan, Terms};
use crate::domain::expiry::{self, ValidDays};
use crate::domain::ids::{BatchNumber, ContactId};
use crate::domain::outcome::{Counts, Outcome, OutcomeKind, ReasonCode};
use crate::domain::progress::{Journalled, Progress};
use crate::domain::redeem_link::ReturnPath;
use crate::remote::budget::Budget;
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::contacts::{BoundRows, Survey};
use crate::remote::error::RemoteError;
use crate::remote::journal::{Claim, Journal, KeyRecord, StoreError, Take, Whereabouts};

/// Contacts in one request.
pub const MOST_CONTACTS: usize = 5_000;

/// Contacts read in one call.
const CONTACTS_A_SURVEY: usize = 1_000;

/// Entries in one journal line: well under the megabyte that one append may have.
const ENTRIES_A_LINE: usize = 1_000;

/// A request gives up planning after this, and leaves nothing behind.
const PLANNING_TIME: Duration = Duration::from_secs(90);

/// How often a follower asks how far its twin is.
const FOLLOWING: Duration = Duration::from_millis(250);

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

/// A request to invite, as far as its form goes.
#[derive(Clone, Debug)]
pub struct InviteRequest {
    /// Whom, in the caller's order; duplicates included.
    pub contacts: Vec<ContactId>,
    /// Until when.
    pub expiry: ExpiryChoice,
    /// What to do about pending invitations.
    pub when_pending: WhenPending,
    /// Rows to bind.
    pub bound: Bound,
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
struct Planned {
    terms: Terms,
    entries: Vec<Entry>,
}

impl Service {
    /// Invites, and says how far that is once all is settled or the caller has waited long enough.
    pub async fn invite(
        &self,
        request: InviteRequest,
        key: Option<IdempotencyKey>,
    ) -> Result<BatchReport, InviteError> {
        let patience = Budget::within(&self.0.clock, self.0.policy.inline_time);
        let expires = check(&self.0, &request)?;
        if let Some(key) = key.as_ref().filter(|_| !request.dry_run)
            && let Some(record) = self.0.store.key(&key.name).await?
        {
            check_body(key, &record)?;
            if let Some(report) = self.follow(record.batch, None, &patience).await? {
                return Ok(report);
            }
        }
        let number = BatchNumber::from_random(self.0.chance.number());
        let planned = self.plan(&request, expires, number).await?;
        if request.dry_run {
            return Ok(dry_run(planned));
        }
        self.accept(planned, key, &patience).await
    }

    /// Reads and decides; writes nothing.
    async fn plan(
        &self,
        request: &InviteRequest,
        expires: Timestamp,
        number: BatchNumber,
    ) -> Result<Planned, InviteError> {
        let parts = &*self.0;
        let budget = Budget::within(&parts.clock, PLANNING_TIME);
        let bound = &request.bound;
        let rows =
            parts
                .dataverse
                .bound_rows(bound.inviter, bound.account, bound.workflow, &budget);
        let rows = rows.await.map_err(busy_when_late)?;
        let terms = terms(
            parts,
            request,
            expires,
            number,
            rows.inviter.clone().flatten(),
        );
        let mut planner = Planner::new(Rules {
            site: &parts.policy.site,
            now: terms.created,
            when_pending: request.when_pending,
            send_email: request.send_email,
            include_registered: request.include_registered,
            missing: missing(bound, &rows),
        });
        let mut entries = Vec::with_capacity(request.contacts.len());
        let mut journals = Journals::new();
        for contacts in request.contacts.chunks(CONTACTS_A_SURVEY) {
            let survey = parts
                .dataverse
                .survey(&distinct(contacts), Codes::Left, &budget)
                .await;
            let survey = survey.map_err(busy_when_late)?;
            find_journals(parts, &survey, &mut journals).await?;
            entries.extend(
                contacts
                    .iter()
                    .map(|contact| planner.entry(*contact, &survey, &journals)),
            );
        }
        Ok(Planned { terms, entries })
    }

    /// Makes the batch this plan's, or follows the twin that was first.
    async fn accept(
        &self,
        mut planned: Planned,
        key: Option<IdempotencyKey>,
        patience: &Budget,
    ) -> Result<BatchReport, InviteError> {
        let keyed = key.is_some();
        if let Some(key) = key {
            let record = KeyRecord {
                batch: planned.terms.number,
                body_hash: key.body_hash.clone(),
            };
            if let Claim::Taken(first) = self.0.store.claim(&key.name, &record).await? {
                check_body(&key, &first)?;
                planned.terms.number = first.batch;
                return self
                    .follow(first.batch, Some(planned), patience)
                    .await?
                    .ok_or(InviteError::Busy);
            }
        }
        loop {
            let number = planned.terms.number;
            match self.0.store.create(number).await {
                Ok(journal) => return self.start(journal, planned, patience).await,
                // A twin saw the key and no journal yet, and made it: the batch is the twin's to begin.
                Err(StoreError::Exists(_)) if keyed => {
                    return self
                        .follow(number, Some(planned), patience)
                        .await?
                        .ok_or(InviteError::Busy);
                }
                Err(StoreError::Exists(_)) => {
                    planned.terms.number = BatchNumber::from_random(self.0.chance.number());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Journals the plan: from here on the batch is accepted. Then works on it while the caller waits.
    async fn start(
        &self,
        mut journal: Journal,
        planned: Planned,
        patience: &Budget,
    ) -> Result<BatchReport, InviteError> {
        let Planned { terms, entries } = planned;
        let by = Uuid::from_u128(
            u128::from(self.0.chance.number()) << 32 | u128::from(self.0.chance.number()),
        );
        let terms_line = Line::Terms {
            by,
            terms: Box::new(terms.clone()),
        };
        journal.append(&[terms_line]).await?;
        for entries in entries.chunks(ENTRIES_A_LINE) {
            let entries = entries.to_vec();
            journal.append(&[Line::Plan { by, entries }]).await?;
        }
        let count = entries.len();
        journal.append(&[Line::Planned { by, count }]).await?;
        tracing::info!(batch = %terms.number, contacts = count, "a batch is accepted");
        self.work(journal, Progress::new(terms, entries), true, patience)
            .await
    }

    /// Works on a batch while the caller waits.
    async fn work(
        &self,
        journal: Journal,
        progress: Progress,
        fresh: bool,
        patience: &Budget,
    ) -> Result<BatchReport, InviteError> {
        let number = progress.terms.number;
        let work = Work::new(&self.0, journal, progress, patience.left());
        let (progress, result) = work.run(fresh).await;
        match result {
            Ok(()) | Err(Stopped::Remote(RemoteError::OutOfTime)) => {}
            Err(error) => {
                tracing::warn!(batch = %number, %error, "work on a batch stopped; the dispatcher goes on");
            }
        }
        Ok(self.report(progress).await?)
    }

    /// Follows a twin's batch: works on it if nobody does, else waits for it, for as long as there is patience.
    ///
    /// `None` where the first request died before its plan was whole and this one has not planned yet.
    async fn follow(
        &self,
        number: BatchNumber,
        planned: Option<Planned>,
        patience: &Budget,
    ) -> Result<Option<BatchReport>, InviteError> {
        loop {
            let late = patience.left() <= FOLLOWING;
            match self.0.store.read(number).await?.map(Journalled::fold) {
                Some(Journalled::Planned(progress)) if progress.ended || late => {
                    return Ok(Some(self.report(*progress).await?));
                }
                _ if late => return Err(InviteError::Busy),
                _ => {}
            }
            match self.0.store.take(number).await? {
                Take::Ours(journal, lines) => match (Journalled::fold(lines), planned) {
                    (Journalled::Planned(progress), _) => {
                        return Ok(Some(self.work(*journal, *progress, false, patience).await?));
                    }
                    (Journalled::Unplanned, Some(planned)) => {
                        return Ok(Some(self.start(*journal, planned, patience).await?));
                    }
                    (Journalled::Unplanned, None) => return Ok(None),
                },
                Take::Gone if self.0.store.whereabouts(number).await? == Whereabouts::Nowhere => {
                    let Some(planned) = &planned else {
                        return Ok(None);
                    };
                    match self.0.store.create(number).await {
                        Ok(journal) => {
                            return Ok(Some(self.start(journal, planned.clone(), patience).await?));
                        }
                        Err(StoreError::Exists(_)) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Take::Gone | Take::Held => {}
            }
            let _ = patience.wait(FOLLOWING).await;
        }
    }
}

/// Checks what needs the settings and the time; gives the moment of expiry.
fn check(parts: &Parts, request: &InviteRequest) -> Result<Timestamp, InviteError> {
    let policy = &parts.policy;
    let now = parts.clock.now();
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        errors.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    if request.contacts.is_empty() {
        wrong("contactIds", "must name at least one contact");
    }
    if !request.send_email && request.include_registered {
        wrong(
            "includeRegistered",
            "cannot be combined with sendEmail false",
        );
    }
    let language = request
        .language
        .as_deref()
        .unwrap_or(&policy.default_language);
    let template = request.template.as_deref().unwrap_or(DEFAULT_TEMPLATE);
    if !policy.languages.contains_key(language) {
        wrong(
            "language",
            "is not one of the languages this service is set up for",
        );
    } else if !parts.letters.has(language, template) {
        wrong("template", "is not a template of that language");
    }
    if let ExpiryChoice::Until(day) = request.expiry
        && let Err(error) = expiry::check_day(day, now, &policy.time_zone)
    {
        wrong("expiresOn", &error.to_string());
    }
    if !errors.is_empty() {
        return Err(InviteError::Invalid(errors));
    }
    check_allowed(parts, request)?;
    Ok(expires(
        policy.valid_days,
        request.expiry,
        now,
        &policy.time_zone,
    ))
}

/// What a request gets that names no template.
const DEFAULT_TEMPLATE: &str = "invitation";

fn check_allowed(parts: &Parts, request: &InviteRequest) -> Result<(), InviteError> {
    let policy = &parts.policy;
    let not_allowed = |field, setting| Err(InviteError::NotAllowed { field, setting });
    if !request.send_email && !policy.allow_links {
        return not_allowed("sendEmail", "ALLOW_LINKS");
    }
    match &request.bound.workflow {
        Some(workflow) if !policy.allowed_workflows.contains(workflow) => {
            not_allowed("redemptionWorkflowId", "ALLOWED_WORKFLOWS")
        }
        _ => Ok(()),
    }
}

fn expires(
    default: ValidDays,
    choice: ExpiryChoice,
    now: Timestamp,
    zone: &jiff::tz::TimeZone,
) -> Timestamp {
    let last_day = match choice {
        ExpiryChoice::Default => expiry::last_day_after(now, default, zone),
        ExpiryChoice::Days(days) => expiry::last_day_after(now, days, zone),
        ExpiryChoice::Until(day) => day,
    };
    expiry::end_of(last_day, zone)
}

fn terms(
    parts: &Parts,
    request: &InviteRequest,
    expires: Timestamp,
    number: BatchNumber,
    inviter_name: Option<String>,
) -> Terms {
    let policy = &parts.policy;
    Terms {
        number,
        created: parts.clock.now(),
        expires,
        send_email: request.send_email,
        include_registered: request.include_registered,
        senders: policy.senders.clone(),
        letter: LetterTerms {
            language: request
                .language
                .clone()
                .unwrap_or_else(|| policy.default_language.clone()),
            template: request
                .template
                .clone()
                .unwrap_or_else(|| DEFAULT_TEMPLATE.to_owned()),
            subject: request.subject.clone(),
            message: request.message.clone(),
            return_path: request
                .return_path
                .as_ref()
                .map(|path| path.as_str().to_owned()),
            inviter_name,
        },
        bound: request.bound.clone(),
        requested_by: request.requested_by.clone(),
    }
}

/// A row to bind that was asked for and does not exist.
fn missing(bound: &Bound, rows: &BoundRows) -> Option<ReasonCode> {
    if bound.inviter.is_some() && rows.inviter.is_none() {
        Some(ReasonCode::InviterNotFound)
    } else if bound.account.is_some() && !rows.account {
        Some(ReasonCode::AccountNotFound)
    } else if bound.workflow.is_some() && !rows.workflow {
        Some(ReasonCode::WorkflowNotFound)
    } else {
        None
    }
}

async fn find_journals(
    parts: &Parts,
    survey: &Survey,
    journals: &mut Journals,
) -> Result<(), StoreError> {
    let batches = survey
        .invitations
        .values()
        .flatten()
        .filter_map(|row| row.batch);
    for batch in batches {
        if let std::collections::hash_map::Entry::Vacant(e) = journals.entry(batch) {
            e.insert(parts.store.whereabouts(batch).await?);
        }
    }
    Ok(())
}

fn distinct(contacts: &[ContactId]) -> Vec<ContactId> {
    let mut seen = std::collections::HashSet::new();
    contacts
        .iter()
        .copied()
        .filter(|contact| seen.insert(*contact))
        .collect()
}

fn check_body(key: &IdempotencyKey, record: &KeyRecord) -> Result<(), InviteError> {
    if record.body_hash == key.body_hash {
        return Ok(());
    }
    Err(InviteError::KeyReused)
}

fn busy_when_late(error: RemoteError) -> InviteError {
    match error {
        RemoteError::OutOfTime => InviteError::Busy,
        error => InviteError::Remote(error),
    }
}

/// What a real run would do, on unchanged data.
fn dry_run(planned: Planned) -> BatchReport {
    let Planned { terms, entries } = planned;
    let outcome = |plan: &Plan| match plan {
        Plan::Settled(outcome) => outcome.clone(),
        Plan::Create(_) => Outcome {
            kind: OutcomeKind::Planned,
            reason: None,
            invitation: None,
            expires: Some(terms.expires),
        },
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
        results,
    }
}
