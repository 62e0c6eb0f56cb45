//! The invitations of the environment, as the view Invitations lists them: every column that tells how one stands,
//! and never its code.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation>

use serde_json::{Value, json};

use super::sheet::Sheet;
use crate::dataverse::{Row, State};

pub(super) const SHEETS: &[Sheet] = &[Sheet {
    name: "invitations",
    table: "adx_invitation",
    beside: &[],
    show,
}];

fn show(_: &State, row: &Row) -> Value {
    let moment = |column| row.moment(column).map(|moment| moment.to_string());
    json!({
        "id": row.id,
        "version": row.version,
        "contact": row.id_in("adx_invitecontact"),
        "type": row.integer("adx_type"),
        "state": row.integer("statecode"),
        "status": row.integer("statuscode"),
        "hasCode": row.text("adx_invitationcode").is_some(),
        "batch": row.integer("importsequencenumber"),
        "expires": moment("adx_expirydate"),
        "created": moment("createdon"),
        "modified": moment("modifiedon"),
        "redemptions": row.integer("adx_redemptions").unwrap_or(0),
        "redeemedBy": row.id_in("adx_redeemedcontact"),
    })
}
