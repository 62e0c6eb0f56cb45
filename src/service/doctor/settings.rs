//! Owns the checks of settings that are legal and may be unwise. Wrong ones stop the start.

use jiff::tz::TimeZone;

use super::Check;
use super::answers::unanswered;
use crate::domain::batch::MailDelivery;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;
use crate::service::{Parts, Policy};

/// Letters a minute that Exchange Online lets out of a mailbox.
/// <https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>
const EXCHANGE_RATE: u32 = 30;

/// How the addresses end that every tenant has from the start.
const FIRST_DOMAIN: &str = ".onmicrosoft.com";

pub(super) async fn checks(parts: &Parts, budget: &Budget) -> Vec<Check> {
    let policy = &parts.policy;
    vec![
        Check::pass("settings.valid", "Every setting can be read."),
        support_email(policy),
        links(policy),
        keep_days(policy),
        batch_store(parts),
        time_zone(parts, budget).await,
        mail_delivery(policy),
        mail_rate(policy),
        remind_days(policy),
        sender_domain(policy),
    ]
}

fn support_email(policy: &Policy) -> Check {
    let id = "settings.supportEmail";
    match &policy.brand.support_email {
        Some(address) => Check::pass(id, format!("Letters name {address} for questions.")),
        None => Check::warn(
            id,
            "SUPPORT_EMAIL is not set: a letter names nobody to ask, and answers go to the sender mailbox unless \
             MAIL_REPLY_TO is set.",
            "Set SUPPORT_EMAIL to an address that somebody reads.",
        ),
    }
}

fn links(policy: &Policy) -> Check {
    let id = "settings.allowLinks";
    if !policy.allow_links {
        return Check::pass(id, "Redeem links leave in letters only.");
    }
    Check::warn(
        id,
        "ALLOW_LINKS is on: whoever has a key of the function app can have the redeem link of any contact.",
        "Turn it off unless a caller hands links over by itself; give keys to such callers only.",
    )
}

fn keep_days(policy: &Policy) -> Check {
    let id = "settings.batchKeepDays";
    let keep = policy.keep.as_secs() / (24 * 3_600);
    let valid = u64::from(policy.valid_days.get().unsigned_abs());
    let seen = format!("Journals are kept {keep} days; an invitation is valid {valid} by default.");
    if keep >= valid {
        return Check::pass(id, seen);
    }
    Check::warn(
        id,
        seen,
        "Set BATCH_KEEP_DAYS to at least INVITATION_VALID_DAYS, and to the longest validDays that callers ask for: \
         without its journal nobody can tell what became of an invitation that is still pending.",
    )
}

fn batch_store(parts: &Parts) -> Check {
    let id = "settings.batchStore";
    match (parts.store.is_local(), parts.policy.on_azure) {
        (false, _) => Check::pass(id, "Journals are in the storage account."),
        (true, false) => Check::pass(id, "Journals are in a directory of this machine."),
        (true, true) => Check::warn(
            id,
            "BATCH_STORE names a directory, and this runs on Azure: where that is the instance's own disk, accepted \
             work is lost with the instance.",
            "Remove BATCH_STORE, so that journals go to the storage account of AzureWebJobsStorage; keep it only for \
             a mounted share.",
        ),
    }
}

/// Days end in the zone of `PORTAL_TIME_ZONE`. A site has no zone of its own; the app user's, which is the
/// organisation's default where nobody chose another, is the best hint there is.
async fn time_zone(parts: &Parts, budget: &Budget) -> Check {
    let id = "settings.timeZone";
    if parts.policy.time_zone != TimeZone::UTC && parts.policy.time_zone.iana_name() != Some("UTC")
    {
        let zone = parts.policy.time_zone.iana_name().unwrap_or_default();
        return Check::pass(id, format!("Invitations expire at 23:00 in {zone}."));
    }
    match users_zone(parts, budget).await {
        Ok(Some(zone)) if !is_utc(&zone) => Check::warn(
            id,
            format!(
                "Invitations expire at 23:00 UTC; in Dataverse the app's user works in {zone}."
            ),
            "Set PORTAL_TIME_ZONE to the IANA name of the zone that contacts live in, such as Europe/Oslo.",
        ),
        Ok(_) => Check::pass(
            id,
            "Invitations expire at 23:00 UTC, and Dataverse knows no other zone.",
        ),
        Err(error) => unanswered(id, &error, "prvReadUserSettings"),
    }
}

async fn users_zone(parts: &Parts, budget: &Budget) -> Result<Option<String>, RemoteError> {
    let caller = parts.dataverse.who_am_i(budget).await?;
    parts.dataverse.time_zone_of(caller.user_id, budget).await
}

/// The names that Windows has for it: nothing else in Dataverse says which zone is UTC.
/// <https://learn.microsoft.com/windows-hardware/manufacture/desktop/default-time-zones>
fn is_utc(windows_name: &str) -> bool {
    ["UTC", "Coordinated Universal Time"].contains(&windows_name)
}

fn mail_delivery(policy: &Policy) -> Check {
    let id = "settings.mailDelivery";
    match policy.delivery {
        MailDelivery::Draft => Check::pass(
            id,
            "Letters are drafted first, so a lost answer can be cleared up.",
        ),
        MailDelivery::Send => Check::warn(
            id,
            "MAIL_DELIVERY is send: where Exchange's answer is lost, the letter stays unconfirmed for a person to \
             look up.",
            "Give the app Mail.ReadWrite beside Mail.Send and set MAIL_DELIVERY to draft.",
        ),
    }
}

fn mail_rate(policy: &Policy) -> Check {
    let id = "settings.mailRate";
    let rate = policy.mail_rate_per_minute;
    let seen = format!("At most {rate} letters a minute leave each sender mailbox.");
    if rate <= EXCHANGE_RATE {
        return Check::pass(id, seen);
    }
    Check::warn(
        id,
        seen,
        "Set MAIL_RATE_PER_MINUTE to 30 or less: Exchange Online takes no more from a mailbox, and what is over is \
         refused or late. More mailboxes in MAIL_SENDERS send more.",
    )
}

fn remind_days(policy: &Policy) -> Check {
    let id = "settings.remindDays";
    let (before, valid) = (
        i64::from(policy.remind_days_before),
        i64::from(policy.valid_days.get()),
    );
    match before {
        0 => Check::pass(id, "Nobody is reminded."),
        _ if before < valid => Check::pass(
            id,
            format!(
                "A reminder goes out {before} days before an invitation of {valid} days expires."
            ),
        ),
        _ => Check::warn(
            id,
            format!(
                "REMIND_DAYS_BEFORE is {before} and invitations are valid {valid} days: the reminder is due as soon as the letter is out."
            ),
            "Set REMIND_DAYS_BEFORE to less than INVITATION_VALID_DAYS, or to 0 for no reminders.",
        ),
    }
}

/// <https://learn.microsoft.com/exchange/mail-flow-best-practices/manage-accepted-domains/manage-accepted-domains>
fn sender_domain(policy: &Policy) -> Check {
    let id = "settings.senderDomain";
    let first: Vec<&str> = policy
        .senders
        .iter()
        .filter(|sender| sender.to_ascii_lowercase().ends_with(FIRST_DOMAIN))
        .map(String::as_str)
        .collect();
    if first.is_empty() {
        return Check::pass(id, "The senders have addresses of your own domains.");
    }
    Check::warn(
        id,
        format!(
            "{} has the tenant's first domain: from there Exchange lets 100 recipients outside the organisation a day through, for the whole organisation.",
            first.join(", ")
        ),
        "Give the mailbox an address of a domain of your own, and name that in MAIL_SENDERS.",
    )
}
