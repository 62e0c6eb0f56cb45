//! The invitations of the environment, as the view Invitations lists them: every column that tells how one stands,
//! and never its code.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation>

use std::collections::BTreeMap;

use axum::Router;
use serde_json::{Value, json};

use super::{Page, contacts::touched, feed::Feed};
use crate::dataverse::Row;

pub(super) const FEEDS: &[Feed] = &[Feed {
    name: "invitations",
    version: touched,
    rows,
}];

pub(super) fn router() -> Router<Page> {
    Router::new()
}

fn rows(page: &Page) -> BTreeMap<String, Value> {
    let state = page.sandbox.dataverse.state();
    let rows = state.store.rows("adx_invitation");
    rows.map(|row| (row.id.to_string(), show(row))).collect()
}

fn show(row: &Row) -> Value {
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
