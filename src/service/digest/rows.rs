//! Owns what Dataverse tells of some time: invitations that were redeemed, and those that expired.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;

use super::findings::Rows;
use crate::domain::ids::InvitationId;
use crate::domain::invitation::{Invitation, Standing, SweepScope};
use crate::remote::budget::Budget;
use crate::remote::dataverse::Codes;
use crate::remote::error::RemoteError;
use crate::service::Parts;

/// Adds the invitations that were redeemed within `time`.
pub(super) async fn redeemed(
    parts: &Parts,
    time: &Range<Timestamp>,
    budget: &Budget,
) -> Result<Rows, RemoteError> {
    let found = parts.dataverse.redeemed_within(time, budget).await?;
    let ids: BTreeSet<InvitationId> = found.rows.into_iter().collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let rows = parts
        .dataverse
        .invitations(&ids, Codes::Left, budget)
        .await?;
    let rows = rows.into_iter().flatten();
    Ok(Rows {
        redeemed: rows.filter(|row| is_ours_to_tell(parts, row)).collect(),
        more_redeemed: found.more,
        ..Rows::default()
    })
}

/// The invitations that expired within `time`, and whether there are more.
pub(super) async fn expired(
    parts: &Parts,
    time: &Range<Timestamp>,
    budget: &Budget,
) -> Result<(Vec<Invitation>, bool), RemoteError> {
    let found = parts.dataverse.expiring_within(time, budget).await?;
    let expired = |row: &Invitation| {
        row.standing(time.end) == Standing::Expired && is_ours_to_tell(parts, row)
    };
    Ok((found.rows.into_iter().filter(expired).collect(), found.more))
}

/// The digest tells of what the sweep closes.
fn is_ours_to_tell(parts: &Parts, row: &Invitation) -> bool {
    let policy = &parts.policy;
    let in_scope = policy.sweep_scope == SweepScope::All || row.batch.is_some();
    in_scope && row.is_of(policy.site.website())
}
