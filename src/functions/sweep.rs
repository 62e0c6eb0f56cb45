//! function-sweep: a timer, each hour; closes invitations that are past their expiry.

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
    let tally = service.sweep().await?;
    tracing::info!(
        past_due = run.past_due,
        last = ?run.last,
        examined = tally.examined,
        closed = tally.closed,
        changed = tally.changed,
        failed = tally.failed,
        more = tally.more,
        "swept"
    );
    let line = format!(
        "{} expired invitations closed, {} had changed, {} failed{}.",
        tally.closed,
        tally.changed,
        tally.failed,
        if tally.more {
            "; more are left for the next run"
        } else {
            ""
        }
    );
    Ok(answer(&line, &tally))
}
