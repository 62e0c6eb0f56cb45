//! Owns the reading of the rows of one batch: all of them by its number, or some of them by their ids.

use super::Dataverse;
use super::listing::queries;
use super::multipart::Step;
use super::odata::{Filter, Query};
use super::rows::{self, Codes, InvitationRow};
use crate::domain::ids::{BatchNumber, InvitationId};
use crate::domain::invitation::Invitation;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

const ACTION: &str = "read the invitations of a batch";

impl Dataverse {
    /// Every row that a batch created.
    pub async fn invitations_of_batch(
        &self,
        batch: BatchNumber,
        codes: Codes,
        budget: &Budget,
    ) -> Result<Vec<Invitation>, RemoteError> {
        let number = Filter::equals("importsequencenumber", i64::from(batch.get()));
        let columns = rows::columns(self.schema(budget).await?, codes);
        let query = Query::over("adx_invitations").select(&columns);
        let step = Step::get(query.filter(&number).to_path());
        self.invitations_by(&[step], budget).await
    }

    /// The rows with these ids, in no order; those that are gone are missing. At most 100,000 belong in one call.
    pub async fn invitations_among(
        &self,
        ids: &[InvitationId],
        codes: Codes,
        budget: &Budget,
    ) -> Result<Vec<Invitation>, RemoteError> {
        let columns = rows::columns(self.schema(budget).await?, codes);
        let steps = queries(ids, |ids| {
            let query = Query::over("adx_invitations").select(&columns);
            query.filter(&Filter::any_of("adx_invitationid", ids))
        });
        self.invitations_by(&steps, budget).await
    }

    async fn invitations_by(
        &self,
        steps: &[Step],
        budget: &Budget,
    ) -> Result<Vec<Invitation>, RemoteError> {
        let mut invitations = Vec::new();
        for part in &self.batch(ACTION, steps, false, budget).await? {
            let rows = self.all_rows::<InvitationRow>(ACTION, part, budget).await?;
            invitations.extend(rows.into_iter().map(Invitation::from));
        }
        Ok(invitations)
    }
}
