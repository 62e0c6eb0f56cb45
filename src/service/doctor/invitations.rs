//! Owns the checks of the invitations themselves: codes that two share, links without end, and what a first sweep
//! would close.

use jiff::SignedDuration;

use super::Check;
use super::answers::{some_of, unanswered};
use crate::domain::invitation::SweepScope;
use crate::remote::budget::Budget;
use crate::remote::dataverse::figures::{Count, SharedCodes};
use crate::service::Parts;

const SHARED_CODES: &str = "invitations.sharedCodes";
const UNLIMITED: &str = "invitations.unlimited";
const OVERDUE: &str = "invitations.overdue";
const READ: &str = "prvReadadx_invitation";

/// A sweep that runs once a day has closed everything that expired longer ago than this.
const SWEPT_AFTER: SignedDuration = SignedDuration::from_hours(26);

pub(super) async fn checks(parts: &Parts, budget: &Budget) -> Vec<Check> {
    let now = parts.clock.now();
    let scope = parts.policy.sweep_scope;
    let before = now.checked_sub(SWEPT_AFTER).unwrap_or(now);
    let (shared, figures) = futures::join!(
        parts.dataverse.shared_codes(budget),
        parts.dataverse.figures(now, (before, scope), budget)
    );
    let shared = shared.map_or_else(
        |error| unanswered(SHARED_CODES, &error, READ),
        |found| shared_codes(&found),
    );
    let [unlimited, overdue] = match figures {
        Ok(figures) => [
            unlimited(figures.unlimited),
            overdue(figures.overdue, scope),
        ],
        Err(error) => [UNLIMITED, OVERDUE].map(|id| unanswered(id, &error, READ)),
    };
    vec![shared, unlimited, overdue]
}

fn shared_codes(found: &SharedCodes) -> Check {
    let SharedCodes {
        groups,
        compared,
        more,
    } = found;
    let among = match more {
        true => format!("the first {compared} codes"),
        false => format!("{compared} codes"),
    };
    if groups.is_empty() && *more {
        return Check::not_checked(
            SHARED_CODES,
            format!("No two of {among} are alike; the others were not compared."),
            "Close old invitations, so that fewer are active.",
        );
    }
    if groups.is_empty() {
        return Check::pass(SHARED_CODES, format!("No two of {among} are alike."));
    }
    let told = groups.iter().map(|rows| {
        let rows: Vec<_> = rows.iter().take(3).map(ToString::to_string).collect();
        rows.join(" and ")
    });
    Check::warn(
        SHARED_CODES,
        format!(
            "Of {among}, {} are on several active invitations: {}.",
            groups.len(),
            some_of(told)
        ),
        "The site finds neither invitation of a shared code, and says that the code is invalid. Deactivate all but one \
         of each, or invite the contacts anew.",
    )
}

fn told(count: Count) -> String {
    let least = if count.at_least { "at least " } else { "" };
    format!("{least}{}", count.rows)
}

fn unlimited(count: Count) -> Check {
    if count.rows == 0 {
        return Check::pass(
            UNLIMITED,
            "No open invitation of one person can be redeemed without end.",
        );
    }
    Check::warn(
        UNLIMITED,
        format!(
            "{} open invitations of type Single have no maximum of redemptions.",
            told(count)
        ),
        "Whoever has such a link can register with it again and again. Set Maximum Redemptions to 1 on each, or \
         deactivate them. This service always sets it. \
         https://learn.microsoft.com/power-pages/security/invite-contacts",
    )
}

fn overdue(count: Count, scope: SweepScope) -> Check {
    let scope = match scope {
        SweepScope::All => "all",
        SweepScope::Ours => "ours",
    };
    if count.rows == 0 {
        return Check::pass(
            OVERDUE,
            format!("No expired invitation waits for the sweep (SWEEP_SCOPE={scope})."),
        );
    }
    Check::warn(
        OVERDUE,
        format!(
            "{} invitations expired more than a day ago and are still active; the next sweep closes them \
             (SWEEP_SCOPE={scope}).",
            told(count)
        ),
        "Before the first sweep, see which ones with `portal-invite sweep --dry-run`; SWEEP_SCOPE=ours leaves the \
         invitations of others alone. If the sweep has run before, see whether function-sweep still does.",
    )
}
