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

/// Where so many letters may go at once, each chunk of them fills its batches.
const MOST_LETTERS: usize = 2 * REQUESTS_A_BATCH;

impl Work<'_> {
    /// Delivers everything this batch has for one mailbox: these entries.
    pub(super) async fn deliver_from(
        &self,
        mailbox: &str,
        mut places: Vec<usize>,
    ) -> Result<(), Stopped> {
        let most = MOST_LETTERS.min(self.parts.mailboxes.letters_a_minute());
        loop {
            let mut news = self.rows.news();
            let growing = *news.borrow_and_update();
            let next = match self.next(mailbox, &mut places, most, growing) {
                Next::Nothing => return Ok(()),
                Next::Rows => {
                    // Who creates them says when no more come.
                    let _ = news.changed().await;
                    continue;
                }
                next => next,
            };
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
            Next::Nothing | Next::Rows => Ok(()),
            Next::Wait(wait) => Ok(self.patience.wait(wait).await?),
            Next::Look(places) => {
                let turn = self.parts.mailboxes.turn(mailbox, &self.patience).await?;
                self.look_into(mailbox, &places, &turn).await
            }
            Next::Letters(places) => {
                let turn = self.parts.mailboxes.turn(mailbox, &self.patience).await?;
                let free = turn.soon(&self.patience).await?;
                let places = &places[..places.len().min(self.chunk(free))];
                self.send_letters(mailbox, places, turn).await
            }
        }
    }

    /// How many letters are made together where so many may go.
    fn chunk(&self, free: usize) -> usize {
        match self.parts.policy.delivery {
            MailDelivery::Send => SENDS_AT_ONCE.min(free),
            // Where nobody else waits for them, all of a minute's letters share the reading and the marking.
            MailDelivery::Draft if self.alone && free < MOST_LETTERS => free,
            MailDelivery::Draft => REQUESTS_A_BATCH.min(free),
        }
    }

    async fn send_letters(
        &self,
        mailbox: &str,
        places: &[usize],
        turn: Turn,
    ) -> Result<(), Stopped> {
        if self.out_of_patience(mailbox) {
            let places = self.items(places);
            return self.give_up(&places, ReasonCode::SenderRefused).await;
        }
        let ready = self.make_letters(places).await?;
        if ready.is_empty() {
            return Ok(());
        }
        let mut mailed = Vec::new();
        let sent = match self.parts.policy.delivery {
            MailDelivery::Draft => {
                self.send_as_drafts(mailbox, ready, &turn, &mut mailed)
                    .await
            }
            MailDelivery::Send => self.send_directly(mailbox, ready, &turn, &mut mailed).await,
        };
        drop(turn);
        // Whatever came of the others, what is out is marked.
        self.mark(mailed).await?;
        sent
    }

    async fn send_as_drafts(
        &self,
        mailbox: &str,
        ready: Vec<Ready>,
        turn: &Turn,
        mailed: &mut Vec<Mailed>,
    ) -> Result<(), Stopped> {
        let mut drafted = self.draft(mailbox, ready).await?.into_iter();
        let at_once = self.parts.mailboxes.letters_a_handover();
        // Where the mailbox asked to wait over one draft, the others are not sent before either.
        let rest = self.rest_left(mailbox);
        if !rest.is_zero() {
            self.budget.wait(rest).await?;
        }
        loop {
            let some: Vec<_> = drafted
                .by_ref()
                .take(at_once.min(REQUESTS_A_BATCH))
                .collect();
            // Where it asks to wait over one letter, the others are made anew after that.
            if some.is_empty() || !self.rest_left(mailbox).is_zero() {
                return Ok(());
            }
            turn.room_for(some.len(), &self.patience).await?;
            self.send_drafted(mailbox, some, turn, mailed).await?;
        }
    }

    /// Makes drafts, and gives those that were made with their ids.
    async fn draft(
        &self,
        mailbox: &str,
        ready: Vec<Ready>,
    ) -> Result<Vec<(Ready, String)>, Stopped> {
        let messages: Vec<_> = ready.iter().map(|ready| self.message(ready)).collect();
        let mut answers = Vec::new();
        for messages in messages.chunks(REQUESTS_A_BATCH) {
            let made = self
                .parts
                .graph
                .make_drafts(mailbox, messages, &self.budget);
            answers.extend(made.await?);
        }
        let (mut drafted, mut others) = (Vec::new(), Vec::new());
        for (ready, answer) in ready.into_iter().zip(answers) {
            match answer {
                Answer::Done(id) if !id.is_empty() => drafted.push((ready, id)),
                other => others.push((ready, other.map(|_| ()))),
            }
        }
        self.after_refusals(mailbox, others).await?;
        Ok(drafted)
    }

    async fn send_drafted(
        &self,
        mailbox: &str,
        drafted: Vec<(Ready, String)>,
        turn: &Turn,
        mailed: &mut Vec<Mailed>,
    ) -> Result<(), Stopped> {
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
        self.after_sending(mailbox, ready, sent, mailed).await
    }

    async fn send_directly(
        &self,
        mailbox: &str,
        ready: Vec<Ready>,
        turn: &Turn,
        mailed: &mut Vec<Mailed>,
    ) -> Result<(), Stopped> {
        turn.room_for(ready.len(), &self.patience).await?;
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
        self.after_sending(mailbox, ready, Ok(answers.collect()), mailed)
            .await
    }

    /// Journals what the send call said, and adds what was accepted to what is to be marked.
    async fn after_sending(
        &self,
        mailbox: &str,
        ready: Vec<Ready>,
        sent: Result<Vec<Answer<()>>, RemoteError>,
        mailed: &mut Vec<Mailed>,
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
        mailed.extend(accepted.into_iter().map(Mailed::from));
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
