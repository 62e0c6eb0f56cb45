//! The contacts of the environment, as the view Contacts lists them, and what a request may name besides.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::Page;
use super::feed::Feed;
use super::sheet::Sheet;
use crate::dataverse::{Cell, Row, State};

/// The kind of site component that a web role is.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/powerpagecomponent>
const WEB_ROLE: i64 = 11;

/// What a request may name, by table.
const NAMED: [&str; 6] = [
    "savedquery",
    "userquery",
    "adx_webrole",
    "powerpagecomponent",
    "account",
    "workflow",
];

pub(super) const FEEDS: &[Feed] = &[Feed {
    name: "choices",
    version: |page| page.sandbox.dataverse.state().store.touched_in(&NAMED),
    rows: choices,
}];

pub(super) const SHEETS: &[Sheet] = &[Sheet {
    name: "contacts",
    table: "contact",
    beside: &["adx_externalidentity"],
    show,
}];

/// Whether a contact has an active external identity, which counts as a sign-in.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_externalidentity>
fn known_elsewhere(state: &State, contact: Uuid) -> bool {
    let mut identities = state.store.rows("adx_externalidentity");
    identities.any(|row| {
        row.id_in("adx_contactid") == Some(contact) && row.integer("statecode") == Some(0)
    })
}

fn show(state: &State, row: &Row) -> Value {
    let username = row.text("adx_identity_username");
    json!({
        "id": row.id,
        "name": row.text("fullname"),
        "email": row.text("emailaddress1"),
        "language": row.integer("mspp_userpreferredlcid"),
        "registered": username.is_some() || known_elsewhere(state, row.id),
        "unwanted": row.cells.get("donotemail") == Some(&Cell::Boolean(true)),
        "active": row.integer("statecode") == Some(0),
    })
}

/// What a request may name beside contacts, each with its kind and name; and where it goes.
fn choices(page: &Page) -> BTreeMap<String, Value> {
    let host = json!({"id": "host", "kind": "host", "name": page.desk.url()});
    let mut choices = BTreeMap::from([("host".to_owned(), host)]);
    let state = page.sandbox.dataverse.state();
    let mut add = |kind: &str, table: &str, name: &str, fits: fn(&Row) -> bool| {
        for row in state.store.rows(table).filter(|row| fits(row)) {
            let choice = json!({"id": row.id, "kind": kind, "name": row.text(name)});
            choices.insert(row.id.to_string(), choice);
        }
    };
    let of_contacts = |row: &Row| row.text("returnedtypecode") == Some("contact");
    let of_roles = |row: &Row| row.integer("powerpagecomponenttype") == Some(WEB_ROLE);
    add("view", "savedquery", "name", of_contacts);
    add("personal view", "userquery", "name", of_contacts);
    add("role", "adx_webrole", "adx_name", |_| true);
    add("role", "powerpagecomponent", "name", of_roles);
    add("account", "account", "name", |_| true);
    add("workflow", "workflow", "name", |_| true);
    choices
}
