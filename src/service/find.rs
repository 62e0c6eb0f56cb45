//! Owns finding the one invitation that a caller names.

use super::Parts;
use crate::domain::ids::InvitationId;
use crate::domain::invitation::Invitation;
use crate::remote::budget::Budget;
use crate::remote::dataverse::Codes;
use crate::remote::error::RemoteError;

impl Parts {
    /// The invitation with an id; another site's invitation is none of this deployment's business.
    pub(super) async fn find(
        &self,
        id: InvitationId,
        codes: Codes,
        budget: &Budget,
    ) -> Result<Option<Invitation>, RemoteError> {
        let row = self.dataverse.invitation(id, codes, budget).await?;
        Ok(row.filter(|row| row.is_of(self.policy.site.website())))
    }
}
