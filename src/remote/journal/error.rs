//! Owns what can go wrong with the store.

use std::io;

use crate::domain::ids::BatchNumber;

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store could not be read or written.
    #[error("the batch store failed to {action}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A line that no version up to this one wrote.
    #[error("journal {number} has a line that cannot be read: {detail}")]
    Unreadable {
        /// Which journal.
        number: BatchNumber,
        /// What is odd about it.
        detail: String,
    },
    /// The lease is gone, or someone else wrote to the journal.
    #[error("the lease on journal {0} is lost")]
    LeaseLost(BatchNumber),
    /// There is a journal with this number.
    #[error("journal {0} exists")]
    Exists(BatchNumber),
}

impl StoreError {
    pub(super) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}
