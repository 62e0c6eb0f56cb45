//! Owns the looking up of rows that a request wants each invitation to point to.

use serde::Deserialize;
use uuid::Uuid;

use super::Dataverse;
use super::multipart::{Part, Step};
use super::schema::Schema;
use crate::domain::batch::{Bound, BoundRole, DataModel};
use crate::domain::ids::{WebRoleId, WebsiteId};
use crate::domain::invitation::STATE_ACTIVE;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// Rows that a request wants bound on each invitation, as far as they exist.
#[derive(Debug, Default)]
pub struct BoundRows {
    /// The inviting contact's name; `None` where there is no such contact.
    pub inviter: Option<Option<String>>,
    /// Whether the account exists.
    pub account: bool,
    /// Whether the workflow exists and is an activated one.
    pub workflow: bool,
    /// The web roles that exist.
    pub roles: Vec<BoundRole>,
}

#[derive(Deserialize)]
struct StateRow {
    statecode: i32,
    fullname: Option<String>,
    powerpagecomponenttype: Option<i32>,
    #[serde(rename = "_powerpagesiteid_value")]
    site: Option<Uuid>,
}

/// `powerpagecomponenttype` of a web role.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/powerpagecomponent>
const COMPONENT_IS_WEB_ROLE: i32 = 11;

const ACTION: &str = "look for the inviter, account, workflow and web roles";

impl Dataverse {
    /// Looks for the rows to bind; what is not asked for counts as missing.
    ///
    /// A web role of another site than `website` counts as missing too.
    pub async fn bound_rows(
        &self,
        bound: &Bound,
        roles: &[WebRoleId],
        website: Option<WebsiteId>,
        budget: &Budget,
    ) -> Result<BoundRows, RemoteError> {
        let rows = [
            bound
                .inviter
                .map(|id| format!("contacts({id})?$select=statecode,fullname")),
            bound
                .account
                .map(|id| format!("accounts({id})?$select=statecode")),
            bound
                .workflow
                .map(|id| format!("workflows({id})?$select=statecode")),
        ];
        if roles.is_empty() && rows.iter().all(Option::is_none) {
            return Ok(BoundRows::default());
        }
        let schema = self.schema(budget).await?;
        let candidates: Vec<_> = roles
            .iter()
            .flat_map(|id| candidates(schema, *id))
            .collect();
        let questions = rows.iter().flatten().cloned();
        let questions = questions.chain(candidates.iter().map(|role| question(*role)));
        let operations: Vec<_> = questions.map(Step::get).collect();
        let parts = self.batch(ACTION, &operations, false, budget).await?;
        let mut answers = parts.iter();
        let mut next = |asked: bool| self.answer(asked.then(|| answers.next()).flatten());
        // An activated workflow has state 1; contacts and accounts in use have state 0.
        let mut found = BoundRows {
            inviter: next(rows[0].is_some())?.map(|row| row.fullname),
            account: next(rows[1].is_some())?.is_some_and(|row| row.statecode == STATE_ACTIVE),
            workflow: next(rows[2].is_some())?.is_some_and(|row| row.statecode == 1),
            roles: Vec::new(),
        };
        for role in candidates {
            if next(true)?.is_some_and(|row| row.is_role(role.model, website)) {
                found.roles.push(role);
            }
        }
        Ok(found)
    }

    fn answer(&self, part: Option<&Part>) -> Result<Option<StateRow>, RemoteError> {
        match part {
            Some(part) => self.found(ACTION, part),
            None => Ok(None),
        }
    }
}

impl StateRow {
    fn is_role(&self, model: DataModel, website: Option<WebsiteId>) -> bool {
        let of_another_site = match (self.site, website) {
            (Some(site), Some(website)) => site != website.uuid(),
            _ => false,
        };
        let of_this_kind = match model {
            DataModel::Enhanced => self.powerpagecomponenttype == Some(COMPONENT_IS_WEB_ROLE),
            DataModel::Standard => true,
        };
        of_this_kind && !of_another_site && self.statecode == STATE_ACTIVE
    }
}

/// Where a role may be.
fn candidates(schema: &Schema, id: WebRoleId) -> impl Iterator<Item = BoundRole> {
    let models = schema.role_models.iter();
    models.map(move |model| BoundRole { id, model: *model })
}

fn question(role: BoundRole) -> String {
    let columns = match role.model {
        DataModel::Enhanced => "statecode,powerpagecomponenttype,_powerpagesiteid_value",
        DataModel::Standard => "statecode",
    };
    format!("{}?$select={columns}", role_row(role))
}

/// The address of a web role's row, relative to the service root.
pub(super) fn role_row(role: BoundRole) -> String {
    let set = match role.model {
        DataModel::Enhanced => "powerpagecomponents",
        DataModel::Standard => "adx_webroles",
    };
    format!("{set}({})", role.id)
}

/// The relationship between invitations and web roles: its name, and that of the collection on an invitation.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation#many-to-many-relationships>
pub(super) fn role_relationship(model: DataModel) -> &'static str {
    match model {
        DataModel::Enhanced => "adx_invitation_mspp_webrole_powerpagecomponent",
        DataModel::Standard => "adx_invitation_webrole",
    }
}
