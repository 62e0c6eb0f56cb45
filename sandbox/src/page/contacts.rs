//! The contacts of the environment, as the view Contacts lists them.

use std::collections::BTreeMap;

use axum::Router;
use serde_json::{Value, json};

use super::{Page, feed::Feed};
use crate::dataverse::Row;

pub(super) const FEEDS: &[Feed] = &[Feed {
    name: "contacts",
    version: |page| page.sandbox.dataverse.state().store.touched,
    rows,
}];

pub(super) fn router() -> Router<Page> {
    Router::new()
}

fn rows(page: &Page) -> BTreeMap<String, Value> {
    let state = page.sandbox.dataverse.state();
    let contacts = state.store.rows("contact");
    contacts
        .map(|row| (row.id.to_string(), show(row)))
        .collect()
}

fn show(row: &Row) -> Value {
    json!({
        "id": row.id,
        "name": row.text("fullname"),
        "email": row.text("emailaddress1"),
        "language": row.integer("mspp_userpreferredlcid"),
        "registered": row.text("adx_identity_username").is_some(),
        "active": row.integer("statecode") == Some(0),
    })
}
