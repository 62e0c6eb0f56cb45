//! Owns the store in a container of Azure Blob Storage.
//!
//! Journals are append blobs, keys and finished journals block blobs. A journal's lease is the blob's own: sixty
//! seconds, ended by the service when its holder dies. Every write is conditional, so one whose answer was lost
//! can be tried again or looked up, and two that race cannot both win.
//! <https://learn.microsoft.com/rest/api/storageservices/understanding-block-blobs--append-blobs--and-page-blobs>

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::http::{RequestContent, RetryOptions};
use azure_storage_blob::models::{
    AppendBlobClientCreateOptions, BlobClientAcquireLeaseOptions, BlobClientDeleteOptions,
    BlobClientDownloadOptions, BlobItem, BlockBlobClientUploadOptions,
};
use azure_storage_blob::{BlobClient, BlobContainerClient, BlobContainerClientOptions};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::{Claim, KeyRecord, Leasing, StoreError, done_name, open_name};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::domain::ids::BatchNumber;
use crate::remote::azure::client_options;
use crate::remote::budget::{EFFECT_TIMEOUT, Tenure};
use crate::remote::claims::Claims;
use crate::remote::http::Transport;
use crate::remote::identity::claims;

mod call;
mod leased;
mod listing;

use call::{Failure, call, insist};
pub(super) use leased::LeasedBlob;
use listing::moment;

/// The longest lease that ends by itself, in seconds.
/// <https://learn.microsoft.com/rest/api/storageservices/lease-blob>
const LEASE_SECONDS: i32 = 60;

/// A whole journal may be read for this long; nothing is changed by reading.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Blobs are read and written in one piece: a journal that grows between two pieces could not be read at all.
/// No journal comes near this size in bytes.
const ONE_PIECE: usize = 1 << 30;

/// What tokens for Azure Storage are asked for.
/// <https://learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory>
const SCOPE: &str = "https://storage.azure.com/.default";

/// Blobs in one container.
#[derive(Clone)]
pub(super) struct Container {
    client: Arc<BlobContainerClient>,
    credential: Arc<dyn TokenCredential>,
    clock: Clock,
    chance: Chance,
}

impl fmt::Debug for Container {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Container({})", self.client.url())
    }
}

/// A key as stored: with a mark that tells our own write from another's, should its answer be lost.
#[derive(Serialize, Deserialize)]
struct Claimed {
    #[serde(flatten)]
    record: KeyRecord,
    claimant: Uuid,
}

impl Container {
    pub(super) fn new(
        url: &Url,
        credential: Arc<dyn TokenCredential>,
        transport: &Transport,
        (clock, chance): (Clock, Chance),
    ) -> azure_core::Result<Self> {
        let options = BlobContainerClientOptions {
            // What a failed try means is decided here, by the rules of the lease.
            client_options: client_options(transport, RetryOptions::none()),
            ..BlobContainerClientOptions::default()
        };
        let own = Some(Arc::clone(&credential));
        let client = BlobContainerClient::new(url.clone(), own, Some(options))?;
        Ok(Self {
            client: Arc::new(client),
            credential,
            clock,
            chance,
        })
    }

    /// What the token for the store says about whoever it was issued to.
    pub(super) async fn claims(&self) -> Result<Option<Claims>, String> {
        claims(&*self.credential, SCOPE).await
    }

    fn blob(&self, name: &str) -> BlobClient {
        self.client.blob_client(name)
    }

    fn uuid(&self) -> Uuid {
        let number = || u128::from(self.chance.number());
        let bytes = [0, 32, 64, 96].map(|place| number() << place);
        uuid::Builder::from_random_bytes(bytes.into_iter().sum::<u128>().to_be_bytes()).into_uuid()
    }

    pub(super) async fn claim(&self, name: &str, record: &KeyRecord) -> Result<Claim, StoreError> {
        let claimant = self.uuid();
        let claimed = Claimed {
            record: record.clone(),
            claimant,
        };
        let bytes = serde_json::to_vec(&claimed).unwrap_or_default();
        let blob = self.blob(name);
        match self.insist_on_container(|| upload_new(&blob, &bytes)).await {
            Ok(()) => return Ok(Claim::Won),
            Err(Failure::Refused(_)) => {}
            Err(failure) => return Err(failure.during("claim a key")),
        }
        let there = self.read(name).await?;
        let there: Claimed = serde_json::from_slice(&there.unwrap_or_default())
            .map_err(|error| StoreError::io("claim a key")(error.into()))?;
        Ok(if there.claimant == claimant {
            Claim::Won
        } else {
            Claim::Taken(there.record)
        })
    }

    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read(&self.blob(name), 0).await
    }

    pub(super) async fn is_there(&self, name: &str) -> Result<bool, StoreError> {
        let blob = self.blob(name);
        let look = insist(|| call(EFFECT_TIMEOUT, blob.get_properties(None)));
        match look.await {
            Ok(_) => Ok(true),
            Err(Failure::Missing | Failure::NoContainer) => Ok(false),
            Err(failure) => Err(failure.during("look for a blob")),
        }
    }

    /// Makes an empty journal and leases it.
    ///
    /// Where the answer to the making was lost and the journal is there at the next try, it may be ours or a
    /// twin's. Either way it belongs to whoever gets its lease.
    pub(super) async fn create(
        &self,
        number: BatchNumber,
        tenure: &Tenure,
    ) -> Result<Option<LeasedBlob>, StoreError> {
        let blob = self.blob(&open_name(number)).append_blob_client();
        let mut tries = 0;
        let made = self.insist_on_container(|| {
            tries += 1;
            let options = AppendBlobClientCreateOptions::default().if_not_exists();
            call(EFFECT_TIMEOUT, blob.create(Some(options)))
        });
        match made.await {
            Ok(_) => {}
            Err(Failure::Refused(_)) if tries > 1 => {}
            Err(Failure::Refused(_)) => return Ok(None),
            Err(failure) => return Err(failure.during("create a journal")),
        }
        Ok(match self.lease(number, tenure).await? {
            Leasing::Ours(blob) => Some(blob),
            Leasing::Held | Leasing::Gone => None,
        })
    }

    /// Takes the lease of an open journal. The lease's id is proposed by us, so that a second try finds the
    /// lease of a first one whose answer was lost to be its own.
    pub(super) async fn lease(
        &self,
        number: BatchNumber,
        tenure: &Tenure,
    ) -> Result<Leasing<LeasedBlob>, StoreError> {
        let (blob, id) = (self.blob(&open_name(number)), self.uuid().to_string());
        let acquired = insist(|| {
            let mark = self.clock.mark();
            let options = BlobClientAcquireLeaseOptions {
                proposed_lease_id: Some(id.clone()),
                ..BlobClientAcquireLeaseOptions::default()
            };
            let acquisition = blob.acquire_lease(LEASE_SECONDS, Some(options));
            async move {
                call(EFFECT_TIMEOUT, acquisition).await?;
                tenure.renew(mark);
                Ok(())
            }
        });
        match acquired.await {
            Ok(()) => {
                let done = self.blob(&done_name(number));
                Ok(Leasing::Ours(LeasedBlob::new(blob, done, id)))
            }
            Err(Failure::Refused(_)) => Ok(Leasing::Held),
            Err(Failure::Missing | Failure::NoContainer) => Ok(Leasing::Gone),
            Err(failure) => Err(failure.during("take a journal")),
        }
    }

    /// A note that is there already, perhaps our own by a try whose answer was lost, stays.
    pub(super) async fn note(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let blob = self.blob(name);
        match self.insist_on_container(|| upload_new(&blob, bytes)).await {
            Ok(()) | Err(Failure::Refused(_)) => Ok(()),
            Err(failure) => Err(failure.during("keep a note")),
        }
    }

    pub(super) async fn expire(
        &self,
        old: impl Fn(Timestamp) -> bool,
    ) -> Result<usize, StoreError> {
        let mut removed = 0;
        for folder in ["done/", "keys/"] {
            for BlobItem {
                name, properties, ..
            } in self.list(folder).await?
            {
                let written = properties.and_then(|properties| moment(properties.last_modified));
                if let (Some(name), true) = (name, written.is_some_and(&old)) {
                    delete(&self.blob(&name), None)
                        .await
                        .map_err(|failure| failure.during("remove old journals"))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Insists on a write; the first one of all finds no container and makes it.
    async fn insist_on_container<T, A: Future<Output = Result<T, Failure>>>(
        &self,
        mut write: impl FnMut() -> A,
    ) -> Result<T, Failure> {
        match insist(&mut write).await {
            Err(Failure::NoContainer) => {}
            written => return written,
        }
        match insist(|| call(EFFECT_TIMEOUT, self.client.create(None))).await {
            Ok(_) | Err(Failure::Refused(_)) => insist(write).await,
            Err(failure) => Err(failure),
        }
    }
}

/// What a blob holds from `from` on; `None` where there is no blob.
async fn read(blob: &BlobClient, from: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let read = insist(|| {
        let options = BlobClientDownloadOptions {
            range: (from > 0).then(|| (from..).into()),
            partition_size: NonZero::new(ONE_PIECE),
            parallel: NonZero::new(1),
            ..BlobClientDownloadOptions::default()
        };
        let bytes = async { blob.download(Some(options)).await?.body.collect().await };
        call(READ_TIMEOUT, bytes)
    });
    match read.await {
        Ok(bytes) => Ok(Some(bytes.into())),
        Err(Failure::PastTheEnd) => Ok(Some(Vec::new())),
        Err(Failure::Missing | Failure::NoContainer) => Ok(None),
        Err(failure) => Err(failure.during("read a blob")),
    }
}

/// Writes a blob unless there is one.
async fn upload_new(blob: &BlobClient, bytes: &[u8]) -> Result<(), Failure> {
    let options = BlockBlobClientUploadOptions {
        partition_size: NonZero::new(ONE_PIECE as u64),
        ..BlockBlobClientUploadOptions::default().if_not_exists()
    };
    let content = RequestContent::from(bytes.to_vec());
    call(EFFECT_TIMEOUT, blob.upload(content, Some(options))).await?;
    Ok(())
}

/// Removes a blob, under its lease where it has one; one that is gone is removed.
async fn delete(blob: &BlobClient, lease: Option<&str>) -> Result<(), Failure> {
    let deleted = insist(|| {
        let options = BlobClientDeleteOptions {
            lease_id: lease.map(str::to_owned),
            ..BlobClientDeleteOptions::default()
        };
        call(EFFECT_TIMEOUT, blob.delete(Some(options)))
    });
    match deleted.await {
        Ok(_) | Err(Failure::Missing) => Ok(()),
        Err(failure) => Err(failure),
    }
}
