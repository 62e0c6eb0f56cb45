//! Owns the digest: a letter, each day, about what happened to invitations since the last one.
//!
//! It looks at the journals, at Dataverse and into the sender mailboxes, side by side. What it cannot look at it says
//! so, rather than failing; it fails only where its letter cannot be sent. Where nothing happened there is no letter.

use std::time::Duration;

use futures::future::{join_all, join4};
use jiff::Timestamp;
use serde::Serialize;

use super::{Parts, Service};
use crate::domain::batch::MailDelivery;
use crate::domain::email_address::EmailAddress;
use crate::domain::ids::InvitationId;
use crate::letter::{DigestGap, LetterError, Unseen};
use crate::remote::budget::Budget;
use crate::remote::dataverse::Codes;
use crate::remote::error::RemoteError;

mod batches;
mod findings;
mod letter;
mod mailboxes;
mod period;
mod post;
mod rows;

use findings::{Findings, Mailbox};

/// A run ends by this.
const TIME: Duration = Duration::from_secs(45);

/// Looking ends by this, so that a slow service leaves time for the letter.
const LOOKING: Duration = Duration::from_secs(22);

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DigestOutcome {
    /// Nobody wants a digest.
    Off,
    /// Nothing happened.
    NoNews,
    /// A letter was accepted by Exchange.
    Sent,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestTally {
    /// What it came to.
    pub outcome: DigestOutcome,
    /// From when on it looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many things could not be looked at.
    pub unseen: usize,
}

/// Why a digest could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// Exchange did not take it, or could not be asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The template failed.
    #[error(transparent)]
    Letter(#[from] LetterError),
}

impl Service {
    /// Tells what happened since the timer last ran, where it did, as far as anybody wants to know.
    pub async fn digest(&self, last: Option<Timestamp>) -> Result<DigestTally, DigestError> {
        let parts = &*self.0;
        if parts.policy.digest_to.is_empty() {
            return Ok(DigestTally {
                outcome: DigestOutcome::Off,
                from: None,
                until: None,
                unseen: 0,
            });
        }
        let budget = Budget::within(&parts.clock, TIME);
        let looking = Budget::within(&parts.clock, LOOKING);
        let now = parts.clock.now();
        let beginning = period::beginning(last, now);
        let (from, told) = post::told_until(parts, beginning, &looking).await;
        let until = now.max(from);
        let findings = collect(parts, from, until, &looking).await;
        // What could not be looked at is worth a letter once, and not again by each run that follows it.
        let worth_a_letter = findings.has_news() || (!told && findings.has_gaps());
        if worth_a_letter {
            // No other letter tells that the store does not work.
            let letters = parts.templates.current_or_packaged(&looking).await;
            let letter = letter::compose(parts, &letters, &findings, from, until)?;
            post::send(parts, &letter, (from, until), &budget).await?;
        }
        Ok(DigestTally {
            outcome: if worth_a_letter {
                DigestOutcome::Sent
            } else {
                DigestOutcome::NoNews
            },
            from: Some(from),
            until: Some(until),
            unseen: findings.unseen.len(),
        })
    }
}

/// Looks everywhere, for as long as the budget lasts.
async fn collect(parts: &Parts, from: Timestamp, until: Timestamp, budget: &Budget) -> Findings {
    let time = from..until;
    let (batches, redeemed, expired, mailboxes) = join4(
        batches::collect(parts, &time, budget),
        rows::redeemed(parts, &time, budget),
        rows::expired(parts, &time, budget),
        inspect(parts, from, until, budget),
    )
    .await;
    let mut findings = Findings::default();
    let unseen = &mut findings.unseen;
    findings.batches = or_unseen(batches, unseen, |error| {
        tracing::error!(%error, "the batch store does not work");
        DigestGap {
            error: None,
            ..gap(Unseen::Batches, &error)
        }
    });
    findings.rows = or_unseen(redeemed, unseen, |error| gap(Unseen::Redemptions, &error));
    (findings.rows.expired, findings.rows.more_expired) =
        or_unseen(expired, unseen, |error| gap(Unseen::Expired, &error));
    for (address, mailbox) in mailboxes {
        findings.mailboxes.push(or_unseen(mailbox, unseen, |error| {
            let mailbox = Some(masked(&address));
            DigestGap {
                mailbox,
                ..gap(Unseen::Mailbox, &error)
            }
        }));
    }
    name(parts, &mut findings, budget).await;
    findings
}

async fn inspect(
    parts: &Parts,
    from: Timestamp,
    until: Timestamp,
    budget: &Budget,
) -> Vec<(String, Result<Mailbox, RemoteError>)> {
    if parts.policy.delivery == MailDelivery::Send {
        return Vec::new();
    }
    let time = &(from..until);
    let look = |address: &String| {
        let address = address.clone();
        async move {
            let mailbox = mailboxes::look_into(parts, &address, time, budget).await;
            (address, mailbox)
        }
    };
    join_all(parts.policy.senders.iter().map(look)).await
}

/// Reads the rows of letters that came back, then the names of everybody.
async fn name(parts: &Parts, findings: &mut Findings, budget: &Budget) {
    let ids: Vec<InvitationId> = findings.returned_ids();
    let rows = parts.dataverse.invitations(&ids, Codes::Left, budget).await;
    let unseen = &mut findings.unseen;
    let rows = or_unseen(rows, unseen, |error| gap(Unseen::Returned, &error));
    findings.returned = rows.into_iter().flatten().collect();
    let contacts = findings.contacts();
    let names = parts.dataverse.names(&contacts, budget).await;
    let unseen = &mut findings.unseen;
    findings.names = or_unseen(names, unseen, |error| gap(Unseen::Names, &error));
}

fn or_unseen<T: Default, E>(
    looked: Result<T, E>,
    unseen: &mut Vec<DigestGap>,
    why: impl FnOnce(E) -> DigestGap,
) -> T {
    looked.unwrap_or_else(|error| {
        unseen.push(why(error));
        T::default()
    })
}

fn gap(what: Unseen, error: &impl ToString) -> DigestGap {
    DigestGap {
        what,
        mailbox: None,
        error: Some(error.to_string()),
    }
}

fn masked(address: &str) -> String {
    EmailAddress::parse(address).map_or_else(|_| "***".to_owned(), |address| address.to_string())
}
