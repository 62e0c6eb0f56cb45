//! Owns what of a request is checked and resolved with the settings, the templates and the time, before contacts are
//! read.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{ExpiryChoice, FieldError, InviteError, InviteRequest, Source, WhenPending};
use crate::domain::batch::{Bound, LetterTerms, Terms};
use crate::domain::expiry::{self, ValidDays};
use crate::domain::ids::BatchNumber;
use crate::domain::outcome::ReasonCode;
use crate::remote::budget::Budget;
use crate::remote::dataverse::bound::BoundRows;
use crate::service::Parts;

/// Checks what needs the settings and the time; gives the moment of expiry.
pub(super) async fn check(
    parts: &Parts,
    request: &InviteRequest,
    budget: &Budget,
) -> Result<Timestamp, InviteError> {
    let policy = &parts.policy;
    let now = parts.clock.now();
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        errors.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    if request.source == Source::Listed(Vec::new()) {
        wrong("contactIds", "must name at least one contact");
    }
    if !request.send_email && request.when_pending == WhenPending::Resend {
        wrong("whenPending", "cannot be resend with sendEmail false");
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
    let template = request
        .template
        .as_deref()
        .unwrap_or(LetterTerms::INVITATION);
    if !policy.languages.contains_key(language) {
        wrong(
            "language",
            "is not one of the languages that the setting LANGUAGES names",
        );
    } else if !parts.templates.has(language, template, budget).await? {
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
        _ if request
            .web_roles
            .iter()
            .any(|role| !policy.allowed_roles.contains(role)) =>
        {
            not_allowed("webRoleIds", "ALLOWED_WEB_ROLES")
        }
        _ => Ok(()),
    }
}

fn expires(default: ValidDays, choice: ExpiryChoice, now: Timestamp, zone: &TimeZone) -> Timestamp {
    let last_day = match choice {
        ExpiryChoice::Default => expiry::last_day_after(now, default, zone),
        ExpiryChoice::Days(days) => expiry::last_day_after(now, days, zone),
        ExpiryChoice::Until(day) => day,
    };
    expiry::end_of(last_day, zone)
}

pub(super) fn terms(
    parts: &Parts,
    request: &InviteRequest,
    expires: Timestamp,
    number: BatchNumber,
    rows: BoundRows,
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
            language: request.language.clone(),
            template: request.template.clone(),
            subject: request.subject.clone(),
            message: request.message.clone(),
            return_path: request
                .return_path
                .as_ref()
                .map(|path| path.as_str().to_owned()),
            inviter_name: rows.inviter.flatten(),
        },
        bound: Bound {
            roles: rows.roles,
            ..request.bound.clone()
        },
        requested_by: request.requested_by.clone(),
    }
}

/// A row to bind that was asked for and does not exist.
pub(super) fn missing(request: &InviteRequest, rows: &BoundRows) -> Option<ReasonCode> {
    let bound = &request.bound;
    let found = |role| rows.roles.iter().any(|found| found.id == role);
    if bound.inviter.is_some() && rows.inviter.is_none() {
        Some(ReasonCode::InviterNotFound)
    } else if bound.account.is_some() && !rows.account {
        Some(ReasonCode::AccountNotFound)
    } else if bound.workflow.is_some() && !rows.workflow {
        Some(ReasonCode::WorkflowNotFound)
    } else if !request.web_roles.iter().copied().all(found) {
        Some(ReasonCode::RoleNotFound)
    } else {
        None
    }
}
