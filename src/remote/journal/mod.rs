//! Owns where accepted work is kept: keys, open journals and finished ones, and the lease on each journal.
//!
//! A journal is the outbox. Whoever holds its lease works on it; everyone may read it. This version keeps it in
//! a directory, where the lease is a file lock: it holds for as long as the process lives.

use std::io;

use serde::{Deserialize, Serialize};

use crate::domain::batch::Line;
use crate::domain::ids::BatchNumber;

mod directory;

pub use directory::{Journal, Store};

/// What an Idempotency-Key stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// The batch that the first request with this key became.
    pub batch: BatchNumber,
    /// A hash of that request's body: another body under the same key is a mistake.
    pub body_hash: String,
}

/// What became of claiming a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is ours.
    Won,
    /// Someone was first.
    Taken(KeyRecord),
}

/// What became of taking a journal's lease.
#[derive(Debug)]
pub enum Take {
    /// It is ours, and this is what it holds so far.
    Ours(Box<Journal>, Vec<Line>),
    /// Someone else works on it.
    Held,
    /// There is no such open journal.
    Gone,
}

/// Where a journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Work is left, or a worker has not yet put it away.
    Open,
    /// Finished.
    Done,
    /// Not in this store: another deployment's, or too old to be kept.
    Nowhere,
}

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
    fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}

/// Reads whole lines; what stands after the last line end was never written to its end.
fn parse(number: BatchNumber, bytes: &[u8]) -> Result<Vec<Line>, StoreError> {
    let whole = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |last| last + 1);
    bytes[..whole]
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::Unreadable {
            number,
            detail: error.to_string(),
        })
}

/// Writes lines, each ended.
fn format(lines: &[Line]) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, line).map_err(|error| StoreError::Io {
            action: "write a line",
            source: error.into(),
        })?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
