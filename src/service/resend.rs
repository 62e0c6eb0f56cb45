//! Owns sending the letter of one invitation again: same row, same code, perhaps until a later day.
//!
//! It is a batch of one like any other, so a crash or a repeated call sends once. An expired invitation is opened again
//! first; one that someone else prepared gets its limits first.

use std::time::Duration;

use jiff::Timestamp;

use super::claim::{Holder, holder};
use super::invite::{IdempotencyKey, InviteError, PLANNING_TIME, Patience, Planned};
use super::plan::{Maker, check_contact, maker_of};
use super::report::{BatchReport, ReportError};
use super::{Parts, Service};
use crate::domain::batch::{Bound, Entry, LetterTerms, Plan, Seen, Terms};
use crate::domain::expiry::{self, ValidDays};
use crate::domain::ids::{BatchNumber, InvitationId, Urgency};
use crate::domain::invitation::{Invitation, Kind, Standing, Status};
use crate::domain::progress::Journalled;
use crate::remote::budget::Budget;
use crate::remote::dataverse::Codes;
use crate::remote::error::RemoteError;
use crate::remote::journal::StoreError;
use crate::service::invite::FieldError;

/// A request to send one letter again.
#[derive(Clone, Debug)]
pub struct ResendRequest {
    /// Which invitation.
    pub id: InvitationId,
    /// Until the end of the day that is so many days ahead; an expiry that is later anyhow stays.
    pub extend_days: Option<ValidDays>,
    /// A personal message; else the first letter's.
    pub message: Option<String>,
    /// The letter's language; else the first letter's.
    pub language: Option<String>,
    /// Who asks.
    pub requested_by: Option<String>,
}

/// Why the letter of an invitation cannot be sent again, whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Barred {
    /// Its contact is in.
    #[error("the invitation was redeemed")]
    Redeemed,
    /// Somebody closed it.
    #[error("the invitation was revoked; invite the contact anew")]
    Revoked,
    /// It has expired, and its contact has a newer one, or another that is pending.
    #[error("the invitation has expired, and its contact has another one")]
    Superseded,
    /// One code for many people: nobody knows who got it.
    #[error("a group invitation belongs to no contact")]
    Group,
    /// Nobody to write to.
    #[error("the invitation has no contact")]
    NoContact,
    /// Nothing could stand in the letter.
    #[error("the invitation has no code")]
    NoCode,
    /// Its number is a batch's that this deployment does not know.
    #[error("another deployment made the invitation, or its batch is older than BATCH_KEEP_DAYS")]
    NotOurs,
}

/// Why a letter is not sent again. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// No such invitation at this site.
    #[error("there is no such invitation")]
    Unknown,
    /// Not this one.
    #[error(transparent)]
    Barred(#[from] Barred),
    /// Its letter went out lately; for so long no other one follows.
    #[error("a letter went out lately")]
    Cooling(Duration),
    /// As for any batch.
    #[error(transparent)]
    Invite(#[from] InviteError),
}

impl From<RemoteError> for ResendError {
    fn from(error: RemoteError) -> Self {
        Self::Invite(error.into())
    }
}

impl From<StoreError> for ResendError {
    fn from(error: StoreError) -> Self {
        Self::Invite(error.into())
    }
}

/// An invitation as it stands, and who made it.
struct Case {
    row: Invitation,
    maker: Maker,
    now: Timestamp,
}

impl Service {
    /// Sends the letter of an invitation again, as a batch of one.
    pub async fn resend(
        &self,
        request: ResendRequest,
        key: Option<IdempotencyKey>,
    ) -> Result<BatchReport, ResendError> {
        let parts = &*self.0;
        let patience = Patience::of_caller(parts);
        if let Some(key) = &key
            && let Some(report) = Box::pin(self.repeated(key, &patience)).await?
        {
            return Ok(report);
        }
        check_language(parts, request.language.as_deref())?;
        let budget = Budget::within(&parts.clock, PLANNING_TIME);
        let row = parts.find(request.id, Codes::Included, &budget).await?;
        let row = row.ok_or(ResendError::Unknown)?;
        let case = Case {
            maker: maker_of(parts, &row).await?,
            row,
            now: parts.clock.now(),
        };
        let plan = case.plan(request.extend_days.is_some())?;
        if let Some(batch) = case.sender(parts).await? {
            match self.batch(batch).await {
                Ok(report) => return Ok(report),
                Err(ReportError::Store(error)) => return Err(error.into()),
                // It is just being planned: whoever claims the letter first sends it.
                Err(ReportError::Unknown(_)) => {}
            }
        }
        let planned = self.plan_resend(&request, &case, plan, budget).await?;
        Ok(Box::pin(self.accept(planned, key, &patience)).await?)
    }

    async fn plan_resend(
        &self,
        request: &ResendRequest,
        case: &Case,
        plan: Plan,
        budget: Budget,
    ) -> Result<Planned, ResendError> {
        let parts = &*self.0;
        let contact = case.row.contact.ok_or(Barred::NoContact)?;
        let survey = parts
            .dataverse
            .survey(&[contact], Codes::Left, &budget)
            .await?;
        if matches!(plan, Plan::Reopen(_)) {
            let rows = survey.invitations_of(contact);
            case.is_the_last(rows, parts)?;
        }
        let terms = terms(parts, request, case, &plan, &budget).await?;
        let refused = check_contact(contact, &survey, true, terms.include_registered).err();
        let name = survey.contacts.get(&contact);
        let name = name.and_then(|contact| contact.name.clone());
        Ok(Planned {
            entries: vec![Entry {
                contact,
                name: name.map(String::into_boxed_str),
                plan: refused.map_or(plan, Plan::Settled),
            }],
            terms,
            cooldown: Some(parts.policy.cooldown),
            budget,
        })
    }
}

fn check_language(parts: &Parts, language: Option<&str>) -> Result<(), InviteError> {
    let known = |language: &str| parts.policy.languages.contains_key(language);
    if language.is_none_or(known) {
        return Ok(());
    }
    Err(InviteError::Invalid(vec![FieldError {
        field: "language".to_owned(),
        message: "is not one of the languages that the setting LANGUAGES names".to_owned(),
    }]))
}

impl Case {
    fn standing(&self) -> Standing {
        self.row.standing(self.now)
    }

    /// What is done about the row before its letter.
    fn plan(&self, extends: bool) -> Result<Plan, Barred> {
        let row = &self.row;
        let seen = Seen::of(row);
        let standing = match self.standing() {
            Standing::Redeemed => return Err(Barred::Redeemed),
            Standing::Revoked => return Err(Barred::Revoked),
            standing => standing,
        };
        if row.kind == Kind::Group {
            return Err(Barred::Group);
        }
        match (self.maker, standing) {
            (Maker::OtherDeployment, _) => Err(Barred::NotOurs),
            _ if row.contact.is_none() => Err(Barred::NoContact),
            _ if row.code.is_none() => Err(Barred::NoCode),
            (_, Standing::Expired) => Ok(Plan::Reopen(seen)),
            _ if extends => Ok(Plan::Extend(seen)),
            (Maker::Someone, _) => Ok(Plan::Adopt(seen)),
            _ => Ok(Plan::Resend(seen)),
        }
    }

    /// The batch that is just sending a letter about the row.
    async fn sender(&self, parts: &Parts) -> Result<Option<BatchNumber>, ResendError> {
        let (row, cooldown) = (&self.row, parts.policy.cooldown);
        if self.maker == Maker::OpenBatch && row.status == Status::New {
            return Ok(row.batch);
        }
        let seen = Seen::of(row);
        let ended = match holder(parts, seen, cooldown).await? {
            Some(Holder::AtWork(batch)) => return Ok(Some(batch)),
            Some(Holder::Ended(at)) => Some(at),
            Some(Holder::Dead) | None => None,
        };
        // What somebody prepared and nobody sent is no letter; nor is the closing of an expired row.
        let sent = row.status == Status::Sent || self.maker != Maker::Someone;
        let open = matches!(self.standing(), Standing::Unsent | Standing::Pending);
        let letter = (sent && open).then_some(row.modified);
        let wait = letter.max(ended).and_then(|letter| {
            let age = Duration::try_from(self.now.duration_since(letter)).unwrap_or_default();
            cooldown.checked_sub(age).filter(|wait| !wait.is_zero())
        });
        wait.map_or(Ok(None), |wait| Err(ResendError::Cooling(wait)))
    }

    /// Only the last invitation of a contact is opened again, and only where no other one can be redeemed.
    fn is_the_last(&self, rows: &[Invitation], parts: &Parts) -> Result<(), Barred> {
        let site = parts.policy.site.website();
        let place = |row: &Invitation| (row.created, row.id);
        let other = |row: &&Invitation| {
            let newer = row.kind == Kind::Single && place(row) > place(&self.row);
            row.id != self.row.id
                && row.is_of(site)
                && (newer || row.is_pending_for(self.now, site))
        };
        match rows.iter().find(other) {
            Some(_) => Err(Barred::Superseded),
            None => Ok(()),
        }
    }
}

/// The terms of the batch that made the row, changed as the request says.
async fn terms(
    parts: &Parts,
    request: &ResendRequest,
    case: &Case,
    plan: &Plan,
    budget: &Budget,
) -> Result<Terms, ResendError> {
    let policy = &parts.policy;
    let first = first_terms(parts, case).await?;
    let days = request.extend_days.unwrap_or(policy.valid_days);
    let last_day = expiry::last_day_after(case.now, days, &policy.time_zone);
    let end = expiry::end_of(last_day, &policy.time_zone);
    let expires = match plan {
        Plan::Extend(_) | Plan::Reopen(_) => end,
        _ => case.row.expires.unwrap_or(end),
    };
    let include_registered = first.as_ref().is_some_and(|first| first.include_registered);
    Ok(Terms {
        number: BatchNumber::from_random(parts.chance.number(), Urgency::Request),
        created: case.now,
        expires,
        send_email: true,
        include_registered,
        senders: policy.senders.clone(),
        letter: letter(parts, request, first.map(|first| first.letter), budget).await?,
        bound: Bound::default(),
        requested_by: request.requested_by.clone(),
    })
}

/// The terms of the batch that made a row, where it is one of ours.
async fn first_terms(parts: &Parts, case: &Case) -> Result<Option<Terms>, StoreError> {
    let Some(batch) = case.row.batch else {
        return Ok(None);
    };
    let lines = parts.store.read(batch).await?;
    Ok(match lines.map(Journalled::fold) {
        Some(Journalled::Planned(progress)) => Some(progress.terms),
        Some(Journalled::Unplanned) | None => None,
    })
}

/// What the letter says: what the first one said, as far as the templates and languages are still there.
async fn letter(
    parts: &Parts,
    request: &ResendRequest,
    first: Option<LetterTerms>,
    budget: &Budget,
) -> Result<LetterTerms, StoreError> {
    let policy = &parts.policy;
    let mut letter = first.unwrap_or_default();
    let known = |language: &String| policy.languages.contains_key(language);
    letter.language = request.language.clone().or(letter.language.filter(known));
    let language = letter.language.as_ref().unwrap_or(&policy.default_language);
    if let Some(template) = &letter.template
        && !parts.templates.has(language, template, budget).await?
    {
        letter.template = None;
    }
    letter.message = request.message.clone().or(letter.message);
    Ok(letter)
}
