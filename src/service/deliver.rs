//! Owns the sending of letters: chunk by chunk from one mailbox, each step journalled before the next.
//!
//! Draft mode: drafts, journal their ids, send, journal, mark, journal. A letter that may have gone out is never
//! made again; `look` finds out. Send mode has one step less and no way to find out.

use std::time::Duration;

use super::compose::Ready;
use super::mark::Mailed;
use super::pace::Turn;
use super::refusal::{as_answer, draft_is_gone};
use super::work::{Next, Stopped, Work};
use crate::domain::batch::{Attempt, Line, MailDelivery, RestCause};
use crate::domain::outcome::ReasonCode;
use crate::remote::error::{RemoteError, Service};
use crate::remote::graph::{Answer, REQUESTS_A_BATCH};

/// Letters in flight at once where each goes by a call of its own: what Graph allows an app at one mailbox.
/// <https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits>
const SENDS_AT_ONCE: usize = 4;

impl Work<'_> {
    /// Delivers everything this batch has for one mailbox.
    pub(super) async fn deliver_from(&self, mailbox: &str) -> Result<(), Stopped> {
        let chunk = match self.parts.policy.delivery {
            MailDelivery::Draft => REQUESTS_A_BATCH,
            MailDelivery::Send => SENDS_AT_ONCE,
        };
        loop {
            let next = self.next(mailbox, chunk);
            if let Next::Nothing = next {
                return Ok(());
            }
            self.patience.permit(true)?;
            match self.take_step(mailbox, next).await {
                // The wait is the mailbox's, and outlives this run.
                Err(Stopped::Remote(RemoteError::Throttled {
                    service: Service::Graph,
                    wait,
                    ..
                })) => self.rest(mailbox, wait, RestCause::Throttled).await?,
                other => other?,
            }
        }
    }

    async fn take_step(&self, mailbox: &str, next: Next) -> Result<(), Stopped> {
        match next {
            Next::Nothing => Ok(()),
            Next::Wait(wait) => Ok(self.patience.wait(wait).await?),
            Next::Look(places) => {
                let turn = self.parts.mailboxes.turn(mailbox, &self.patience).await?;
                self.look_into(mailbox, &places, &turn).await
            }
            Next::Letters(places) => {
                let turn = self.parts.mailboxes.turn(mailbox, &self.patience).await?;
                let free = turn.free(&self.patience).await?;
                let places = &places[..places.len().min(free)];
                self.send_letters(mailbox, places, &turn).await
            }
        }
    }

    async fn send_letters(
        &self,
        mailbox: &str,
        places: &[usize],
        turn: &Turn,
    ) -> Result<(), Stopped> {
        if self.out_of_patience(mailbox) {
            let places = self.items(places);
            return self.give_up(&places, ReasonCode::SenderRefused).await;
        }
        let ready = self.make_letters(places).await?;
        if ready.is_empty() {
            return Ok(());
        }
        match self.parts.policy.delivery {
            MailDelivery::Draft => self.send_as_drafts(mailbox, ready, turn).await,
            MailDelivery::Send => self.send_directly(mailbox, ready, turn).await,
        }
    }

    async fn send_as_drafts(
        &self,
        mailbox: &str,
        ready: Vec<Ready>,
        turn: &Turn,
    ) -> Result<(), Stopped> {
        let messages: Vec<_> = ready.iter().map(|ready| self.message(ready)).collect();
        let answers = self
            .parts
            .graph
            .make_drafts(mailbox, &messages, &self.budget)
            .await?;
        let (mut drafted, mut others) = (Vec::new(), Vec::new());
        for (ready, answer) in ready.into_iter().zip(answers) {
            match answer {
                Answer::Done(id) if !id.is_empty() => drafted.push((ready, id)),
                other => others.push((ready, other.map(|_| ()))),
            }
        }
        self.after_refusals(mailbox, others).await?;
        if drafted.is_empty() {
            return Ok(());
        }
        // Where the mailbox asked to wait over one draft, the others are not sent before either.
        self.budget.wait(self.rest_left(mailbox)).await?;
        let letters = drafted
            .iter()
            .map(|(ready, id)| attempt(ready, Some(id.clone())))
            .collect();
        let at = self.parts.clock.now();
        self.record(vec![Line::Attempting { at, letters }]).await?;
        let ids: Vec<_> = drafted.iter().map(|(_, id)| id.as_str()).collect();
        let sent = self
            .parts
            .graph
            .send_drafts(mailbox, &ids, &self.budget)
            .await;
        turn.handed_over(ids.len());
        let ready: Vec<_> = drafted.into_iter().map(|(ready, _)| ready).collect();
        self.after_sending(mailbox, ready, sent).await
    }

    async fn send_directly(
        &self,
        mailbox: &str,
        ready: Vec<Ready>,
        turn: &Turn,
    ) -> Result<(), Stopped> {
        let letters = ready.iter().map(|ready| attempt(ready, None)).collect();
        let at = self.parts.clock.now();
        self.record(vec![Line::Attempting { at, letters }]).await?;
        let messages: Vec<_> = ready.iter().map(|ready| self.message(ready)).collect();
        let sends = messages
            .iter()
            .map(|message| self.parts.graph.send_mail(mailbox, message, &self.budget));
        let answers = futures::future::join_all(sends).await;
        turn.handed_over(ready.len());
        let answers = answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|error| as_answer(&error)));
        self.after_sending(mailbox, ready, Ok(answers.collect()))
            .await
    }

    /// Journals what the send call said, then marks what was accepted.
    async fn after_sending(
        &self,
        mailbox: &str,
        ready: Vec<Ready>,
        sent: Result<Vec<Answer<()>>, RemoteError>,
    ) -> Result<(), Stopped> {
        let answers = match sent {
            Ok(answers) => answers,
            // The takeover looks at the attempting line; nothing may be written any more.
            Err(error @ RemoteError::LeaseLost) => return Err(error.into()),
            Err(error) => vec![as_answer(&error); ready.len()],
        };
        let drafted = self.parts.policy.delivery == MailDelivery::Draft;
        let (mut accepted, mut unclear, mut not_sent) = (Vec::new(), Vec::new(), Vec::new());
        for (ready, answer) in ready.into_iter().zip(answers) {
            match answer {
                Answer::Done(()) => accepted.push(ready),
                // The draft is not where it was: it may have left by an earlier send.
                Answer::Refused(refusal) if drafted && draft_is_gone(&refusal) => {
                    unclear.push(ready);
                }
                Answer::Unclear(_) => unclear.push(ready),
                definite => not_sent.push((ready, definite)),
            }
        }
        let mut lines = Vec::new();
        if !accepted.is_empty() {
            let entries = accepted.iter().map(|ready| ready.place).collect();
            lines.push(Line::Accepted { entries });
        }
        if !not_sent.is_empty() {
            let entries = not_sent.iter().map(|(ready, _)| ready.place).collect();
            lines.push(Line::Released { entries });
        }
        self.record(lines).await?;
        self.wait_with(
            unclear.iter().map(|ready| ready.place),
            Duration::from_secs(2),
        );
        let mailed = accepted.into_iter().map(Mailed::from).collect();
        self.mark(mailed).await?;
        self.after_refusals(mailbox, not_sent).await
    }
}

fn attempt(ready: &Ready, message: Option<String>) -> Attempt {
    let code_hash = message.is_none().then(|| ready.code.fingerprint());
    Attempt {
        entry: ready.place,
        message,
        code_hash,
    }
}
