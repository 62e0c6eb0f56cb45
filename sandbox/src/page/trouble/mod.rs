//! Trouble on demand, as the view Faults asks for it: faults of services, a caller without its rights, codes that
//! change, and the end of the handler's process.

mod handler;
mod rules;
mod switches;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::{Json, Router, routing::post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use self::{rules::Wanted, switches::Switch};
use super::{Page, feed::Feed};
use crate::faults::Listed;

/// Why a request is refused, as a sentence for people.
type Refused = (StatusCode, String);

pub(super) const FEEDS: &[Feed] = &[
    Feed {
        name: "faults",
        version: |page| switches::version(page, page.sandbox.faults.changes()),
        rows: faults,
    },
    Feed {
        name: "handler",
        version: handler::version,
        rows: handler::rows,
    },
];

pub(super) fn router() -> Router<Page> {
    Router::new()
        .route("/sandbox/faults", post(begin))
        .route("/sandbox/faults/end", post(end))
        .route("/sandbox/switches", post(turn_on))
        .route("/sandbox/codes/overwrite", post(overwrite_codes))
        .route("/sandbox/tokens/revoke", post(revoke_tokens))
        .route("/sandbox/handler/kill", post(handler::kill))
}

async fn begin(State(page): State<Page>, Json(wanted): Json<Wanted>) -> Result<(), Refused> {
    for rule in wanted.rules(&page.desk)? {
        page.sandbox.faults.add(rule);
    }
    Ok(())
}

async fn turn_on(State(page): State<Page>, Json(Named { id }): Json<Named<Switch>>) {
    id.turn(&page, true);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named<T> {
    id: T,
}

/// Ends one fault or switch, or `all` of them.
async fn end(
    State(page): State<Page>,
    Json(Named { id }): Json<Named<String>>,
) -> Result<(), Refused> {
    let ended = if id == "all" {
        page.sandbox.faults.clear();
        for switch in Switch::ALL {
            switch.turn(&page, false);
        }
        true
    } else if let Some(switch) = Switch::named(&id) {
        switch.turn(&page, false);
        true
    } else {
        (id.parse()).is_ok_and(|number| page.sandbox.faults.remove(number))
    };
    let gone = || {
        (
            StatusCode::NOT_FOUND,
            format!("Fault {id} has ended already."),
        )
    };
    ended.then_some(()).ok_or_else(gone)
}

async fn overwrite_codes(State(page): State<Page>) -> Json<Value> {
    Json(json!({"rows": page.sandbox.dataverse.overwrite_codes()}))
}

async fn revoke_tokens(State(page): State<Page>) -> Json<Value> {
    page.sandbox.identity.revoke_all();
    Json(json!({"tokens": page.sandbox.identity.issued()}))
}

/// The faults that have a name, used up or not, and the switches that are on.
fn faults(page: &Page) -> BTreeMap<String, Value> {
    let rules = page.sandbox.faults.listed();
    let rules = rules.iter().map(show);
    let switches = Switch::ALL.into_iter().filter(|switch| switch.is_on(page));
    let switches = switches.map(|switch| json!({"id": switch, "label": switch.label()}));
    let rows = rules.chain(switches);
    rows.filter_map(|row| Some((row["id"].as_str()?.to_owned(), row)))
        .collect()
}

fn show(fault: &Listed) -> Value {
    json!({
        "id": fault.id.to_string(),
        "label": fault.label,
        "left": fault.left,
        "struck": fault.struck,
    })
}
