//! function-dispatch: a timer, each minute; finishes accepted work that nobody works on.

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
    let tally = service.dispatch().await?;
    if tally.open > 0 {
        tracing::info!(
            past_due = run.past_due,
            open = tally.open,
            worked = tally.worked,
            ended = tally.ended,
            settled = tally.settled,
            left = tally.left,
            stopped = tally.stopped,
            "dispatched"
        );
    }
    let line = format!(
        "{} of {} open batches worked on, {} entries settled, {} left.",
        tally.worked, tally.open, tally.settled, tally.left
    );
    Ok(answer(&line, &tally))
}
