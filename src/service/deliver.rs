//! Owns the sending of letters: chunk by chunk from one mailbox, each step journalled before the next.
//!
//! Draft mode: drafts, journal their ids, send, journal, mark, journal. A letter that may have gone out is never
//! made again; `look` finds out. Send mode has one step less and no way to find out.

use std::time::Duration;

use super::plan::check_contact;
use super::work::{Next, Stopped, Work};
use crate::domain::batch::{Attempt, Line, MailDelivery, RestCause};
use crate::domain::email_address::EmailAddress;
use crate::domain::ids::ContactId;
use crate::domain::invitation::{Invitation, Standing, Version};
use crate::domain::invitation_code::InvitationCode;
use crate::domain::outcome::{Outcome, OutcomeKind, Reason, ReasonCode};
use crate::domain::progress::Item;
use crate::domain::redeem_link::{RedeemLink, ReturnPath};
use crate::letter::{Letter, LetterContent};
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::contacts::Survey;
use crate::remote::error::{Refusal, RemoteError};
use crate::remote::graph::{Answer, Message, REQUESTS_A_BATCH};

use super::mark::Mailed;
use super::pace::Turn;

/// Letters in flight at once where each goes by a call of its own: what Graph allows an app at one mailbox.
/// <https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits>
const SENDS_AT_ONCE: usize = 4;

/// How long a mailbox rests that is refused or has used up its day.
const LONG_REST: Duration = Duration::from_hours(1);

/// How long a mailbox may be refused before its letters are given up: rights take hours to arrive.
/// <https://learn.microsoft.com/exchange/permissions-exo/application-rbac>
const PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A letter ready to leave, and the row it was made from.
pub(super) struct Ready {
    pub(super) place: usize,
    row: Invitation,
    code: InvitationCode,
    to: EmailAddress,
    to_name: String,
    letter: Letter,
    key: String,
}

impl Work<'_> {
    /// Delivers everything this batch has for one mailbox.
    pub(super) async fn deliver_from(&self, mailbox: &str) -> Result<(), Stopped> {
        let chunk = match self.parts.policy.delivery {
            MailDelivery::Draft => REQUESTS_A_BATCH,
            MailDelivery::Send => SENDS_AT_ONCE,
        };
        loop {
            let next = self.next(mailbox, chunk);
            if !matches!(next, Next::Nothing) {
                self.patience.permit(true)?;
            }
            match next {
                Next::Nothing => return Ok(()),
                Next::Wait(wait) => self.patience.wait(wait).await?,
                Next::Look(places) => {
                    let turn = self.parts.mailboxes.turn(mailbox, &self.patience).await?;
                    self.look_into(mailbox, &places, &turn).await?;
                }
                Next::Letters(places) => {
                    let turn = self.parts.mailboxes.turn(mailbox, &self.patience).await?;
                    let free = turn.free(&self.patience).await?;
                    let places = &places[..places.len().min(free)];
                    self.send_letters(mailbox, places, &turn).await?;
                }
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

    /// Whether a mailbox has been refused for so long that its letters are given up.
    pub(super) fn out_of_patience(&self, mailbox: &str) -> bool {
        let rest = self
            .rest_of(mailbox)
            .filter(|rest| rest.cause == RestCause::Refused);
        rest.is_some_and(|rest| self.parts.clock.now().duration_since(rest.since) >= PATIENCE)
    }

    /// Reads rows and contacts as they are now, makes the letters that may go, settles the rest.
    async fn make_letters(&self, places: &[usize]) -> Result<Vec<Ready>, Stopped> {
        let items = self.items(places);
        let contacts: Vec<ContactId> = items.iter().map(|(_, item)| item.entry.contact).collect();
        let survey = self
            .parts
            .dataverse
            .survey(&contacts, Codes::Included, &self.budget)
            .await?;
        let (mut ready, mut outcomes) = (Vec::new(), Vec::new());
        for (place, item) in &items {
            match self.judge_letter(*place, item, &survey).await? {
                Judged::Ready(letter) => ready.push(*letter),
                Judged::Settled(outcome) => outcomes.push((*place, outcome)),
                Judged::Later => self.wait_with([*place], Duration::from_secs(5)),
            }
        }
        self.settle(outcomes).await?;
        Ok(ready)
    }

    /// Whether an entry's letter may still go, judged on what is stored now.
    async fn judge_letter(
        &self,
        place: usize,
        item: &Item,
        survey: &Survey,
    ) -> Result<Judged, Stopped> {
        let rows = survey.invitations_of(item.entry.contact);
        let own = rows.iter().find(|row| Some(row.id) == item.invitation());
        let Some(row) = own else {
            return Ok(Judged::Settled(Outcome::without(
                OutcomeKind::Failed,
                ReasonCode::Conflict,
            )));
        };
        let about = |kind| Outcome::about(kind, row.id, row.expires);
        let settled = match row.standing(self.parts.clock.now()) {
            Standing::Unsent => None,
            Standing::Pending => Some(about(OutcomeKind::Kept).because(ReasonCode::Conflict)),
            Standing::Redeemed => {
                Some(about(OutcomeKind::Skipped).because(ReasonCode::AlreadyRegistered))
            }
            Standing::Revoked => Some(about(OutcomeKind::Failed).because(ReasonCode::Conflict)),
            Standing::Expired => {
                return self
                    .refuse(row, about(OutcomeKind::Failed).because(ReasonCode::Expired))
                    .await;
            }
        };
        if let Some(outcome) = settled {
            return Ok(Judged::Settled(outcome));
        }
        if let Some(older) = self.older_pending(row, rows).await? {
            return self
                .refuse(
                    row,
                    Outcome::about(OutcomeKind::Kept, older.id, older.expires),
                )
                .await;
        }
        match check_contact(
            item.entry.contact,
            survey,
            true,
            self.terms.include_registered,
        ) {
            Err(outcome) => self.refuse(row, outcome).await,
            Ok(None) => Ok(Judged::Later),
            Ok(Some(to)) => self.compose(place, row, to, item, survey).await,
        }
    }

    async fn refuse(&self, row: &Invitation, outcome: Outcome) -> Result<Judged, Stopped> {
        Ok(self
            .close_for(row, outcome)
            .await?
            .map_or(Judged::Later, Judged::Settled))
    }

    /// Makes the letter from the row as it is stored: a process may have replaced the code since it was created.
    async fn compose(
        &self,
        place: usize,
        row: &Invitation,
        to: EmailAddress,
        item: &Item,
        survey: &Survey,
    ) -> Result<Judged, Stopped> {
        let conflict = || Outcome::without(OutcomeKind::Failed, ReasonCode::Conflict);
        let Some(code) = row.code.clone() else {
            return self.refuse(row, conflict()).await;
        };
        let to_name = survey
            .contacts
            .get(&item.entry.contact)
            .and_then(|contact| contact.name.clone());
        let to_name = to_name.unwrap_or_default();
        let letter = match self.render(row, &code, &to_name) {
            Ok(letter) => letter,
            Err(error) => {
                tracing::error!(batch = %self.terms.number, invitation = %row.id, %error, "a letter could not be made");
                let reason = Reason {
                    code: ReasonCode::Conflict,
                    detail: Some("its letter could not be made from the template".into()),
                };
                return self
                    .refuse(row, Outcome::without(OutcomeKind::Failed, reason))
                    .await;
            }
        };
        let key = delivery_key(row.id, self.terms.number);
        Ok(Judged::Ready(Box::new(Ready {
            place,
            row: row.clone(),
            code,
            to,
            to_name,
            letter,
            key,
        })))
    }

    fn render(
        &self,
        row: &Invitation,
        code: &InvitationCode,
        name: &str,
    ) -> Result<Letter, crate::letter::LetterError> {
        let (policy, terms) = (&self.parts.policy, &self.terms.letter);
        let language = policy
            .languages
            .get(&terms.language)
            .and_then(Option::as_ref);
        let return_path = terms
            .return_path
            .as_deref()
            .and_then(|path| ReturnPath::parse(path).ok());
        let link = RedeemLink::new(&policy.portal_url, language, code, return_path.as_ref());
        self.parts.letters.render(&LetterContent {
            language: &terms.language,
            template: &terms.template,
            brand: &policy.brand,
            contact_name: name,
            inviter_name: terms.inviter_name.as_deref(),
            message: terms.message.as_deref(),
            subject: terms.subject.as_deref(),
            link: &link,
            expires: row.expires,
            zone: &policy.time_zone,
        })
    }

    fn message<'r>(&'r self, ready: &'r Ready) -> Message<'r> {
        Message {
            to: ready.to.as_str(),
            to_name: &ready.to_name,
            subject: &ready.letter.subject,
            html: &ready.letter.html,
            reply_to: self.parts.policy.reply_to.as_deref(),
            key: &ready.key,
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
            .await;
        let answers = match answers {
            Err(RemoteError::Throttled { wait, .. }) => {
                return self.rest(mailbox, wait, RestCause::Throttled).await;
            }
            answers => answers?,
        };
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
        let (mut accepted, mut unclear, mut not_sent) = (Vec::new(), Vec::new(), Vec::new());
        for (ready, answer) in ready.into_iter().zip(answers) {
            match answer {
                Answer::Done(()) => accepted.push(ready),
                // The draft is not where it was: it may have left by an earlier send.
                Answer::Refused(refusal) if draft_is_gone(&refusal) => unclear.push(ready),
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

    /// Deals with letters that surely did not leave: the recipient's fault ends the entry, the sender's rests the
    /// mailbox, anything passing waits.
    pub(super) async fn after_refusals(
        &self,
        mailbox: &str,
        refused: Vec<(Ready, Answer<()>)>,
    ) -> Result<(), Stopped> {
        let mut rest: Option<(Duration, RestCause)> = None;
        let mut outcomes = Vec::new();
        for (ready, answer) in refused {
            match answer {
                Answer::Wait(wait) => rest = rest.or(Some((wait, RestCause::Throttled))),
                Answer::Refused(refusal) => match blame(&refusal) {
                    Blame::Quota => rest = Some((LONG_REST, RestCause::Quota)),
                    Blame::Sender => rest = Some((LONG_REST, RestCause::Refused)),
                    Blame::Recipient => {
                        outcomes.extend(self.refuse_recipient(&ready, &refusal).await?);
                    }
                },
                Answer::Done(()) | Answer::Unclear(_) => {
                    self.wait_with([ready.place], Duration::from_secs(5));
                }
            }
        }
        self.settle(outcomes).await?;
        match rest {
            Some((wait, cause)) => self.rest(mailbox, wait, cause).await,
            None => Ok(()),
        }
    }

    async fn refuse_recipient(
        &self,
        ready: &Ready,
        refusal: &Refusal,
    ) -> Result<Option<(usize, Outcome)>, Stopped> {
        let reason = Reason {
            code: ReasonCode::RecipientRefused,
            detail: Some(refusal.to_string().into_boxed_str()),
        };
        let outcome = Outcome::without(OutcomeKind::Failed, reason);
        let closed = self.close_for(&ready.row, outcome).await?;
        Ok(closed.map(|outcome| (ready.place, outcome)))
    }

    /// Ends entries for good, closing rows that no letter was ever sent for.
    async fn give_up(&self, items: &[(usize, Item)], code: ReasonCode) -> Result<(), Stopped> {
        let mut outcomes = Vec::new();
        for (place, item) in items {
            let outcome = Outcome::without(OutcomeKind::Failed, code);
            let id = item.invitation();
            let row = match id {
                Some(id) => {
                    self.parts
                        .dataverse
                        .invitation(id, Codes::Left, &self.budget)
                        .await?
                }
                None => None,
            };
            let unsent = row.filter(|row| row.standing(self.parts.clock.now()) == Standing::Unsent);
            let closed = match &unsent {
                Some(row) => self.close_for(row, outcome).await?,
                None => Some(outcome),
            };
            outcomes.extend(closed.map(|outcome| (*place, outcome)));
        }
        self.settle(outcomes).await
    }
}

enum Judged {
    Ready(Box<Ready>),
    Settled(Outcome),
    Later,
}

impl From<Ready> for Mailed {
    fn from(ready: Ready) -> Self {
        let Ready {
            place, row, code, ..
        } = ready;
        let version: Version = row.version;
        Self {
            place,
            id: row.id,
            version,
            code: Some(code),
            expires: row.expires,
        }
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

/// What tells one delivery from every other; it stays in the sender's mailbox.
pub(super) fn delivery_key(
    invitation: crate::domain::ids::InvitationId,
    batch: crate::domain::ids::BatchNumber,
) -> String {
    format!("{invitation}/invite/{batch}")
}

/// A call that failed as a whole says the same about each letter in it.
pub(super) fn as_answer(error: &RemoteError) -> Answer<()> {
    match error {
        RemoteError::Throttled { wait, .. } => Answer::Wait(*wait),
        RemoteError::Refused { refusal, .. } => Answer::Refused(refusal.clone()),
        RemoteError::Unclear { detail, .. } | RemoteError::Unreadable { detail, .. } => {
            Answer::Unclear(detail.clone())
        }
        RemoteError::NotSent { .. }
        | RemoteError::Identity { .. }
        | RemoteError::OutOfTime
        | RemoteError::LeaseLost => Answer::Wait(Duration::from_secs(1)),
    }
}

enum Blame {
    Quota,
    Sender,
    Recipient,
}

/// <https://learn.microsoft.com/graph/errors>
fn blame(refusal: &Refusal) -> Blame {
    match refusal.status {
        429 => Blame::Quota,
        401 | 403 | 404 | 405 | 507 => Blame::Sender,
        _ => Blame::Recipient,
    }
}

/// A draft that was sent, or is being sent, is not there to be sent again.
fn draft_is_gone(refusal: &Refusal) -> bool {
    let about_recipient = refusal.code.contains("Recipient");
    refusal.code == "ErrorItemNotFound" || (refusal.status == 400 && !about_recipient)
}
