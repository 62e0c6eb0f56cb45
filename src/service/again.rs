//! Owns sending a draft for a second time, after a first send that nobody can tell the end of.
//!
//! Only a draft whose id is journalled is ever sent, and only when the mailbox, by its own clock, has left it alone
//! for a minute: a submitted message looks like a draft for a while. After that, a minute passes between two sends
//! by our clock too. <https://learn.microsoft.com/graph/outlook-things-to-know-about-send-mail>

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::look::{BETWEEN_LOOKS, Open, unconfirmed};
use super::pace::Turn;
use super::refusal::{Blame, LONG_REST, PATIENCE, as_answer, blame, draft_is_gone};
use super::work::{Stopped, Work};
use crate::domain::batch::{Attempt, Line, RestCause};
use crate::domain::invitation::Standing;
use crate::domain::outcome::{Outcome, OutcomeKind, ReasonCode};
use crate::domain::progress::Stage;
use crate::remote::error::RemoteError;
use crate::remote::graph::{Answer, Found};

/// How long a draft must have been left alone.
const SETTLING: SignedDuration = SignedDuration::from_secs(60);

/// A letter whose fate is open, found as a draft.
type Draft = (Open, Found);

/// What to do about a draft now.
enum Turned {
    Wait,
    Send,
    /// Its row was closed or has expired: the link is dead.
    Dead,
    /// It was tried for a day.
    GivenUp,
}

impl Work<'_> {
    /// Sends drafts that were left alone for long enough, by the same ids.
    pub(super) async fn send_again(
        &self,
        mailbox: &str,
        drafts: Vec<Draft>,
        mailbox_time: Timestamp,
        turn: &Turn,
    ) -> Result<(), Stopped> {
        let resting = !self.rest_left(mailbox).is_zero();
        let (mut due, mut waiting, mut dead, mut given_up) = (vec![], vec![], vec![], vec![]);
        for draft in drafts {
            match self.judge_draft(&draft, mailbox_time) {
                Turned::Send if !resting => due.push(draft),
                Turned::Send | Turned::Wait => waiting.push(draft.0.place),
                Turned::Dead => dead.push(draft),
                Turned::GivenUp => given_up.push(unconfirmed(&draft.0)),
            }
        }
        self.wait_with(waiting, BETWEEN_LOOKS);
        self.settle(given_up).await?;
        self.settle_dead(&dead).await?;
        if due.is_empty() {
            return Ok(());
        }
        let free = turn.free(&self.patience).await?;
        due.truncate(free);
        self.send_due(mailbox, due, turn).await
    }

    fn judge_draft(&self, (open, found): &Draft, mailbox_time: Timestamp) -> Turned {
        let Stage::Attempting { since, at, .. } = open.stage else {
            return Turned::Wait;
        };
        let now = self.parts.clock.now();
        let mut alone = mailbox_time.duration_since(found.modified);
        // If submitting did not touch the draft, the mailbox's clock would allow a third send at once.
        if at > since {
            alone = alone.min(now.duration_since(at));
        }
        if alone <= SETTLING {
            return Turned::Wait;
        }
        if !open.plan.may_send(open.row.standing(now)) {
            return Turned::Dead;
        }
        if now.duration_since(since) >= PATIENCE {
            Turned::GivenUp
        } else {
            Turned::Send
        }
    }

    async fn send_due(&self, mailbox: &str, due: Vec<Draft>, turn: &Turn) -> Result<(), Stopped> {
        let letters = due.iter().map(|(open, _)| Attempt {
            entry: open.place,
            message: open.message().map(str::to_owned),
            code_hash: None,
        });
        let (at, letters) = (self.parts.clock.now(), letters.collect());
        self.record(vec![Line::Attempting { at, letters }]).await?;
        let ids: Vec<_> = due.iter().filter_map(|(open, _)| open.message()).collect();
        let sent = self
            .parts
            .graph
            .send_drafts(mailbox, &ids, &self.budget)
            .await;
        turn.handed_over(ids.len());
        let answers = match sent {
            Ok(answers) => answers,
            Err(error @ RemoteError::LeaseLost) => return Err(error.into()),
            Err(error) => vec![as_answer(&error); due.len()],
        };
        self.after_second_send(mailbox, due, answers).await
    }

    /// Drafts that never left, whose rows were closed or expired meanwhile.
    async fn settle_dead(&self, dead: &[Draft]) -> Result<(), Stopped> {
        let mut outcomes = Vec::new();
        for (open, _) in dead {
            let code = match open.row.standing(self.parts.clock.now()) {
                Standing::Expired => ReasonCode::Expired,
                _ => ReasonCode::Conflict,
            };
            let outcome = Outcome::about(OutcomeKind::Failed, open.row.id, open.row.expires);
            let closed = self.close_for(&open.row, outcome.because(code)).await?;
            outcomes.extend(closed.map(|outcome| (open.place, outcome)));
        }
        self.settle(outcomes).await
    }

    /// An accepted one is marked; of most of the rest the mailbox is asked again, because a second send of a letter
    /// that has left is refused in several ways.
    async fn after_second_send(
        &self,
        mailbox: &str,
        due: Vec<Draft>,
        answers: Vec<Answer<()>>,
    ) -> Result<(), Stopped> {
        let (mut accepted, mut rest, mut outcomes) = (Vec::new(), None, Vec::new());
        for ((open, found), answer) in due.into_iter().zip(answers) {
            match answer {
                Answer::Done(()) => accepted.push((open, Some(found))),
                Answer::Wait(wait) => {
                    rest = rest.or(Some((wait, RestCause::Throttled)));
                    self.wait_with([open.place], wait);
                }
                Answer::Unclear(_) => self.wait_with([open.place], BETWEEN_LOOKS),
                Answer::Refused(refusal) if draft_is_gone(&refusal) => {
                    self.wait_with([open.place], BETWEEN_LOOKS);
                }
                Answer::Refused(refusal) => match blame(&refusal) {
                    Blame::Quota => rest = Some((LONG_REST, RestCause::Quota)),
                    Blame::Sender => rest = Some((LONG_REST, RestCause::Refused)),
                    Blame::Recipient => {
                        let refused = self.refuse_recipient(open.place, &open.row, &refusal);
                        outcomes.extend(refused.await?);
                    }
                },
            }
        }
        self.found_sent(accepted).await?;
        self.settle(outcomes).await?;
        match rest {
            Some((wait, cause)) => {
                self.rest(mailbox, Duration::max(wait, BETWEEN_LOOKS), cause)
                    .await
            }
            None => Ok(()),
        }
    }
}
