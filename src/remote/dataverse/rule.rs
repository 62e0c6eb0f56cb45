//! Owns asking Dataverse whether one contact meets a rule, and whether anyone ever made an invitation for it.
//!
//! The rule is a setting, a `$filter` over contacts; Dataverse alone evaluates it, so that it means what it means there.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows>

use serde::Deserialize;
use uuid::Uuid;

use super::listing::InvitationQuery;
use super::multipart::{Part, Step};
use super::odata::{Filter, Query};
use super::rows::InvitationRow;
use super::{Dataverse, Page};
use crate::domain::ids::ContactId;
use crate::remote::budget::Budget;
use crate::remote::error::{Refusal, RemoteError};

const READ: &str = "ask whether a contact is to be invited";

/// What Dataverse says about a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The contact is there, and meets the rule.
    pub matches: bool,
    /// There is an invitation for it, whatever has become of that.
    pub invited: bool,
}

/// Why there is no ruling.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Dataverse does not understand the rule.
    #[error("the rule was refused by Dataverse: {0}")]
    Rejected(Refusal),
    /// Dataverse could not be asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

#[derive(Deserialize)]
struct IdRow {
    contactid: Uuid,
}

impl Dataverse {
    /// Asks about a contact; one request. `invitations` says which invitations count.
    pub async fn rule(
        &self,
        contact: ContactId,
        rule: &str,
        invitations: &InvitationQuery,
        budget: &Budget,
    ) -> Result<Ruling, RuleError> {
        let invitations = invitations.path(self.schema(budget).await?);
        let itself = Filter::equals("contactid", contact.uuid());
        let person = Query::over("contacts")
            .select(&["contactid"])
            .option("$filter", format!("{itself} and ({rule})"));
        let steps = [Step::get(person.to_path()), Step::get(invitations)];
        let parts = self.batch(READ, &steps, false, budget).await?;
        let [person, invitations] = parts.as_slice() else {
            let missing = self
                .endpoint
                .unreadable(READ, "fewer answers than questions");
            return Err(missing.into());
        };
        if is_about_the_rule(person) {
            return Err(RuleError::Rejected(super::refusal(person)));
        }
        let people: Page<IdRow> = self.page(READ, person)?;
        let invitations: Page<InvitationRow> = self.page(READ, invitations)?;
        // A rule whose parentheses do not match may find others.
        let mut people = people.value.iter();
        Ok(Ruling {
            matches: people.any(|row| row.contactid == contact.uuid()),
            invited: !invitations.value.is_empty(),
        })
    }
}

/// Whether a refusal is due to the rule, and not to the service or to a missing privilege.
fn is_about_the_rule(part: &Part) -> bool {
    matches!(part.status.as_u16(), 400 | 404 | 413 | 414 | 501)
}
