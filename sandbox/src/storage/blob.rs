//! One blob: its bytes, its version and its lease.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/append-block>,
//! <https://learn.microsoft.com/rest/api/storageservices/put-blob>

use http::StatusCode;
use jiff::Timestamp;

use super::lease::Lease;
use super::refusal::Refusal;

/// Blocks in an append blob.
const MOST_BLOCKS: usize = 50_000;

/// Bytes in one appended block.
const LARGEST_BLOCK: usize = 100 << 20;

/// A blob.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub(super) bytes: Vec<u8>,
    pub(super) etag: u64,
    pub(super) modified: Timestamp,
    pub(super) lease: Lease,
    /// How many blocks it was appended from; `None` for a block blob.
    pub(super) blocks: Option<usize>,
}

impl Blob {
    pub(super) fn new(bytes: Vec<u8>, append: bool, etag: u64, modified: Timestamp) -> Self {
        Self {
            bytes,
            etag,
            modified,
            lease: Lease::default(),
            blocks: append.then_some(0),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        if self.blocks.is_some() {
            "AppendBlob"
        } else {
            "BlockBlob"
        }
    }

    /// Adds a block at its end, which must be `at` where that is given; gives where that was.
    pub(super) fn append(
        &mut self,
        block: &[u8],
        at: Option<u64>,
        (etag, now): (u64, Timestamp),
    ) -> Result<u64, Refusal> {
        let Some(blocks) = self.blocks else {
            return Err(Refusal::conflict("InvalidBlobType"));
        };
        if block.is_empty() || block.len() > LARGEST_BLOCK {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Refusal::new(status, "RequestBodyTooLarge"));
        }
        let end = self.bytes.len() as u64;
        if at.is_some_and(|at| at != end) {
            return Err(Refusal::precondition("AppendPositionConditionNotMet"));
        }
        if blocks == MOST_BLOCKS {
            return Err(Refusal::conflict("BlockCountExceedsLimit"));
        }
        self.bytes.extend_from_slice(block);
        self.blocks = Some(blocks + 1);
        (self.etag, self.modified) = (etag, now);
        self.lease.written(now);
        Ok(end)
    }

    /// The bytes of a range, up to its last byte or the blob's.
    pub(super) fn range(&self, from: u64, to: Option<u64>) -> Result<&[u8], Refusal> {
        let invalid = || Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");
        let from = usize::try_from(from).map_err(|_| invalid())?;
        let to = to.map_or(usize::MAX, |to| usize::try_from(to).unwrap_or(usize::MAX));
        if from >= self.bytes.len() || to < from {
            return Err(invalid());
        }
        Ok(&self.bytes[from..to.saturating_add(1).min(self.bytes.len())])
    }
}
