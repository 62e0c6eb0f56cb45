//! Owns the checks of table definitions: what this service uses of Dataverse is there, and is what it was made for.

use super::answers::unanswered;
use super::{Check, Status};
use crate::domain::batch::DataModel;
use crate::remote::budget::Budget;
use crate::remote::dataverse::Need;
use crate::remote::dataverse::definitions::{Definitions, Lacking};
use crate::service::{Parts, Policy};

/// Characters of a code of ours.
const CODE_LENGTH: u32 = 43;

const INSTALL: &str = "Check that DATAVERSE_URL names the environment of the site, and that Power Pages is installed in \
    it with all its solutions. https://learn.microsoft.com/power-pages/getting-started/create-manage";

pub(super) async fn checks(parts: &Parts, budget: &Budget) -> Vec<Check> {
    match parts.dataverse.definitions(budget).await {
        Ok(definitions) => judge(&definitions, &parts.policy),
        Err(error) if error.refusal().is_some() => vec![Check::fail(
            "tables.exist",
            format!("{error}."),
            "Give the role of the application user the privileges prvReadEntity, prvReadAttribute and \
             prvReadRelationship, which every usual role has.",
        )],
        Err(error) => vec![unanswered("tables.exist", &error, "prvReadEntity")],
    }
}

fn judge(found: &Definitions, policy: &Policy) -> Vec<Check> {
    let lacking = |id, what, lacking: &[Lacking]| {
        let worst = lacking
            .iter()
            .map(|it| (weight(it.need, found, policy), it));
        let counted: Vec<_> = worst
            .filter(|(status, _)| *status != Status::Pass)
            .collect();
        let names: Vec<_> = counted.iter().map(|(_, it)| it.name.clone()).collect();
        let seen = || format!("Not in this environment: {}.", names.join(", "));
        if counted.iter().any(|(status, _)| *status == Status::Fail) {
            Check::fail(id, seen(), INSTALL)
        } else if counted.is_empty() {
            Check::pass(id, format!("All {what} that are used are there."))
        } else {
            let only_languages = counted.iter().all(|(_, it)| it.need == Need::Languages);
            let loss = if only_languages {
                "Without one of them nobody can tell which language a contact prefers; letters whose request names none \
                 are in DEFAULT_LANGUAGE."
            } else {
                "Without them nobody can tell which contacts have a sign-in already, and they are invited again."
            };
            Check::warn(id, seen(), format!("{loss} {INSTALL}"))
        }
    };
    let mut checks = vec![
        lacking("tables.exist", "tables", &found.tables),
        lacking("tables.columns", "columns", &found.columns),
        lacking(
            "tables.navigation",
            "navigation properties",
            &found.navigation,
        ),
    ];
    // What follows is about a table that has to be there first.
    if found.tables.iter().all(|table| table.need != Need::Always) {
        checks.extend([
            web_roles(found, policy),
            expiry(found),
            code_length(found),
            concurrency(found),
        ]);
    }
    checks
}

/// How bad it is that something is not there.
fn weight(need: Need, found: &Definitions, policy: &Policy) -> Status {
    let fails = match need {
        Need::Always => true,
        // Each data model has a column of its own, and only one of them a table.
        Need::Languages if knows_languages(found) => false,
        Need::SignIns | Need::Redemptions | Need::Languages => return Status::Warn,
        Need::Website => policy.site.website().is_some(),
        Need::Roles(model) => {
            !policy.allowed_roles.is_empty() && found.role_models.contains(&model)
        }
    };
    if fails { Status::Fail } else { Status::Pass }
}

/// Whether contacts have a column for the language they prefer, of whichever data model.
fn knows_languages(found: &Definitions) -> bool {
    let lacking = found.columns.iter();
    let lacking =
        lacking.filter(|it| it.need == Need::Languages && it.name.starts_with("contact."));
    lacking.count() < 2
}

fn web_roles(found: &Definitions, policy: &Policy) -> Check {
    const ID: &str = "tables.webRoles";
    if found.role_models.is_empty() && !policy.allowed_roles.is_empty() {
        return Check::fail(
            ID,
            "Invitations have no relationship with web roles here, and ALLOWED_WEB_ROLES names some.",
            INSTALL,
        );
    }
    let models = found.role_models.iter().map(|model| match model {
        DataModel::Enhanced => "enhanced",
        DataModel::Standard => "standard",
    });
    let models = models.collect::<Vec<_>>().join(" and ");
    Check::pass(ID, format!("Data model of web roles: {models}."))
}

/// The portal compares moments. A column without a time of day, or without a zone, ends links at another moment.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/behavior-format-date-time-attribute>
fn expiry(found: &Definitions) -> Check {
    const ID: &str = "tables.expiry";
    match found.expiry_behavior.as_deref() {
        Some("UserLocal") => Check::pass(ID, "Expiry dates are moments (User Local)."),
        Some(other) => Check::warn(
            ID,
            format!("Somebody changed the behaviour of adx_invitation.adx_expirydate to {other}."),
            "Links end at another moment than letters say, by up to a day. Ask whoever changed the column to make it \
             User Local again; where that cannot be, leave a day to spare in validDays. \
             https://learn.microsoft.com/power-apps/developer/data-platform/behavior-format-date-time-attribute",
        ),
        None => Check::pass(ID, "The definitions do not say how expiry dates behave."),
    }
}

fn code_length(found: &Definitions) -> Check {
    const ID: &str = "tables.codeLength";
    match found.code_length {
        Some(length) if length < CODE_LENGTH => Check::fail(
            ID,
            format!(
                "adx_invitation.adx_invitationcode takes {length} characters; codes have {CODE_LENGTH}."
            ),
            "Set the column's maximum length back to 200. \
             https://learn.microsoft.com/power-apps/maker/data-platform/edit-field",
        ),
        Some(length) => Check::pass(ID, format!("Codes of up to {length} characters fit.")),
        None => Check::pass(ID, "The definitions do not say how long a code may be."),
    }
}

fn concurrency(found: &Definitions) -> Check {
    const ID: &str = "tables.concurrency";
    match found.optimistic_concurrency {
        Some(false) => Check::fail(
            ID,
            "Optimistic concurrency is off for the table adx_invitation.",
            "Without it a redemption could be overwritten, so nothing is sent. Turn it on: set \
             IsOptimisticConcurrencyEnabled of the table to true. \
             https://learn.microsoft.com/power-apps/developer/data-platform/optimistic-concurrency",
        ),
        Some(true) => Check::pass(ID, "Optimistic concurrency is on."),
        None => Check::pass(
            ID,
            "The definitions do not say that optimistic concurrency is off.",
        ),
    }
}
