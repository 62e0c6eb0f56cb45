//! Owns the sending of a digest, and knowing that one was sent.
//!
//! A digest has a delivery key of its own, made of where its time begins. A note in the store tells that it was sent and,
//! in draft mode, so does the mailbox. A run that finds either goes on where that digest ended, so a timer that runs twice tells nothing twice, and one that is run by hand takes nothing from the next.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::mailboxes::soon;
use super::period::earlier;
use crate::domain::batch::MailDelivery;
use crate::letter::Letter;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;
use crate::remote::graph::{Answer, Circular};
use crate::service::Parts;
use crate::service::refusal::draft_is_gone;

/// Runs by hand between two runs by schedule that are followed.
const MOST_RUNS: usize = 50;

/// How long after its time a digest leaves; what happened since is told by the next one.
const LETTER_TIME: SignedDuration = SignedDuration::from_mins(1);

/// How often, and how long apart, a mailbox is asked for a digest whose sending had no clear answer.
const LOOKS: usize = 4;
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

const ACTION: &str = "send the digest";

/// What tells a digest from every other letter.
fn key(beginning: Timestamp) -> String {
    format!("digest/{}", beginning.as_millisecond())
}

fn note_name(beginning: Timestamp) -> String {
    format!("digest-{}", beginning.as_millisecond())
}

/// Where the digests that began at `beginning` have come to, and whether there was any.
pub(super) async fn told_until(
    parts: &Parts,
    mut beginning: Timestamp,
    budget: &Budget,
) -> (Timestamp, bool) {
    let first = beginning;
    for _ in 0..MOST_RUNS {
        match witness(parts, beginning, budget).await {
            Some(until) if until > beginning => beginning = until,
            _ => break,
        }
    }
    (beginning, beginning != first)
}

/// Until when the digest told that began at `beginning`, if it was sent.
async fn witness(parts: &Parts, beginning: Timestamp, budget: &Budget) -> Option<Timestamp> {
    // A store that cannot be read is no reason for silence either: the letter will say so.
    let noted = parts.store.noted(&note_name(beginning)).await.ok();
    if let Some(until) = noted.flatten().and_then(|until| until.parse().ok()) {
        return Some(until);
    }
    match parts.policy.delivery {
        MailDelivery::Draft => in_mailboxes(parts, &key(beginning), budget).await,
        MailDelivery::Send => None,
    }
}

/// When a digest left that a process did not live to note. A mailbox that cannot be asked is no reason for silence.
async fn in_mailboxes(parts: &Parts, key: &str, budget: &Budget) -> Option<Timestamp> {
    let ask = |mailbox: &String| {
        let mailbox = mailbox.clone();
        async move {
            let _turn = soon(parts, &mailbox).await;
            parts.graph.find(&mailbox, key, budget).await.ok().flatten()
        }
    };
    let found = futures::future::join_all(parts.policy.senders.iter().map(ask)).await;
    let mut sent = found.into_iter().flatten().filter(|found| !found.draft);
    sent.next()
        .map(|found| earlier(found.modified, LETTER_TIME))
}

/// Sends the digest of the time from `beginning` on, from the first sender mailbox that takes it.
pub(super) async fn send(
    parts: &Parts,
    letter: &Letter,
    (beginning, until): (Timestamp, Timestamp),
    budget: &Budget,
) -> Result<(), RemoteError> {
    let circular = Circular {
        to: &parts.policy.digest_to,
        subject: &letter.subject,
        html: &letter.html,
        key: &key(beginning),
    };
    let mut refusal = RemoteError::OutOfTime;
    for mailbox in &parts.policy.senders {
        match send_from(parts, mailbox, &circular, budget).await {
            Ok(()) => {
                note(parts, beginning, until).await;
                return Ok(());
            }
            Err(error @ RemoteError::Refused { .. }) => {
                tracing::warn!(%error, "a sender mailbox does not take the digest");
                refusal = error;
            }
            Err(error) => return Err(error),
        }
    }
    Err(refusal)
}

async fn note(parts: &Parts, beginning: Timestamp, until: Timestamp) {
    let (name, text) = (note_name(beginning), until.to_string());
    if let Err(error) = parts.store.note(&name, &text).await {
        tracing::warn!(%error, "the digest was sent and could not be noted");
    }
}

async fn send_from(
    parts: &Parts,
    mailbox: &str,
    circular: &Circular<'_>,
    budget: &Budget,
) -> Result<(), RemoteError> {
    let turn = soon(parts, mailbox).await;
    if let Some(turn) = &turn {
        // Where a large batch keeps the mailbox at its rate, one letter more does less harm than a day without a digest.
        let patience = Budget::within(&parts.clock, budget.left() / 2);
        let _ = turn.free(&patience).await;
    }
    let answer = match parts.policy.delivery {
        MailDelivery::Send => parts.graph.send_circular(mailbox, circular, budget).await?,
        MailDelivery::Draft => send_as_draft(parts, mailbox, circular, budget).await?,
    };
    turn.inspect(|turn| turn.handed_over(1));
    settled(answer)
}

async fn send_as_draft(
    parts: &Parts,
    mailbox: &str,
    circular: &Circular<'_>,
    budget: &Budget,
) -> Result<Answer<()>, RemoteError> {
    let draft = parts
        .graph
        .draft_circular(mailbox, circular, budget)
        .await?;
    let Answer::Done(id) = draft else {
        return Ok(draft.map(|_| ()));
    };
    let sent = parts.graph.send_drafts(mailbox, &[&id], budget).await;
    match sent.ok().and_then(|mut answers| answers.pop()) {
        Some(answer @ (Answer::Done(()) | Answer::Wait(_))) => Ok(answer),
        Some(Answer::Refused(refusal)) if !draft_is_gone(&refusal) => Ok(Answer::Refused(refusal)),
        _ => look_whether_sent(parts, mailbox, &id, budget).await,
    }
}

/// The message stays where it is when it leaves, so it can be asked.
async fn look_whether_sent(
    parts: &Parts,
    mailbox: &str,
    id: &str,
    budget: &Budget,
) -> Result<Answer<()>, RemoteError> {
    for _ in 0..LOOKS {
        let look = parts.graph.look(mailbox, &[id], budget).await?;
        if look.found.iter().flatten().any(|found| !found.draft) {
            return Ok(Answer::Done(()));
        }
        budget.wait(BETWEEN_LOOKS).await?;
    }
    Ok(Answer::Unclear("the draft is still there".to_owned()))
}

fn settled(answer: Answer<()>) -> Result<(), RemoteError> {
    match answer {
        Answer::Done(()) => Ok(()),
        other => Err(other.into_error(ACTION)),
    }
}
