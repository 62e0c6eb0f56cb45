//! function-remind: a timer, each day; plans reminders of invitations that expire soon. The dispatcher sends them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::Value;

use super::problem::Problem;
use super::timer::{TimerRun, answer};
use crate::service::Service;

pub(super) async fn handle(
    State(service): State<Service>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let run = TimerRun::read(&body)?;
    let tally = service.remind().await?;
    tracing::info!(past_due = run.past_due, ?tally, "reminders planned");
    let line = format!(
        "{} reminders planned, {} invitations expire soon.",
        tally.planned, tally.examined
    );
    Ok(answer(&line, &tally))
}
