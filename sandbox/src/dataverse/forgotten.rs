//! A forgotten process: it gives invitations new codes when their letters may be out.

use uuid::Uuid;

use super::row_rules::stock_code;
use super::{Cell, Changes, Dataverse};
use crate::dataverse::payload::Writer;

/// New, and Sent.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation#BKMK_statuscode>
const OPEN: [i64; 2] = [1, 756_150_000];

impl Dataverse {
    /// Gives every open invitation, sent or not, a code of its own; how many there were.
    pub fn overwrite_codes(&self) -> usize {
        let entity = self.known("adx_invitations");
        self.inside(|execution| {
            let rows = execution.state.store.rows(entity.table.logical);
            let open = rows.filter(|row| {
                row.integer("statuscode")
                    .is_some_and(|it| OPEN.contains(&it))
            });
            let open: Vec<Uuid> = open.map(|row| row.id).collect();
            for id in &open {
                let code = Cell::Text(stock_code(execution.state));
                let changes = Changes::from([("adx_invitationcode", Some(code))]);
                execution.update(entity, *id, changes, Writer::Inside)?;
            }
            Ok(open.len())
        })
    }
}
