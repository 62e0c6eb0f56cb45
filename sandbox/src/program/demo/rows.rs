//! Invitations as a person in Dataverse sees them.

use anyhow::Context as _;
use serde_json::Value;

use super::{Story, cast::Contact};

/// The label of a row's status reason.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation>
pub(super) fn standing(row: &Value) -> &'static str {
    match row["statuscode"].as_i64() {
        Some(1) => "New",
        Some(2) => "Inactive",
        Some(756_150_000) => "Sent",
        Some(756_150_001) => "Redeemed",
        _ => "unknown",
    }
}

/// The moment up to which a row can be redeemed, to the minute.
fn expiry(row: &Value) -> String {
    let text = row["adx_expirydate"].as_str().unwrap_or_default();
    match text.split_once('T') {
        Some((date, time)) => format!("{date} {} UTC", time.get(..5).unwrap_or(time)),
        None => "never".to_owned(),
    }
}

/// Whether a row still has its code.
pub(super) fn has_code(row: &Value) -> bool {
    row["adx_invitationcode"].is_string()
}

impl Story<'_> {
    /// The one invitation of a contact.
    pub(super) fn row(&self, contact: &Contact) -> anyhow::Result<Value> {
        let mut rows = self.stage.sandbox.dataverse.invitations_of(contact.id);
        anyhow::ensure!(
            rows.len() == 1,
            "expected one invitation of {}, but there are {}",
            contact.name,
            rows.len()
        );
        rows.pop().context("no row")
    }

    /// Shows the rows of contacts, each on a line.
    pub(super) fn show_rows<'c>(
        &mut self,
        contacts: impl IntoIterator<Item = &'c Contact>,
    ) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for contact in contacts {
            let row = self.row(contact)?;
            let redemptions = row["adx_redemptions"].as_i64().unwrap_or(0);
            let most = &row["adx_maximumredemptions"];
            lines.push([
                contact.name.clone(),
                standing(&row).to_owned(),
                format!("redeemed {redemptions} of {most}"),
                format!("valid until {}", expiry(&row)),
            ]);
        }
        Ok(self.paper.table(&lines)?)
    }
}
