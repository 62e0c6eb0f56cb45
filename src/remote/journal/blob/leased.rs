//! Owns an append blob whose lease is ours.
//!
//! Every append says at which position it belongs and under which lease it comes, so the service refuses it where
//! either is another. A block is committed whole or not at all: no line is ever torn.
//! <https://learn.microsoft.com/rest/api/storageservices/append-block>

use std::fmt;
use std::time::Duration;

use azure_core::http::RequestContent;
use azure_storage_blob::BlobClient;
use azure_storage_blob::models::{
    AppendBlobClientAppendBlockOptions, BlobClientGetPropertiesResultHeaders,
};
use bytes::Bytes;
use jiff::Timestamp;

use super::call::{Failure, call, insist};
use super::{StoreError, delete, moment, read, upload_new};
use crate::remote::budget::{EFFECT_TIMEOUT, Tenure};
use crate::remote::journal::whole;

/// The most bytes in a block that every version of the service takes; a line is at most a quarter of it.
///
/// A blob holds at most 50,000 blocks, so a journal is never near full: 20,000 contacts, the most of a request, make
/// 20 blocks of plan, and while the letters go out about four blocks for each 20 of them in draft mode (4,000 in
/// all) or for each 4 in send mode (20,000). Retries add to it by the hour, not by the letter.
/// <https://learn.microsoft.com/azure/storage/blobs/scalability-targets>
const LARGEST_BLOCK: usize = 4 << 20;

/// A renewal is worth little when it is late: it is tried again rather than waited for.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Between two tries of an append.
const WAIT: Duration = Duration::from_millis(500);

/// Tries of an append; the lease, which is asked before each, ends them sooner.
const TRIES: u32 = 5;

/// An open journal under our lease.
pub(in crate::remote::journal) struct LeasedBlob {
    blob: BlobClient,
    done: BlobClient,
    lease: String,
}

impl fmt::Debug for LeasedBlob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LeasedBlob({})", self.blob.url())
    }
}

impl LeasedBlob {
    pub(super) fn new(blob: BlobClient, done: BlobClient, lease: String) -> Self {
        Self { blob, done, lease }
    }

    pub(in crate::remote::journal) async fn read(&self) -> Result<Vec<u8>, StoreError> {
        let bytes = read(&self.blob, 0).await?;
        bytes.ok_or_else(|| Failure::Missing.during("read a journal"))
    }

    /// Writes lines at `at`, which must be the end of the blob; gives whether it was, and the lease still ours.
    pub(in crate::remote::journal) async fn append(
        &self,
        mut at: u64,
        mut lines: Bytes,
        tenure: &Tenure,
    ) -> Result<bool, StoreError> {
        while !lines.is_empty() {
            let size = match whole(&lines[..lines.len().min(LARGEST_BLOCK)]) {
                0 => lines.len(),
                size => size,
            };
            let block = lines.split_to(size);
            if !self.append_block(at, block, tenure).await? {
                return Ok(false);
            }
            at += size as u64;
        }
        Ok(true)
    }

    async fn append_block(
        &self,
        at: u64,
        block: Bytes,
        tenure: &Tenure,
    ) -> Result<bool, StoreError> {
        let mut cause = String::new();
        for _ in 0..TRIES {
            if !tenure.holds() {
                return Ok(false);
            }
            cause = match self.try_append(at, block.clone()).await {
                Ok(()) => return Ok(true),
                Err(Failure::Unclear(cause)) => cause,
                // Perhaps a former try of ours came through after all.
                Err(Failure::Refused(code)) if code == "AppendPositionConditionNotMet" => code,
                Err(Failure::Refused(_) | Failure::Missing | Failure::NoContainer) => {
                    return Ok(false);
                }
                Err(failure) => return Err(failure.during("append to a journal")),
            };
            tracing::warn!(
                cause,
                "it is not clear whether lines were appended to a journal"
            );
            match read(&self.blob, at).await? {
                Some(tail) if tail == block => return Ok(true),
                Some(tail) if tail.is_empty() => tokio::time::sleep(WAIT).await,
                _ => return Ok(false),
            }
        }
        Err(Failure::Unclear(cause).during("append to a journal"))
    }

    async fn try_append(&self, at: u64, block: Bytes) -> Result<(), Failure> {
        let options = AppendBlobClientAppendBlockOptions {
            append_position: Some(at.cast_signed()),
            lease_id: Some(self.lease.clone()),
            ..AppendBlobClientAppendBlockOptions::default()
        };
        let (blob, length) = (self.blob.append_blob_client(), block.len() as u64);
        let content = RequestContent::from(block.to_vec());
        call(
            EFFECT_TIMEOUT,
            blob.append_block(content, length, Some(options)),
        )
        .await?;
        Ok(())
    }

    /// Renews the lease; gives whether it is still ours.
    pub(in crate::remote::journal) async fn renew(&self) -> Result<bool, StoreError> {
        let renewal = self.blob.renew_lease(self.lease.clone(), None);
        match call(RENEWAL_TIMEOUT, renewal).await {
            Ok(_) => Ok(true),
            Err(Failure::Refused(_) | Failure::Missing | Failure::NoContainer) => Ok(false),
            Err(failure) => Err(failure.during("renew a lease")),
        }
    }

    /// Gives the lease back; where that fails, it ends by itself.
    pub(in crate::remote::journal) async fn release(&self) {
        let release = self.blob.release_lease(self.lease.clone(), None);
        if let Err(failure) = call(RENEWAL_TIMEOUT, release).await {
            tracing::debug!(?failure, "a lease was not given back and runs out");
        }
    }

    /// Copies the journal to the finished ones, unless it is there already, and removes it from the open ones.
    pub(in crate::remote::journal) async fn finish(&self) -> Result<(), StoreError> {
        let action = "finish a journal";
        let lines = self.read().await?;
        match insist(|| upload_new(&self.done, &lines)).await {
            Ok(()) | Err(Failure::Refused(_)) => {}
            Err(failure) => return Err(failure.during(action)),
        }
        let deleted = delete(&self.blob, Some(&self.lease)).await;
        deleted.map_err(|failure| failure.during(action))
    }

    pub(in crate::remote::journal) async fn discard(&self) -> Result<(), StoreError> {
        let deleted = delete(&self.blob, Some(&self.lease)).await;
        deleted.map_err(|failure| failure.during("discard a journal"))
    }

    pub(in crate::remote::journal) async fn written(
        &self,
    ) -> Result<Option<Timestamp>, StoreError> {
        let look = insist(|| call(EFFECT_TIMEOUT, self.blob.get_properties(None)));
        let properties = look
            .await
            .map_err(|failure| failure.during("look at a journal"))?;
        let written = properties.last_modified();
        Ok(written.ok().and_then(moment))
    }
}
