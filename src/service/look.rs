//! Owns finding out what became of a letter whose fate is open: after a lost answer, or after a crash.
//!
//! The row is asked first, then the mailbox by the draft's id, then the whole mailbox by the delivery key.

use std::time::Duration;

use jiff::SignedDuration;

use super::compose::delivery_key;
use super::mark::Mailed;
use super::pace::Turn;
use super::refusal::LONG_REST;
use super::work::{Stopped, Work};
use crate::domain::batch::{Line, MailDelivery, Plan, RestCause};
use crate::domain::invitation::{Invitation, Standing, Status};
use crate::domain::outcome::{Outcome, OutcomeKind, ReasonCode};
use crate::domain::progress::{Item, Stage};
use crate::domain::redeem_link::RedeemLink;
use crate::remote::dataverse::Codes;
use crate::remote::error::RemoteError;
use crate::remote::graph::Found;

/// How long after an attempt a letter may stay unfindable before a person must look.
const SEARCHING: SignedDuration = SignedDuration::from_mins(10);

/// The wait between two looks at the same letter.
pub(super) const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// A letter whose fate is open, with its row as it is now.
pub(super) struct Open {
    pub(super) place: usize,
    pub(super) row: Invitation,
    pub(super) stage: Stage,
    pub(super) plan: Plan,
}

impl Open {
    pub(super) fn message(&self) -> Option<&str> {
        match &self.stage {
            Stage::Attempting { message, .. } | Stage::Accepted { message } => message.as_deref(),
            _ => None,
        }
    }

    fn accepted(&self) -> bool {
        matches!(self.stage, Stage::Accepted { .. })
    }

    fn mailed(&self, html: Option<&str>, work: &Work<'_>) -> Mailed {
        Mailed {
            place: self.place,
            id: self.row.id,
            version: self.row.version.clone(),
            batch: self.row.batch,
            code: html.and_then(|html| RedeemLink::code_in(html, &work.parts.policy.portal_url)),
            expires: self.row.expires,
        }
    }
}

impl Work<'_> {
    /// Finds out about letters of one mailbox.
    pub(super) async fn look_into(
        &self,
        mailbox: &str,
        places: &[usize],
        turn: &Turn,
    ) -> Result<(), Stopped> {
        let open = self.ask_rows(places).await?;
        if open.is_empty() {
            return Ok(());
        }
        if self.parts.policy.delivery == MailDelivery::Send {
            // The mailbox may not be readable in this mode, even for letters that were once drafts.
            return self.without_witness(open).await;
        }
        match self.ask_mailbox(mailbox, open, turn).await {
            Err(Stopped::Remote(RemoteError::Refused { refusal, .. })) => {
                tracing::warn!(batch = %self.terms.number, %refusal, "a sender mailbox cannot be read");
                self.after_unreadable(mailbox, places).await
            }
            other => other,
        }
    }

    /// Settles what the rows themselves tell; gives the rest.
    async fn ask_rows(&self, places: &[usize]) -> Result<Vec<Open>, Stopped> {
        let items = self.items(places);
        let ids: Vec<_> = items
            .iter()
            .filter_map(|(_, item)| item.invitation())
            .collect();
        let rows = self
            .parts
            .dataverse
            .invitations(&ids, Codes::Left, &self.budget)
            .await?;
        let (mut open, mut outcomes) = (Vec::new(), Vec::new());
        for ((place, item), row) in items.into_iter().zip(rows) {
            match row {
                None => outcomes.push((place, after_deletion(&item))),
                Some(row) if self.is_anothers(&item.entry.plan, &row) => {
                    outcomes.push((place, after_deletion(&item)));
                }
                Some(row) if self.proves_sent(&row) => {
                    outcomes.push((
                        place,
                        Outcome::about(OutcomeKind::Sent, row.id, row.expires),
                    ));
                }
                Some(row) => open.push(Open {
                    place,
                    row,
                    stage: item.stage,
                    plan: item.entry.plan,
                }),
            }
        }
        self.settle(outcomes).await?;
        Ok(open)
    }

    /// A row of this batch is marked Sent only after its letter was accepted, and redeemed only by its holder.
    fn proves_sent(&self, row: &Invitation) -> bool {
        let marked = row.status == Status::Sent && row.batch == Some(self.terms.number);
        marked || row.standing(self.parts.clock.now()) == Standing::Redeemed
    }

    /// Letters that left without a draft: nobody can look them up.
    async fn without_witness(&self, open: Vec<Open>) -> Result<(), Stopped> {
        let (accepted, unclear): (Vec<_>, Vec<_>) = open.into_iter().partition(Open::accepted);
        self.settle(unclear.iter().map(unconfirmed).collect())
            .await?;
        let accepted: Vec<_> = accepted.into_iter().map(|open| (open, None)).collect();
        self.mark_found(&accepted).await
    }

    async fn ask_mailbox(
        &self,
        mailbox: &str,
        open: Vec<Open>,
        turn: &Turn,
    ) -> Result<(), Stopped> {
        let (known, unknown): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|open| open.message().is_some());
        self.without_witness(unknown).await?;
        let ids: Vec<_> = known.iter().filter_map(Open::message).collect();
        let look = self.parts.graph.look(mailbox, &ids, &self.budget).await?;
        let (mut gone, mut sent, mut drafts) = (Vec::new(), Vec::new(), Vec::new());
        for (open, found) in known.into_iter().zip(look.found) {
            match found {
                None => gone.push(open),
                Some(found) if found.draft && !open.accepted() => drafts.push((open, found)),
                Some(found) => sent.push((open, Some(found))),
            }
        }
        for open in gone {
            match self.search(mailbox, &open).await? {
                Some(found) => sent.push((open, Some(found))),
                None if open.accepted() => sent.push((open, None)),
                None => self.not_found(&open).await?,
            }
        }
        self.found_sent(sent).await?;
        self.send_again(mailbox, drafts, look.at, turn).await
    }

    /// Looks the whole mailbox through; only a message that has left counts.
    async fn search(&self, mailbox: &str, open: &Open) -> Result<Option<Found>, Stopped> {
        let key = delivery_key(&open.plan, open.row.id, self.terms.number);
        let found = self.parts.graph.find(mailbox, &key, &self.budget).await?;
        Ok(found.filter(|found| !found.draft))
    }

    async fn not_found(&self, open: &Open) -> Result<(), Stopped> {
        let Stage::Attempting { at, .. } = open.stage else {
            return Ok(());
        };
        if self.parts.clock.now().duration_since(at) >= SEARCHING {
            return self.settle(vec![unconfirmed(open)]).await;
        }
        self.wait_with([open.place], BETWEEN_LOOKS);
        Ok(())
    }

    pub(super) async fn found_sent(&self, sent: Vec<(Open, Option<Found>)>) -> Result<(), Stopped> {
        let news: Vec<_> = sent
            .iter()
            .filter(|(open, _)| !open.accepted())
            .map(|(open, _)| open.place)
            .collect();
        if !news.is_empty() {
            self.record(vec![Line::Accepted { entries: news }]).await?;
        }
        self.mark_found(&sent).await
    }

    /// Marks rows of letters that have left. A row that somebody closed meanwhile stays closed: to mark it would
    /// open it again.
    async fn mark_found(&self, sent: &[(Open, Option<Found>)]) -> Result<(), Stopped> {
        let (live, closed): (Vec<_>, Vec<_>) = sent.iter().partition(|(open, _)| open.row.active);
        let outcomes = closed.iter().map(|(open, _)| {
            let row = &open.row;
            tracing::warn!(invitation = %row.id, "an invitation was closed while its letter left: its link is dead");
            let sent = Outcome::about(OutcomeKind::Sent, row.id, row.expires);
            (open.place, sent)
        });
        self.settle(outcomes.collect()).await?;
        let mailed = live.iter().map(|(open, found)| {
            let html = found.as_ref().map(|found| found.html.as_str());
            open.mailed(html, self)
        });
        self.mark(mailed.collect()).await
    }

    /// The mailbox refuses to be read: rest, and after a day leave its letters to a person.
    async fn after_unreadable(&self, mailbox: &str, places: &[usize]) -> Result<(), Stopped> {
        if self.out_of_patience(mailbox) {
            let open = self.ask_rows(places).await?;
            return self.without_witness(open).await;
        }
        self.wait_with(places.iter().copied(), LONG_REST);
        self.rest(mailbox, LONG_REST, RestCause::Refused).await
    }
}

pub(super) fn unconfirmed(open: &Open) -> (usize, Outcome) {
    let outcome = Outcome::about(OutcomeKind::Unconfirmed, open.row.id, open.row.expires);
    (open.place, outcome.because(ReasonCode::Unconfirmed))
}

/// What is left to say of a letter whose row is gone.
fn after_deletion(item: &Item) -> Outcome {
    match (&item.stage, item.invitation()) {
        (Stage::Accepted { .. }, Some(id)) => Outcome::about(OutcomeKind::Sent, id, None),
        _ => Outcome::without(OutcomeKind::Failed, ReasonCode::Conflict),
    }
}
