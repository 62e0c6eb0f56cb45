//! What the host called: each invocation of a function, when it began, and how it ended. The last ones are kept, and
//! the last runs of each timer, for the page that shows them. It knows nothing of what the functions do.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use http::Method;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::Value;
use uuid::Uuid;

use super::{Desk, error::HostError, invoke::Invocation};
use crate::{clock::Clock, mask};

/// How many invocations are kept.
const KEPT: usize = 1_000;
/// How many runs of a timer are kept, however long ago they were.
const RUNS_KEPT: usize = 5;

/// One invocation of a function.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number in the order in which invocations began, from 1.
    pub number: u64,
    /// The id that the handler saw in `X-Azure-Functions-InvocationId`.
    pub id: Uuid,
    /// The function's name.
    pub function: String,
    /// What it was called for.
    pub cause: Cause,
    /// When it began.
    pub at: Timestamp,
    /// How it ended; `None` while it runs.
    pub ending: Option<Ending>,
}

/// What a function was called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A request.
    Http {
        /// Its method.
        method: Method,
        /// Its path and query, decoded, without codes and keys.
        target: String,
    },
    /// A timer was due, or somebody ran it.
    Timer,
}

/// How an invocation ended.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// How long it took, until the head of the answer was there.
    pub took: Duration,
    /// The handler's status, if it answered.
    pub status: Option<u16>,
    /// Why it failed, where the host says so; an answer to an HTTP request is none, whatever its status.
    pub failure: Option<String>,
    /// What a timer's answer has in `Logs`.
    pub logs: Vec<String>,
}

impl Ending {
    /// An HTTP request was answered so.
    pub(super) fn answered(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// There is no answer that the host takes.
    pub(super) fn failed(error: &HostError) -> Self {
        let status = match error {
            HostError::Failed { status, .. } => *status,
            _ => None,
        };
        Self {
            status,
            failure: Some(words(error)),
            ..Self::default()
        }
    }

    /// A timer function ended so.
    pub(super) fn of_timer(result: &Result<Invocation, HostError>) -> Self {
        let invocation = match result {
            Ok(invocation) => invocation,
            Err(error) => return Self::failed(error),
        };
        let logs = invocation.body["Logs"].as_array().into_iter().flatten();
        Self {
            logs: logs.filter_map(Value::as_str).map(str::to_owned).collect(),
            ..Self::answered(invocation.status)
        }
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

#[derive(Debug, Default)]
struct Book {
    calls: VecDeque<Call>,
    begun: u64,
    version: u64,
}

impl Book {
    /// The runs of a timer that are kept, newest first.
    fn runs(&self, timer: &str) -> impl Iterator<Item = &Call> {
        let runs = self.calls.iter().rev();
        runs.filter(move |call| call.cause == Cause::Timer && call.function == timer)
    }

    /// Forgets the oldest one, but no timer's last runs.
    fn forget(&mut self) {
        let is_old = |call: &Call| {
            let last = self.runs(&call.function).nth(RUNS_KEPT - 1);
            call.cause != Cause::Timer || last.is_some_and(|last| call.number < last.number)
        };
        if let Some(place) = self.calls.iter().position(is_old) {
            self.calls.remove(place);
        }
    }
}

/// The last invocations; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Arc<Mutex<Book>>);

impl Calls {
    /// The last invocations, in the order in which they began.
    pub(super) fn list(&self) -> Vec<Call> {
        self.0.lock().calls.iter().cloned().collect()
    }

    /// The latest runs of a timer, newest first.
    pub(super) fn runs_of(&self, timer: &str) -> Vec<Call> {
        let book = self.0.lock();
        book.runs(timer).take(RUNS_KEPT).cloned().collect()
    }

    /// Another number whenever the list is another one.
    pub(super) fn version(&self) -> u64 {
        self.0.lock().version
    }

    /// Notes that an invocation begins now.
    pub(super) fn begin(&self, clock: &Clock, id: Uuid, function: &str, cause: Cause) -> Begun {
        let mut book = self.0.lock();
        book.begun += 1;
        book.version += 1;
        let number = book.begun;
        if book.calls.len() >= KEPT {
            book.forget();
        }
        book.calls.push_back(Call {
            number,
            id,
            function: function.to_owned(),
            cause,
            at: clock.now(),
            ending: None,
        });
        Begun {
            calls: self.clone(),
            clock: clock.clone(),
            number,
            ending: None,
        }
    }

    fn end(&self, number: u64, now: Timestamp, ending: Ending) {
        let mut book = self.0.lock();
        book.version += 1;
        // It may be one of those that are no longer kept.
        let Ok(place) = book.calls.binary_search_by_key(&number, |call| call.number) else {
            return;
        };
        let call = &mut book.calls[place];
        let took = now.duration_since(call.at).try_into().unwrap_or_default();
        call.ending = Some(Ending { took, ..ending });
    }
}

/// An invocation under way; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Begun {
    calls: Calls,
    clock: Clock,
    number: u64,
    ending: Option<Ending>,
}

impl Begun {
    /// Notes how the invocation ended; without this, that its caller did not wait for the end.
    pub(super) fn end(mut self, ending: Ending) {
        self.ending = Some(ending);
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let left = || Ending {
            failure: Some("the caller left, or the front end cut it off".to_owned()),
            ..Ending::default()
        };
        let ending = self.ending.take().unwrap_or_else(left);
        self.calls.end(self.number, self.clock.now(), ending);
    }
}

impl Cause {
    /// A request, as people may see it.
    pub(super) fn request<B>(request: &http::Request<B>) -> Self {
        let target = request.uri().path_and_query();
        Self::Http {
            method: request.method().clone(),
            target: mask::readable(target.map_or("/", |target| target.as_str())),
        }
    }
}

impl Desk {
    /// The last invocations, at most 1,000, in the order in which they began.
    pub fn calls(&self) -> Vec<Call> {
        self.inner.calls.list()
    }

    /// Another number whenever [`Self::calls`] has become another list.
    pub fn calls_version(&self) -> u64 {
        self.inner.calls.version()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(calls: &Calls, clock: &Clock) -> Begun {
        let cause = Cause::Http {
            method: Method::GET,
            target: "/".to_owned(),
        };
        calls.begin(clock, Uuid::nil(), "function-a", cause)
    }

    #[tokio::test(start_paused = true)]
    async fn an_invocation_is_there_while_it_runs_and_has_its_time_at_the_end() {
        let (calls, clock) = (Calls::default(), Clock::system());
        let begun = begin(&calls, &clock);
        let version = calls.version();
        assert!(calls.list()[0].ending.is_none());
        tokio::time::sleep(Duration::from_secs(3)).await;
        begun.end(Ending::answered(202));
        assert_ne!(calls.version(), version);
        let ending = calls.list()[0].ending.clone().unwrap();
        assert_eq!((ending.took.as_secs(), ending.status), (3, Some(202)));
        assert_eq!(ending.failure, None);
    }

    #[tokio::test]
    async fn an_invocation_that_nobody_waited_for_says_so() {
        let (calls, clock) = (Calls::default(), Clock::system());
        drop(begin(&calls, &clock));
        let ending = calls.list()[0].ending.clone().unwrap();
        assert!(ending.failure.unwrap().contains("caller left"));
    }

    #[tokio::test]
    async fn only_the_last_ones_are_kept_and_an_old_one_may_still_end() {
        let (calls, clock) = (Calls::default(), Clock::system());
        let first = begin(&calls, &clock);
        for _ in 0..KEPT {
            begin(&calls, &clock).end(Ending::answered(200));
        }
        first.end(Ending::answered(500));
        let list = calls.list();
        assert_eq!((list.len(), list[0].number), (KEPT, 2));
        assert!(
            list.iter()
                .all(|call| call.ending.as_ref().unwrap().status == Some(200))
        );
    }

    #[tokio::test]
    async fn the_last_runs_of_a_timer_are_kept_however_many_requests_come() {
        let (calls, clock) = (Calls::default(), Clock::system());
        let run = |name: &str| drop(calls.begin(&clock, Uuid::nil(), name, Cause::Timer));
        run("function-sweep");
        for _ in 0..RUNS_KEPT + 3 {
            run("function-dispatch");
        }
        for _ in 0..KEPT * 2 {
            begin(&calls, &clock).end(Ending::answered(200));
        }
        assert_eq!(calls.list().len(), KEPT);
        assert_eq!(calls.runs_of("function-sweep").len(), 1);
        let runs = calls.runs_of("function-dispatch");
        let numbers: Vec<u64> = runs.iter().map(|run| run.number).collect();
        assert_eq!(numbers, [9, 8, 7, 6, 5]);
        let dispatches = calls.list().into_iter();
        let kept = dispatches.filter(|call| call.function == "function-dispatch");
        assert_eq!(kept.count(), RUNS_KEPT);
    }

    #[test]
    fn a_failure_is_told_in_the_words_of_its_answer() {
        let failed = |body: &str| HostError::Failed {
            function: "sweep".to_owned(),
            status: Some(500),
            body: body.to_owned(),
            reason: "no success".to_owned(),
        };
        let body = r#"{"title":"Too busy.","detail":"Try later.","status":503}"#;
        assert_eq!(
            words(&failed(body)),
            "sweep failed: no success: Too busy. Try later."
        );
        assert_eq!(words(&failed("oops")), "sweep failed: no success");
    }
}
