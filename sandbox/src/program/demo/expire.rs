//! Time passes, and the sweep closes what nobody redeemed.

use jiff::SignedDuration;

use super::{
    Story,
    cast::Contact,
    expect,
    rows::{has_code, standing},
};

/// An invitation of today works for fourteen days and until the evening of the last.
const DAYS: i64 = 16;

impl Story<'_> {
    /// Makes everything older than the invitations last, and sweeps.
    pub(super) async fn expire(&mut self, contacts: &[Contact]) -> anyhow::Result<()> {
        self.paper.title(&format!(
            "{DAYS} days later function-sweep closes what has expired"
        ))?;
        self.paper
            .aside("Days pass here by making every row and message older.")?;
        self.stage
            .sandbox
            .age(SignedDuration::from_hours(24 * DAYS));
        let run = self.stage.host.fire("function-sweep").await?;
        let invited: Vec<&Contact> = contacts.iter().filter(|it| it.first == "sent").collect();
        let line = run.body["Logs"][0].as_str().unwrap_or_default();
        self.paper.text(&format!("function-sweep: {line}\n"))?;
        self.show_rows(invited.iter().copied())?;
        self.paper.text("\nClosed rows keep their codes.")?;
        expect(
            "the number of invitations closed",
            run.body["tally"]["closed"].as_u64(),
            u64::try_from(invited.len() - 1).ok(),
        )?;
        for contact in invited {
            let row = self.row(contact)?;
            let redeemed = contact.again == "skipped alreadyRegistered";
            let status = if redeemed { "Redeemed" } else { "Inactive" };
            expect(
                &format!("the row of {}", contact.name),
                standing(&row),
                status,
            )?;
            expect(
                &format!("the code of {} there", contact.name),
                has_code(&row),
                true,
            )?;
        }
        Ok(())
    }
}
