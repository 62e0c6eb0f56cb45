//! Owns what a container is asked to list: journals with their age, and files with their version.
//! <https://learn.microsoft.com/rest/api/storageservices/list-blobs>

use azure_core::time::OffsetDateTime;
use azure_storage_blob::models::{BlobContainerClientListBlobsOptions, BlobItem};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::call::{Failure, call, insist};
use super::{Container, READ_TIMEOUT};
use crate::remote::journal::{Listed, StoreError, Stored};

impl Container {
    /// The journals of a folder.
    pub(in crate::remote::journal) async fn journals(
        &self,
        folder: &'static str,
    ) -> Result<Vec<Listed>, StoreError> {
        let folder = format!("{folder}/");
        let blobs = self.list(&folder).await?.into_iter();
        let listed = blobs.filter_map(|blob| {
            let name = blob.name?.strip_prefix(&folder)?.to_owned();
            let properties = blob.properties.unwrap_or_default();
            Some(Listed {
                made: moment(properties.creation_time).unwrap_or_default(),
                name,
                written: moment(properties.last_modified),
            })
        });
        Ok(listed.collect())
    }

    /// The files of a folder and of those in it; no more than `most`, but at least as many if there are.
    pub(in crate::remote::journal) async fn files(
        &self,
        folder: &str,
        most: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let folder = format!("{folder}/");
        let blobs = self.list_first(&folder, most).await?.into_iter();
        let stored = blobs.filter_map(|blob| {
            let path = blob.name?.strip_prefix(&folder)?.to_owned();
            let properties = blob.properties?;
            Some(Stored {
                path,
                version: properties.etag?.to_string(),
                size: properties.content_length?,
            })
        });
        Ok(stored.collect())
    }

    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<BlobItem>, StoreError> {
        self.list_first(prefix, usize::MAX).await
    }

    async fn list_first(&self, prefix: &str, most: usize) -> Result<Vec<BlobItem>, StoreError> {
        let listed = insist(|| {
            let options = BlobContainerClientListBlobsOptions {
                prefix: Some(prefix.to_owned()),
                ..BlobContainerClientListBlobsOptions::default()
            };
            let blobs = async {
                let blobs = self.client.list_blobs(Some(options))?;
                blobs.take(most).try_collect().await
            };
            call(READ_TIMEOUT, blobs)
        });
        match listed.await {
            Ok(blobs) => Ok(blobs),
            Err(Failure::NoContainer) => Ok(Vec::new()),
            Err(failure) => Err(failure.during("list blobs")),
        }
    }
}

pub(super) fn moment(moment: Option<OffsetDateTime>) -> Option<Timestamp> {
    Timestamp::from_second(moment?.unix_timestamp()).ok()
}
