//! How time passes: everything stored is made older, and timers are run, as the view Clock asks for it.
//!
//! The clock itself stays. How much time has passed gives a date of its own, by which timers would have become due; the
//! host runs them by the clock all the same.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::{Json, Router, routing::post};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Page, feed::Feed};
use crate::dataverse::is_open;
use crate::host::{Call, Timer};

/// No more than this passes in one sandbox: ten years, but for leap days.
const LONGEST: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// Why a request is refused, as a sentence for people.
type Refused = (StatusCode, String);

pub(super) const FEEDS: &[Feed] = &[
    Feed {
        name: "time",
        version: |page| page.sandbox.dataverse.state().store.touched,
        rows: time,
    },
    Feed {
        name: "timers",
        // Moments at which timers are due go by each second.
        version: |page| {
            page.desk.calls_version() + page.sandbox.clock.now().as_second().unsigned_abs()
        },
        rows: timers,
    },
];

pub(super) fn router() -> Router<Page> {
    Router::new()
        .route("/sandbox/clock", post(pass))
        .route("/sandbox/clock/next", post(pass_until_next))
        .route("/sandbox/timers", post(run))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Passing {
    seconds: i64,
}

/// Lets time pass; the answer names the timers that would have run meanwhile, in the order in which to run them now.
async fn pass(
    State(page): State<Page>,
    Json(passing): Json<Passing>,
) -> Result<Json<Value>, Refused> {
    let by = SignedDuration::from_secs(passing.seconds);
    let due = page.let_pass(by)?;
    Ok(Json(json!({"seconds": by.as_secs(), "due": due})))
}

/// Lets time pass until the next timer is due that does not run each minute, and runs it.
async fn pass_until_next(State(page): State<Page>) -> Result<Json<Value>, Refused> {
    let date = page.date();
    let none = || {
        let text = "This app has no timer that is due less often than each minute.";
        (StatusCode::CONFLICT, text.to_owned())
    };
    let (next, name) = page.desk.next_rare(date).ok_or_else(none)?;
    // Dataverse keeps whole seconds.
    let by = next.duration_since(date).as_secs() + 1;
    let mut due = page.let_pass(SignedDuration::from_secs(by))?;
    due.retain(|other| *other != name);
    page.run(vec![name.clone()]);
    Ok(Json(json!({"seconds": by, "ran": name, "due": due})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Timers {
    names: Vec<String>,
}

/// Runs timers now, one after the other; the feed tells how they end.
async fn run(State(page): State<Page>, Json(wanted): Json<Timers>) -> Result<(), Refused> {
    let known = page.desk.timers();
    let unknown = (wanted.names.iter()).find(|name| known.iter().all(|timer| timer.name != **name));
    if let Some(name) = unknown {
        let text = format!("There is no timer called {name} that is turned on.");
        return Err((StatusCode::NOT_FOUND, text));
    }
    page.run(wanted.names);
    Ok(())
}

impl Page {
    /// The date that it would be, had time really passed.
    fn date(&self) -> Timestamp {
        let now = self.sandbox.clock.now();
        now.saturating_add(self.sandbox.aged()).unwrap_or(now)
    }

    fn let_pass(&self, by: SignedDuration) -> Result<Vec<String>, Refused> {
        let refused = |text: String| Err((StatusCode::BAD_REQUEST, text));
        if !by.is_positive() {
            return refused("Time passes by at least one second, and never backwards.".to_owned());
        }
        let passed = self.sandbox.aged();
        if passed.saturating_add(by) > LONGEST {
            let days = passed.as_hours() / 24;
            return refused(format!(
                "At most ten years pass in one sandbox. So far {days} days have; start it again to begin anew."
            ));
        }
        let before = self.date();
        self.sandbox.age(by);
        Ok(self.desk.due_between(before, self.date()))
    }

    fn run(&self, names: Vec<String>) {
        let desk = self.desk.clone();
        tokio::spawn(async move {
            for name in names {
                if let Err(error) = desk.fire(&name).await {
                    tracing::error!("Executed '{name}' (Failed): {error}");
                }
            }
        });
    }
}

/// One row: how much time has passed, and when the next open invitation expires.
fn time(page: &Page) -> BTreeMap<String, Value> {
    let (now, passed) = (page.sandbox.clock.now(), page.sandbox.aged().as_secs());
    let state = page.sandbox.dataverse.state();
    let rows = state.store.rows("adx_invitation");
    let open = rows.filter(|row| is_open(row));
    let expiries = open.filter_map(|row| row.moment("adx_expirydate"));
    let (ahead, past): (Vec<_>, Vec<_>) = expiries.partition(|expiry| *expiry > now);
    let row = json!({
        "id": "time",
        "passed": passed,
        "open": ahead.len(),
        "expiry": ahead.iter().min(),
        "expired": past.len(),
    });
    BTreeMap::from([("time".to_owned(), row)])
}

fn timers(page: &Page) -> BTreeMap<String, Value> {
    let timers = page.desk.timers().into_iter();
    timers
        .map(|timer| (timer.name.clone(), show(&timer)))
        .collect()
}

fn show(timer: &Timer) -> Value {
    json!({
        "id": timer.name,
        "schedule": timer.schedule,
        "words": timer.words,
        "next": timer.next,
        "runs": timer.runs.iter().map(show_run).collect::<Vec<_>>(),
    })
}

/// A run; without `ok` while it is under way.
fn show_run(run: &Call) -> Value {
    let Some(end) = &run.ending else {
        return json!({"started": run.at});
    };
    let text = (end.failure.clone()).unwrap_or_else(|| end.logs.join("\n"));
    let milliseconds = u64::try_from(end.took.as_millis()).ok();
    json!({"started": run.at, "milliseconds": milliseconds, "ok": end.failure.is_none(), "text": text})
}
