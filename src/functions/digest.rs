//! function-digest: a timer, each day; writes to `DIGEST_TO` what happened since it last ran.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::Value;

use super::problem::{Code, Problem};
use super::timer::{TimerRun, answer};
use crate::service::Service;
use crate::service::digest::{DigestError, DigestOutcome};

pub(super) async fn handle(
    State(service): State<Service>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let run = TimerRun::read(&body)?;
    let tally = service.digest(run.last).await?;
    tracing::info!(
        past_due = run.past_due,
        last = ?run.last,
        outcome = ?tally.outcome,
        unseen = tally.unseen,
        "the digest is done"
    );
    let line = match tally.outcome {
        DigestOutcome::Off => "DIGEST_TO is not set: nothing to do.",
        DigestOutcome::NoNews => "No news, so no letter.",
        DigestOutcome::Sent => "The digest was sent.",
    };
    Ok(answer(line, &tally))
}

impl From<DigestError> for Problem {
    fn from(error: DigestError) -> Self {
        match error {
            DigestError::Remote(error) => error.into(),
            DigestError::Letter(error) => {
                tracing::error!(%error, "a letter could not be made");
                Self::new(Code::InternalError)
            }
        }
    }
}
