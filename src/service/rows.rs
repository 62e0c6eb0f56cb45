//! Owns which rows of a batch are surely there: found, or created by this worker.
//!
//! Rows are created while the first letters leave, so whoever has letters to make can wait for more rows.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::work::{Stopped, Work};
use crate::domain::batch::Line;
use crate::domain::ids::InvitationId;
use crate::domain::progress::{Item, Progress};
use crate::remote::dataverse::Codes;
use crate::remote::dataverse::invitations::WRITES_A_BATCH;

/// Entries whose row is there.
#[derive(Debug)]
pub(super) struct Rows {
    there: Mutex<BTreeSet<usize>>,
    /// Whether more may come. Who listens hears of each time that some did.
    growing: watch::Sender<bool>,
}

impl Rows {
    /// What is known without asking: rows that were there before the batch, and all of them once the journal says so.
    pub(super) fn known(progress: &Progress) -> Self {
        let there = |item: &Item| progress.created || item.entry.plan.seen().is_some();
        let items = progress.items.iter().enumerate();
        let there = items.filter(|(_, item)| there(item));
        Self {
            there: Mutex::new(there.map(|(place, _)| place).collect()),
            growing: watch::Sender::new(true),
        }
    }

    /// The entries.
    pub(super) fn there(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.there.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that more are there.
    pub(super) fn add(&self, places: &[usize]) {
        self.there().extend(places);
        self.growing.send_replace(true);
    }

    /// Notes that no more will come in this run.
    pub(super) fn complete(&self) {
        self.growing.send_replace(false);
    }

    /// Whether more may come; later news wake its listener.
    pub(super) fn news(&self) -> watch::Receiver<bool> {
        self.growing.subscribe()
    }
}

impl Work<'_> {
    /// Learns which rows a former worker created.
    pub(super) async fn find_rows(&self) -> Result<(), Stopped> {
        let dataverse = &self.parts.dataverse;
        let found = dataverse
            .invitations_of_batch(self.terms.number, Codes::Left, &self.budget)
            .await?;
        let found: BTreeSet<InvitationId> = found.into_iter().map(|row| row.id).collect();
        let there =
            |item: &Item| item.attempted || item.invitation().is_some_and(|id| found.contains(&id));
        let places = self.places(there);
        self.rows.add(&places);
        if self.terms.send_email {
            return Ok(());
        }
        // No letter will come by here again.
        for places in places.chunks(WRITES_A_BATCH) {
            self.hand_over(places).await?;
        }
        Ok(())
    }

    /// Notes that no row is missing: a large batch is taken over each minute for hours, and looked for once.
    pub(super) async fn note_rows(&self) -> Result<(), Stopped> {
        if !self.terms.send_email || !self.missing_rows().is_empty() {
            return Ok(());
        }
        self.record(vec![Line::Created]).await
    }
}
