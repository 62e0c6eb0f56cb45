//! Owns what a new row is made of and what it replaces, judged on the old rows as they are now.
//!
//! Closing the old and creating the new is one step of Dataverse's, under the versions read here: a contact never has
//! two invitations that can be redeemed, nor none.

use std::collections::HashMap;

use super::work::{Stopped, Work};
use crate::domain::batch::Plan;
use crate::domain::ids::InvitationId;
use crate::domain::invitation::{Invitation, Standing};
use crate::domain::invitation_code::InvitationCode;
use crate::domain::outcome::{Outcome, OutcomeKind, ReasonCode};
use crate::domain::progress::Item;
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::invitations::{Change, ChangeTo, NewInvitation};

/// The name of a row whose contact has none.
const NAMELESS: &str = "Invitation";

type OldRows = HashMap<InvitationId, Invitation>;

/// Entries with the rows to create for them.
pub(super) type RowsToCreate<'a> = Vec<(usize, NewInvitation<'a>)>;

impl Work<'_> {
    /// The rows to create for entries, and the ends of those for which none is created any more.
    pub(super) async fn rows_to_create<'a>(
        &self,
        items: &'a [(usize, Item)],
    ) -> Result<(RowsToCreate<'a>, Vec<(usize, Outcome)>), Stopped> {
        let old = self.old_rows(items).await?;
        let (mut rows, mut outcomes) = (Vec::new(), Vec::new());
        for (place, item) in items {
            let Some(id) = item.invitation() else {
                continue;
            };
            match self.closes(&item.entry.plan, &old) {
                Ok(closes) => rows.push((*place, self.new_row(id, item, closes))),
                Err(outcome) => outcomes.push((*place, outcome)),
            }
        }
        Ok((rows, outcomes))
    }

    fn new_row<'a>(
        &self,
        id: InvitationId,
        item: &'a Item,
        closes: Vec<Change>,
    ) -> NewInvitation<'a> {
        NewInvitation {
            id,
            contact: item.entry.contact,
            name: item.entry.name.as_deref().unwrap_or(NAMELESS),
            code: InvitationCode::from_random(self.parts.chance.bytes()),
            closes,
        }
    }

    async fn old_rows(&self, items: &[(usize, Item)]) -> Result<OldRows, Stopped> {
        let ids: Vec<_> = items
            .iter()
            .flat_map(|(_, item)| item.entry.plan.replaced().iter().copied())
            .collect();
        let dataverse = &self.parts.dataverse;
        let rows = dataverse
            .invitations(&ids, Codes::Left, &self.budget)
            .await?;
        Ok(rows
            .into_iter()
            .flatten()
            .map(|row| (row.id, row))
            .collect())
    }

    /// What closes the rows that a plan replaces. One that was redeemed meanwhile is the contact's sign-in.
    fn closes(&self, plan: &Plan, old: &OldRows) -> Result<Vec<Change>, Outcome> {
        let mut closes = Vec::new();
        for row in plan.replaced().iter().filter_map(|id| old.get(id)) {
            match row.standing(self.parts.clock.now()) {
                Standing::Unsent | Standing::Pending => {
                    closes.push(Change::of(row, ChangeTo::Closed));
                }
                Standing::Redeemed => {
                    let skipped = Outcome::about(OutcomeKind::Skipped, row.id, row.expires);
                    return Err(skipped.because(ReasonCode::AlreadyRegistered));
                }
                Standing::Expired | Standing::Revoked => {}
            }
        }
        Ok(closes)
    }

    /// Whether rows that were to be closed exist.
    pub(super) async fn still_there(&self, closes: &[Change]) -> Result<bool, Stopped> {
        let ids: Vec<_> = closes.iter().map(|change| change.id).collect();
        let dataverse = &self.parts.dataverse;
        let rows = dataverse
            .invitations(&ids, Codes::Left, &self.budget)
            .await?;
        Ok(rows.iter().all(Option::is_some))
    }
}
