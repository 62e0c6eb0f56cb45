//! Owns what a caller is told about a batch: counts, results, and links where the caller asked for them.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::Service;
use crate::domain::batch::{Entry, LetterTerms, Plan, Terms};
use crate::domain::ids::{BatchNumber, ContactId, InvitationId};
use crate::domain::invitation::Invitation;
use crate::domain::outcome::{Counts, Outcome, OutcomeKind};
use crate::domain::progress::{Item, Journalled, Progress, Stage};
use crate::domain::redeem_link::{RedeemLink, ReturnPath};
use crate::remote::budget::Budget;
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::languages::PreferredLanguage;
use crate::remote::error::RemoteError;
use crate::remote::journal::StoreError;

/// One entry of a report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultEntry {
    /// The contact, as the request named it.
    pub contact_id: ContactId,
    /// Its full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_name: Option<String>,
    /// What became of it.
    pub outcome: OutcomeKind,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonEntry>,
    /// The invitation that stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_id: Option<InvitationId>,
    /// Until when it can be redeemed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Timestamp>,
    /// The link, where the caller asked to hand it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeem_url: Option<Link>,
}

/// A reason as callers read it.
#[derive(Debug, Serialize)]
pub struct ReasonEntry {
    /// The stable code.
    pub code: crate::domain::outcome::ReasonCode,
    /// What a person reads.
    pub message: String,
}

/// A redeem link on its way to the caller who asked for it.
#[derive(Debug)]
pub struct Link(RedeemLink);

impl Serialize for Link {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

/// A batch as a caller sees it.
#[derive(Debug)]
pub struct BatchReport {
    /// Its number; a dry run has none.
    pub number: Option<BatchNumber>,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Whether all is settled.
    pub finished: bool,
    /// How many entries ended how.
    pub counts: Counts,
    /// Who asked.
    pub requested_by: Option<String>,
    /// When to ask again, where work is left.
    pub retry_after: Duration,
    /// The entries that were asked for, where all is settled.
    pub results: Vec<ResultEntry>,
    /// Where the entries after these begin.
    pub next: Option<usize>,
}

/// Which entries of a finished batch a caller wants, in the order of the request. A finished batch never changes, so
/// a place in its results is a lasting one.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Those with this outcome; all without one.
    pub outcome: Option<OutcomeKind>,
    /// Entries before the first one.
    pub skip: usize,
    /// The most entries.
    pub top: usize,
}

impl Window {
    /// Every entry.
    pub const ALL: Self = Self {
        outcome: None,
        skip: 0,
        top: usize::MAX,
    };

    /// The entries that are wanted, and where the next ones begin.
    fn cut(self, items: Vec<Item>) -> (Vec<Item>, Option<usize>) {
        let wanted = |item: &Item| self.outcome.is_none_or(|kind| kind == item.outcome_kind());
        let mut rest = items.into_iter().filter(wanted).skip(self.skip);
        let items = rest.by_ref().take(self.top).collect();
        let next = rest.next().map(|_| self.skip.saturating_add(self.top));
        (items, next)
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No batch with this number was accepted here.
    #[error("there is no batch {0}")]
    Unknown(BatchNumber),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Callers ask again after no less, and no more, than this.
const RETRY_SECONDS: std::ops::RangeInclusive<u64> = 5..=600;

impl Service {
    /// The batch with a number, with all of its entries.
    pub async fn batch(&self, number: BatchNumber) -> Result<BatchReport, ReportError> {
        self.batch_page(number, Window::ALL).await
    }

    /// The batch with a number, with some of its entries.
    pub async fn batch_page(
        &self,
        number: BatchNumber,
        window: Window,
    ) -> Result<BatchReport, ReportError> {
        let lines = self
            .0
            .store
            .read(number)
            .await?
            .ok_or(ReportError::Unknown(number))?;
        match Journalled::fold(lines) {
            Journalled::Planned(progress) => Ok(self.report(*progress, window).await),
            Journalled::Unplanned => Err(ReportError::Unknown(number)),
        }
    }

    /// A batch as it stands.
    pub(super) async fn report(&self, progress: Progress, window: Window) -> BatchReport {
        let (counts, retry_after) = (progress.counts(), self.retry_after(&progress));
        let Progress {
            terms,
            items,
            ended,
            ..
        } = progress;
        let (items, next) = window.cut(items);
        let links = if ended.is_some() {
            self.links(&terms, &items, counts.created).await
        } else {
            Ok(HashMap::new())
        };
        if let Err(error) = &links {
            tracing::warn!(batch = %terms.number, %error, "links could not be read; the caller may ask again");
        }
        // Without its links an answer would be final and useless: it is given when they can be read.
        let finished = ended.is_some() && links.is_ok();
        BatchReport {
            number: Some(terms.number),
            dry_run: false,
            finished,
            counts,
            requested_by: terms.requested_by,
            retry_after,
            results: if finished {
                results(items, links.unwrap_or_default())
            } else {
                Vec::new()
            },
            next: next.filter(|_| finished),
        }
    }

    /// How long the rest will take at the senders' pace.
    fn retry_after(&self, progress: &Progress) -> Duration {
        let a_minute = self
            .0
            .mailboxes
            .letters_a_minute()
            .saturating_mul(progress.terms.senders.len())
            .max(1);
        let seconds = (progress.open().saturating_mul(60)).div_ceil(a_minute) as u64;
        Duration::from_secs(seconds.clamp(*RETRY_SECONDS.start(), *RETRY_SECONDS.end()))
    }

    /// The links of those of `items` that were created to be handed over, while they still work; the whole batch
    /// created so many.
    async fn links(
        &self,
        terms: &Terms,
        items: &[Item],
        created: usize,
    ) -> Result<HashMap<InvitationId, RedeemLink>, RemoteError> {
        let policy = &self.0.policy;
        let ids: Vec<_> = items.iter().filter_map(created_invitation).collect();
        if terms.send_email || !policy.allow_links || ids.is_empty() {
            return Ok(HashMap::new());
        }
        let (dataverse, codes) = (&self.0.dataverse, Codes::Included);
        let budget = Budget::within(&self.0.clock, Duration::from_secs(30));
        // Many pages of one batch must not read all of its rows each time.
        let rows = if ids.len() == created {
            let number = terms.number;
            dataverse.invitations_of_batch(number, codes, &budget).await
        } else {
            dataverse.invitations_among(&ids, codes, &budget).await
        };
        let rows = rows?;
        let now = self.0.clock.now();
        let pending = rows
            .iter()
            .filter(|row| row.is_pending_for(now, policy.site.website()));
        let pending: Vec<_> = pending.collect();
        let terms = &terms.letter;
        let preferred = self.preferences(terms, &pending, &budget).await?;
        let return_path = terms.return_path.as_deref();
        let return_path = return_path.and_then(|path| ReturnPath::parse(path).ok());
        let letters = self.0.templates.current_or_packaged(&budget).await;
        let mut links = HashMap::new();
        for row in pending {
            let Some(code) = &row.code else { continue };
            let preferred = row.contact.and_then(|id| preferred.get(&id).copied());
            let plan = Plan::Create(row.id);
            let choice = (self.0)
                .choose(&letters, (terms, &plan), preferred, &budget)
                .await?;
            let link = RedeemLink::new(&policy.portal_url, choice.path, code, return_path.as_ref());
            links.insert(row.id, link);
        }
        Ok(links)
    }

    /// The languages that the contacts of links prefer, where the links depend on them.
    async fn preferences(
        &self,
        terms: &LetterTerms,
        rows: &[&Invitation],
        budget: &Budget,
    ) -> Result<HashMap<ContactId, PreferredLanguage>, RemoteError> {
        let mut paths = self.0.policy.languages.values();
        if !self.0.minds_preferences(terms) || !paths.any(Option::is_some) {
            return Ok(HashMap::new());
        }
        let contacts: Vec<_> = rows.iter().filter_map(|row| row.contact).collect();
        (self.0.dataverse)
            .preferred_languages(&contacts, budget)
            .await
    }
}

fn created_invitation(item: &Item) -> Option<InvitationId> {
    match &item.stage {
        Stage::Settled(outcome) if outcome.kind == OutcomeKind::Created => outcome.invitation,
        _ => None,
    }
}

fn results(items: Vec<Item>, mut links: HashMap<InvitationId, RedeemLink>) -> Vec<ResultEntry> {
    items
        .into_iter()
        .map(|item| {
            let outcome = match item.stage {
                Stage::Settled(outcome) => outcome,
                _ => Outcome {
                    kind: OutcomeKind::Pending,
                    reason: None,
                    invitation: None,
                    expires: None,
                },
            };
            let link = outcome
                .invitation
                .filter(|_| outcome.kind == OutcomeKind::Created);
            let link = link.and_then(|id| links.remove(&id));
            result_entry(item.entry, outcome, link)
        })
        .collect()
}

/// One entry as a caller reads it.
pub(super) fn result_entry(
    entry: Entry,
    outcome: Outcome,
    link: Option<RedeemLink>,
) -> ResultEntry {
    let reason = outcome.reason.map(|reason| ReasonEntry {
        code: reason.code,
        message: reason.message(),
    });
    ResultEntry {
        contact_id: entry.contact,
        contact_name: entry.name.map(String::from),
        outcome: outcome.kind,
        reason,
        invitation_id: outcome.invitation,
        expires_on: outcome.expires,
        redeem_url: link.map(Link),
    }
}
