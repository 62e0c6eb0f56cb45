//! What became of the latest runs of each timer, whoever asked for them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::Value;

use super::{error::HostError, invoke::Invocation};

/// How many runs of each timer are kept.
const KEPT: usize = 5;

/// One run of a timer function.
#[derive(Clone, Debug)]
pub struct Run {
    /// When the host called the handler, or began to wait for it.
    pub started: Timestamp,
    /// How it ended; `None` while it is under way.
    pub end: Option<RunEnd>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// How long it took.
    pub took: Duration,
    /// The handler's answer, or why the run failed.
    pub outcome: Result<Value, String>,
}

/// The latest runs by the timer's name, newest last.
#[derive(Debug, Default)]
pub(super) struct Runs(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    by_timer: BTreeMap<String, VecDeque<Run>>,
    changes: u64,
}

impl Runs {
    /// Notes that a run of a timer begins; runs of one timer never overlap.
    pub(super) fn begin(&self, timer: &str, now: Timestamp) {
        let inner = &mut *self.0.lock();
        inner.changes += 1;
        let runs = inner.by_timer.entry(timer.to_owned()).or_default();
        runs.push_back(Run {
            started: now,
            end: None,
        });
        if runs.len() > KEPT {
            runs.pop_front();
        }
    }

    /// Notes how the run ended that began last.
    pub(super) fn end(&self, timer: &str, now: Timestamp, result: &Result<Invocation, HostError>) {
        let inner = &mut *self.0.lock();
        inner.changes += 1;
        let runs = inner.by_timer.get_mut(timer);
        if let Some(run) = runs.and_then(VecDeque::back_mut) {
            run.end = Some(RunEnd {
                took: now.duration_since(run.started).unsigned_abs(),
                outcome: match result {
                    Ok(invocation) => Ok(invocation.body.clone()),
                    Err(error) => Err(words(error)),
                },
            });
        }
    }

    /// The latest runs of a timer, newest first.
    pub(super) fn of(&self, timer: &str) -> Vec<Run> {
        let inner = self.0.lock();
        let runs = inner.by_timer.get(timer).into_iter().flatten();
        runs.rev().cloned().collect()
    }

    /// A number that grows whenever a run begins or ends.
    pub(super) fn changes(&self) -> u64 {
        self.0.lock().changes
    }
}

/// The error, and what the handler's answer says of it in the words of problem+json.
/// <https://www.rfc-editor.org/rfc/rfc9457>
fn words(error: &HostError) -> String {
    let HostError::Failed { body, .. } = error else {
        return error.to_string();
    };
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let said = ["title", "detail"].map(|name| problem[name].as_str());
    let said: Vec<&str> = said.into_iter().flatten().collect();
    if said.is_empty() {
        return error.to_string();
    }
    format!("{error}: {}", said.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(body: &str) -> HostError {
        HostError::Failed {
            function: "sweep".to_owned(),
            status: Some(500),
            body: body.to_owned(),
            reason: "no success".to_owned(),
        }
    }

    #[test]
    fn the_latest_runs_are_kept_newest_first() {
        let runs = Runs::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        for second in 0..7 {
            runs.begin("sweep", at(second));
            runs.end("sweep", at(second + 2), &Err(failed("")));
        }
        runs.begin("sweep", at(20));
        let kept = runs.of("sweep");
        let started: Vec<i64> = kept.iter().map(|run| run.started.as_second()).collect();
        assert_eq!(started, [20, 6, 5, 4, 3]);
        assert!(kept[0].end.is_none());
        let end = kept[1].end.as_ref().unwrap();
        assert_eq!(end.took, Duration::from_secs(2));
        assert_eq!(runs.changes(), 15);
        assert!(runs.of("digest").is_empty());
    }

    #[test]
    fn a_failure_is_told_in_the_words_of_its_answer() {
        let body = r#"{"title":"Too busy.","detail":"Try later.","status":503}"#;
        assert_eq!(
            words(&failed(body)),
            "sweep failed: no success: Too busy. Try later."
        );
        assert_eq!(words(&failed("oops")), "sweep failed: no success");
    }
}
