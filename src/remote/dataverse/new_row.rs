//! Owns what a new invitation row is made of.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::invitations::Change;
use super::odata;
use crate::domain::batch::Bound;
use crate::domain::ids::{AccountId, BatchNumber, ContactId, InvitationId, WebsiteId, WorkflowId};
use crate::domain::invitation::{STATUS_NEW, STATUS_SENT, TYPE_SINGLE};
use crate::domain::invitation_code::InvitationCode;

/// Who owns a new row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A team.
    Team(uuid::Uuid),
    /// A user.
    SystemUser(uuid::Uuid),
}

/// What the new rows of a batch have in common.
#[derive(Clone, Debug)]
pub struct NewRows<'a> {
    /// Written on each row.
    pub batch: BatchNumber,
    /// Until when it can be redeemed.
    pub expires: Timestamp,
    /// Created as Sent, because the caller hands the link over.
    pub as_sent: bool,
    /// Rows to bind.
    pub bound: &'a Bound,
    /// The site, where the deployment names one.
    pub website: Option<WebsiteId>,
    /// Who owns the rows, when not the app's own user.
    pub owner: Option<Owner>,
}

/// A row to create.
#[derive(Clone, Debug)]
pub struct NewInvitation<'a> {
    /// The planned id.
    pub id: InvitationId,
    /// The invited contact.
    pub contact: ContactId,
    /// The contact's full name.
    pub name: &'a str,
    /// The code.
    pub code: InvitationCode,
    /// What is closed in the same step.
    pub closes: Vec<Change>,
}

/// The body of a new row. Navigation property names are case-sensitive, and not alike.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation>
pub(super) fn new_row(common: &NewRows<'_>, row: &NewInvitation<'_>) -> Value {
    let mut body = Map::from_iter([
        ("adx_name".to_owned(), json!(shortened(row.name))),
        ("adx_type".to_owned(), json!(TYPE_SINGLE)),
        ("adx_maximumredemptions".to_owned(), json!(1)),
        ("adx_invitationcode".to_owned(), json!(row.code.expose())),
        (
            "adx_expirydate".to_owned(),
            json!(odata::Value::Moment(common.expires).to_string()),
        ),
        ("importsequencenumber".to_owned(), json!(common.batch.get())),
        (
            "statuscode".to_owned(),
            json!(if common.as_sent {
                STATUS_SENT
            } else {
                STATUS_NEW
            }),
        ),
    ]);
    let mut bind = |name: &str, set: &str, id: Option<uuid::Uuid>| {
        if let Some(id) = id {
            body.insert(format!("{name}@odata.bind"), json!(format!("/{set}({id})")));
        }
    };
    bind("adx_inviteContact", "contacts", Some(row.contact.uuid()));
    bind(
        "adx_invitercontact",
        "contacts",
        common.bound.inviter.map(ContactId::uuid),
    );
    bind(
        "adx_assignToAccount",
        "accounts",
        common.bound.account.map(AccountId::uuid),
    );
    bind(
        "adx_redemptionWorkflow",
        "workflows",
        common.bound.workflow.map(WorkflowId::uuid),
    );
    bind(
        "mspp_websiteid",
        "powerpagesites",
        common.website.map(WebsiteId::uuid),
    );
    match common.owner {
        Some(Owner::Team(id)) => bind("ownerid", "teams", Some(id)),
        Some(Owner::SystemUser(id)) => bind("ownerid", "systemusers", Some(id)),
        None => {}
    }
    Value::Object(body)
}

/// The name column takes 200 characters.
fn shortened(name: &str) -> String {
    name.chars().take(200).collect()
}
