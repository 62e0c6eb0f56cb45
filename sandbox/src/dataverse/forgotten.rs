//! A forgotten process: it gives invitations new codes when their letters may be out.

use uuid::Uuid;

use super::payload::Writer;
use super::row_rules::stock_code;
use super::{Cell, Changes, Dataverse, Row};

/// New, and Sent.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation#BKMK_statuscode>
const OPEN: [i64; 2] = [1, 756_150_000];

/// Whether somebody may still redeem an invitation, but for its expiry.
pub(crate) fn is_open(invitation: &Row) -> bool {
    let status = invitation.integer("statuscode");
    status.is_some_and(|status| OPEN.contains(&status))
}

impl Dataverse {
    /// Gives every open invitation, sent or not, a code of its own; how many there were.
    pub fn overwrite_codes(&self) -> usize {
        let entity = self.known("adx_invitations");
        self.inside(|execution| {
            let rows = execution.state.store.rows(entity.table.logical);
            let open: Vec<Uuid> = rows.filter(|row| is_open(row)).map(|row| row.id).collect();
            for id in &open {
                let code = Cell::Text(stock_code(execution.state));
                let changes = Changes::from([("adx_invitationcode", Some(code))]);
                execution.update(entity, *id, changes, Writer::Inside)?;
            }
            Ok(open.len())
        })
    }
}
