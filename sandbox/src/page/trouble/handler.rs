//! Where the handler's process stands, and its end.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use super::{Page, Refused};
use crate::host::HandlerState;

/// The state as a number; two processes in a row have different ids.
pub(super) fn version(page: &Page) -> u64 {
    match page.desk.handler_state() {
        HandlerState::Starting => 0,
        HandlerState::Down(_) | HandlerState::Refused(_) => 1,
        HandlerState::Ready { pid } => 2 + u64::from(pid),
    }
}

/// One row, with the process id while there is one that answers.
pub(super) fn rows(page: &Page) -> BTreeMap<String, Value> {
    let row = match page.desk.handler_state() {
        HandlerState::Starting => json!({"id": "handler", "state": "starting"}),
        HandlerState::Ready { pid } => json!({"id": "handler", "state": "ready", "pid": pid}),
        HandlerState::Down(reason) | HandlerState::Refused(reason) => {
            json!({"id": "handler", "state": "down", "reason": reason})
        }
    };
    BTreeMap::from([("handler".to_owned(), row)])
}

/// Kills the handler without warning, as the host does; the host starts it again.
pub(super) async fn kill(State(page): State<Page>) -> Result<Json<Value>, Refused> {
    let nobody = || {
        let text = "No handler is running at the moment. Wait until it is ready.";
        (StatusCode::CONFLICT, text.to_owned())
    };
    let pid = page.desk.handler_pid().ok_or_else(nobody)?;
    page.desk.kill_handler();
    Ok(Json(json!({"pid": pid})))
}
