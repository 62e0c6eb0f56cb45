//! Runs a `$batch`: operations one after the other, changesets as a whole, faults where they are due.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api>

use http::{Method, StatusCode};
use uuid::Uuid;

use super::Dataverse;
use super::errors::Refusal;
use super::execution::Execution;
use super::multipart::{self, Part};
use super::multipart_answer::{self, Answer};
use super::reply::{Operation, Origin, Preferences, Reply};
use super::resource::{ROOT_PATH, References};
use crate::faults::{Fault, Service};
use crate::latency::pass;
use crate::traffic::{Operations, Step};

/// The longest address of an operation inside a batch, in characters.
const LONGEST_URL: usize = 65_536;

/// What a fault makes of an operation.
#[derive(Debug)]
enum Interruption {
    /// Nothing is done; this is the answer.
    Before(Reply),
    /// The work is done; this is the answer all the same.
    After(Reply),
}

impl Dataverse {
    /// Runs the batch that a request holds.
    pub(crate) async fn run_batch(&self, request: &Operation, origin: &Origin) -> Reply {
        if request.method != Method::POST {
            return Refusal::method(&request.method).into_reply();
        }
        let content_type = request.header("content-type").unwrap_or_default();
        let preferences = Preferences::read(&request.headers)
            .map_err(|name| Refusal::unsupported(format!("the preference '{name}' of a batch")));
        let parts = multipart::read(content_type, &request.body, &origin.root);
        match (preferences, parts) {
            (Ok(preferences), Ok(parts)) => {
                self.run_parts(parts, origin, preferences.continue_on_error)
                    .await
            }
            (Err(refusal), _) | (_, Err(refusal)) => refusal.into_reply(),
        }
    }

    async fn run_parts(&self, parts: Vec<Part>, origin: &Origin, continue_on_error: bool) -> Reply {
        let mut answers = Vec::new();
        let mut status = StatusCode::OK;
        let count = parts.iter().map(Part::operations).sum();
        let mut steps = Vec::new();
        for part in parts {
            let answer = self.run_part(part, origin, &mut steps).await;
            let failed = failure(&answer).filter(|_| !continue_on_error);
            answers.push(answer);
            if let Some(failed) = failed {
                status = failed;
                break;
            }
        }
        let boundary = format!("batchresponse_{}", self.mint());
        let mut reply = Reply::new(status).with_header(
            "content-type",
            &format!("multipart/mixed; boundary={boundary}"),
        );
        reply.body = multipart_answer::write(&boundary, &answers).into();
        reply.operations = Operations {
            count,
            steps: steps.into(),
        };
        reply
    }

    async fn run_part(&self, part: Part, origin: &Origin, steps: &mut Vec<Step>) -> Answer {
        match part {
            Part::Single(operation) => {
                let interruption = self.interrupt(&operation).await;
                let struck = interruption.is_some();
                let reply = match interruption {
                    Some(Interruption::Before(reply)) => {
                        pass(self.times().operation).await;
                        reply
                    }
                    Some(Interruption::After(reply)) => {
                        self.run_in_time(&operation, origin).await;
                        reply
                    }
                    None => self.run_in_time(&operation, origin).await,
                };
                let id = operation.content_id.clone();
                steps.push(step(operation, &reply, struck));
                Answer::Single(id, reply)
            }
            Part::ChangeSet(operations) => {
                let (answer, struck) = self.run_changeset(&operations, origin).await;
                let told = (operations.into_iter().enumerate()).map(|(place, operation)| {
                    let reply = match &answer {
                        Answer::Single(_, reply) => reply,
                        Answer::ChangeSet(_, replies) => &replies[place].1,
                    };
                    step(operation, reply, struck)
                });
                steps.extend(told);
                answer
            }
        }
    }

    /// Runs one operation by itself.
    pub(crate) fn run_alone(&self, operation: &Operation, origin: &Origin) -> Reply {
        if operation.target.len() > LONGEST_URL {
            return Refusal::new(StatusCode::URI_TOO_LONG, "", "The URL is too long.").into_reply();
        }
        let mut state = self.state();
        state.caller = origin.caller;
        let references = &mut References::new();
        Execution {
            state: &mut state,
            root: &origin.root,
            references,
        }
        .answer(operation)
    }

    /// The answer, and whether a fault gave it.
    async fn run_changeset(&self, operations: &[Operation], origin: &Origin) -> (Answer, bool) {
        let mut late = None;
        for operation in operations {
            match self.interrupt(operation).await {
                Some(Interruption::Before(reply)) => {
                    return (Answer::Single(operation.content_id.clone(), reply), true);
                }
                Some(Interruption::After(reply)) => {
                    late = Some((operation.content_id.clone(), reply));
                }
                None => {}
            }
        }
        let times = self.times();
        pass(times.changeset + times.write(operations.len())).await;
        match (self.run_together(operations, origin), late) {
            (Answer::ChangeSet(..), Some((id, reply))) => (Answer::Single(id, reply), true),
            (answer, _) => (answer, false),
        }
    }

    /// Runs operations in one transaction: all their answers, or the first failure with nothing done.
    fn run_together(&self, operations: &[Operation], origin: &Origin) -> Answer {
        let mut state = self.state();
        state.caller = origin.caller;
        let mut references = References::new();
        let mut replies = Vec::new();
        let told = state.webhooks.mark();
        state.store.begin();
        for operation in operations {
            let references = &mut references;
            let reply = Execution {
                state: &mut state,
                root: &origin.root,
                references,
            }
            .answer(operation);
            let id = operation.content_id.clone();
            if is_failure(&reply) {
                state.store.roll_back();
                state.webhooks.roll_back(told);
                return Answer::Single(id, reply);
            }
            replies.push((id, reply));
        }
        state.store.commit();
        Answer::ChangeSet(format!("changesetresponse_{}", state.mint()), replies)
    }

    /// Waits and calls back as the faults for an operation say, and finds how they end it.
    async fn interrupt(&self, operation: &Operation) -> Option<Interruption> {
        let path = format!("{ROOT_PATH}{}", operation.target);
        let faults = self
            .faults()
            .take(Service::Dataverse, &operation.method, &path, true);
        for fault in faults {
            match fault {
                Fault::Delay(time) => tokio::time::sleep(time).await,
                Fault::Call(callback) => callback(),
                Fault::DropBefore => return Some(Interruption::Before(broken())),
                Fault::Quote { status } => {
                    return Some(Interruption::Before(quoted(status, operation)));
                }
                Fault::DropAfter => return Some(Interruption::After(broken())),
                Fault::Answer {
                    status,
                    retry_after_seconds,
                    code,
                    effect,
                } => {
                    let status = StatusCode::from_u16(status);
                    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                    let mut refusal = Refusal::new(status, code, "An injected fault.");
                    refusal.retry_after_seconds = retry_after_seconds;
                    let reply = refusal.into_reply();
                    return Some(if effect {
                        Interruption::After(reply)
                    } else {
                        Interruption::Before(reply)
                    });
                }
            }
        }
        None
    }

    fn mint(&self) -> Uuid {
        self.state().mint()
    }
}

/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/perform-conditional-operations-using-web-api>
fn step(operation: Operation, reply: &Reply, struck: bool) -> Step {
    let creates =
        operation.method == Method::POST || operation.header("if-none-match") == Some("*");
    Step {
        creates,
        method: operation.method,
        target: operation.target,
        status: reply.status.as_u16(),
        struck,
    }
}

/// An error whose text repeats the operation.
fn quoted(status: u16, operation: &Operation) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = String::from_utf8_lossy(&operation.body);
    let message = format!("Cannot process {} with {body}", operation.target);
    Refusal::new(status, "Quoted", message).into_reply()
}

fn broken() -> Reply {
    let message = "An unexpected error occurred.";
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "0x80040216", message).into_reply()
}

fn is_failure(reply: &Reply) -> bool {
    reply.status.is_client_error() || reply.status.is_server_error()
}

/// The status of an answer that ends a batch.
fn failure(answer: &Answer) -> Option<StatusCode> {
    match answer {
        Answer::Single(_, reply) => is_failure(reply).then_some(reply.status),
        Answer::ChangeSet(..) => None,
    }
}
