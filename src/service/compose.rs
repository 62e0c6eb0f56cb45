//! Owns which letters may go and what they say, judged on what is stored at that moment.
//!
//! Rows and contacts are read again before a chunk of letters is made: a batch may wait for hours, and a process may
//! replace a code as soon as its row is there. A refusal closes the row if this batch made it and nobody was told.

use std::time::Duration;

use super::choose::Choice;
use super::mark::Mailed;
use super::plan::check_contact;
use super::prepare::{Prepared, Rival};
use super::work::{Stopped, Work};
use crate::domain::batch::{Plan, reminder_day};
use crate::domain::email_address::EmailAddress;
use crate::domain::ids::{BatchNumber, ContactId, InvitationId};
use crate::domain::invitation::{Invitation, Standing};
use crate::domain::invitation_code::InvitationCode;
use crate::domain::outcome::{Outcome, OutcomeKind, Reason, ReasonCode};
use crate::domain::progress::Item;
use crate::domain::redeem_link::{RedeemLink, ReturnPath};
use crate::letter::{self, Letter, LetterContent, LetterError, Letters};
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::contacts::Survey;
use crate::remote::graph::Message;

/// A letter ready to leave, and the row it was made from.
pub(super) struct Ready {
    pub(super) place: usize,
    pub(super) row: Invitation,
    pub(super) code: InvitationCode,
    to: EmailAddress,
    to_name: String,
    letter: Letter,
    key: String,
}

enum Judged {
    Ready(Box<Ready>),
    Settled(Outcome),
    /// Its row was changed: look at everything anew, at once.
    Again,
    Later,
}

impl Work<'_> {
    /// Reads rows and contacts as they are now, makes the letters that may go, settles the rest.
    pub(super) async fn make_letters(&self, places: &[usize]) -> Result<Vec<Ready>, Stopped> {
        let items = self.items(places);
        let contacts: Vec<ContactId> = items.iter().map(|(_, item)| item.entry.contact).collect();
        let in_use = self.parts.templates.current(&self.budget).await?;
        let survey = self
            .parts
            .dataverse
            .survey(&contacts, Codes::Included, &self.budget)
            .await?;
        let (mut ready, mut outcomes) = (Vec::new(), Vec::new());
        for (place, item) in &items {
            let letters = &in_use.letters;
            match self.judge_letter(*place, item, &survey, letters).await? {
                Judged::Ready(letter) => ready.push(*letter),
                Judged::Settled(outcome) => outcomes.push((*place, outcome)),
                Judged::Again => {}
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
        letters: &Letters,
    ) -> Result<Judged, Stopped> {
        let (plan, rows) = (&item.entry.plan, survey.invitations_of(item.entry.contact));
        let own = rows.iter().find(|row| Some(row.id) == item.invitation());
        let Some(row) = own else {
            return Ok(Judged::Settled(self.after_loss(item).await?));
        };
        if let Some(judged) = self.judge_row(plan, row, rows).await? {
            return Ok(judged);
        }
        let registered = self.terms.include_registered;
        let to = match check_contact(item.entry.contact, survey, true, registered) {
            Err(outcome) => return self.refuse(row, outcome).await,
            Ok(None) => return Ok(Judged::Later),
            Ok(Some(to)) => to,
        };
        let Some(change) = self.missing(row, plan) else {
            return self.compose(place, row, to, item, survey, letters).await;
        };
        match self.prepare(row, plan, change).await? {
            // The contact may have got another invitation before this one could be redeemed again.
            Prepared::Row(_) if matches!(plan, Plan::Reopen(_)) => Ok(Judged::Again),
            Prepared::Row(row) => self.compose(place, &row, to, item, survey, letters).await,
            Prepared::Changed => Ok(Judged::Later),
            Prepared::Refused(outcome) => Ok(Judged::Settled(outcome)),
        }
    }

    /// Whether the row, and the others of its contact, stand in the way of its letter.
    async fn judge_row(
        &self,
        plan: &Plan,
        row: &Invitation,
        rows: &[Invitation],
    ) -> Result<Option<Judged>, Stopped> {
        if self.is_anothers(plan, row) {
            return Ok(Some(Judged::Settled(self.after_another(row))));
        }
        let standing = row.standing(self.parts.clock.now());
        if !plan.may_send(standing) && !self.reopens(plan, standing) {
            let outcome = no_letter(row, standing);
            return match standing {
                Standing::Expired => self.refuse(row, outcome).await.map(Some),
                _ => Ok(Some(Judged::Settled(outcome))),
            };
        }
        let kept = |row: &Invitation| Outcome::about(OutcomeKind::Kept, row.id, row.expires);
        match plan {
            Plan::Reopen(_) => match self.rival(row, rows).await? {
                None => Ok(None),
                Some(Rival::Undecided) => Ok(Some(Judged::Later)),
                Some(Rival::Stands(outcome)) if standing == Standing::Expired => {
                    Ok(Some(Judged::Settled(outcome)))
                }
                Some(Rival::Stands(outcome)) => {
                    let closed = self.close_again(row, outcome).await?;
                    Ok(Some(closed.map_or(Judged::Later, Judged::Settled)))
                }
            },
            // Of another expiry another reminder tells.
            Plan::Remind { expires, .. }
                if row.expires.map(reminder_day) != Some(reminder_day(*expires)) =>
            {
                Ok(Some(Judged::Settled(kept(row))))
            }
            // A letter that is sent again is about the row that stands.
            _ if plan.seen().is_some() => Ok(None),
            _ => match self.older_pending(row, rows).await? {
                Some(older) => self.refuse(row, kept(older)).await.map(Some),
                None => Ok(None),
            },
        }
    }

    /// What is left to say of a row that is not among its contact's open and numbered ones.
    async fn after_loss(&self, item: &Item) -> Result<Outcome, Stopped> {
        let conflict = Outcome::without(OutcomeKind::Failed, ReasonCode::Conflict);
        let Some(seen) = item.entry.plan.seen() else {
            return Ok(conflict);
        };
        let dataverse = &self.parts.dataverse;
        let row = dataverse
            .invitation(seen.id, Codes::Left, &self.budget)
            .await?;
        let row = row.filter(|row| row.contact == Some(item.entry.contact));
        Ok(row.map_or(conflict, |row| {
            no_letter(&row, row.standing(self.parts.clock.now()))
        }))
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
        letters: &Letters,
    ) -> Result<Judged, Stopped> {
        let conflict = || Outcome::without(OutcomeKind::Failed, ReasonCode::Conflict);
        let Some(code) = row.code.clone() else {
            return self.refuse(row, conflict()).await;
        };
        let contact = survey.contacts.get(&item.entry.contact);
        let to_name = contact.and_then(|contact| contact.name.as_deref());
        let to_name = to_name.map(letter::line).unwrap_or_default();
        let (terms, plan) = (&self.terms.letter, &item.entry.plan);
        let preferred = contact.and_then(|contact| contact.language);
        let choice = (self.parts)
            .choose(letters, (terms, plan), preferred, &self.budget)
            .await?;
        let letter = match self.render(row, &code, &to_name, (plan, choice), letters) {
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
        let key = delivery_key(plan, row.id, self.terms.number);
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
        (plan, choice): (&Plan, Choice<'_>),
        letters: &Letters,
    ) -> Result<Letter, LetterError> {
        let (policy, terms) = (&self.parts.policy, &self.terms.letter);
        let return_path = terms
            .return_path
            .as_deref()
            .and_then(|path| ReturnPath::parse(path).ok());
        let link = RedeemLink::new(&policy.portal_url, choice.path, code, return_path.as_ref());
        letters.render(&LetterContent {
            language: choice.language,
            template: choice.template,
            brand: &policy.brand,
            contact_name: name,
            inviter_name: terms.inviter_name.as_deref(),
            message: terms.message.as_deref(),
            subject: terms.subject.as_deref(),
            link: &link,
            replaces: matches!(plan, Plan::Replace { .. }),
            expires: row.expires,
            zone: &policy.time_zone,
        })
    }

    pub(super) fn message<'r>(&'r self, ready: &'r Ready) -> Message<'r> {
        Message {
            to: ready.to.as_str(),
            to_name: &ready.to_name,
            subject: &ready.letter.subject,
            html: &ready.letter.html,
            reply_to: self.parts.policy.reply_to.as_deref(),
            key: &ready.key,
        }
    }
}

impl From<Ready> for Mailed {
    fn from(ready: Ready) -> Self {
        let Ready {
            place, row, code, ..
        } = ready;
        Self {
            place,
            id: row.id,
            version: row.version,
            batch: row.batch,
            code: Some(code),
            expires: row.expires,
        }
    }
}

/// Why no letter goes out about a row that stands so.
fn no_letter(row: &Invitation, standing: Standing) -> Outcome {
    let about = |kind| Outcome::about(kind, row.id, row.expires);
    match standing {
        Standing::Unsent | Standing::Pending => {
            about(OutcomeKind::Kept).because(ReasonCode::Conflict)
        }
        Standing::Redeemed => about(OutcomeKind::Skipped).because(ReasonCode::AlreadyRegistered),
        Standing::Revoked => about(OutcomeKind::Failed).because(ReasonCode::Conflict),
        Standing::Expired => about(OutcomeKind::Failed).because(ReasonCode::Expired),
    }
}

/// What tells one delivery from every other; it stays in the sender's mailbox.
pub(super) fn delivery_key(plan: &Plan, invitation: InvitationId, batch: BatchNumber) -> String {
    match plan {
        Plan::Settled(_) | Plan::Create(_) | Plan::Replace { .. } => {
            format!("{invitation}/invite/{batch}")
        }
        // Each expiry has one reminder, whichever batch sends it.
        Plan::Remind { expires, .. } => {
            format!("{invitation}/remind/{}", reminder_day(*expires))
        }
        _ => format!("{invitation}/resend/{batch}"),
    }
}
