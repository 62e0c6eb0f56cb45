//! Owns where accepted work is kept: keys, open journals and finished ones, and the lease on each journal.
//!
//! A journal is the outbox. Whoever holds its lease works on it; everyone may read it. There are two stores, a
//! directory and a container of Azure Blob Storage, with the same names in both: `keys/{name}`,
//! `open/{number}.jsonl`, `done/{number}.jsonl`, and what makers put under `templates/`. What differs between them is
//! in `directory` and `blob`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::claims::Claims;
use super::http::Transport;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::domain::batch::Line;
use crate::domain::ids::BatchNumber;
use crate::remote::budget::Tenure;

mod blob;
mod directory;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod lease;
mod lines;
mod notes;
mod templates;

pub use error::StoreError;
pub use lease::Journal;
use lease::Lease;
use lines::{format, parse, whole};
pub use templates::Stored;

/// Which store to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A directory; made where it is missing.
    Directory(PathBuf),
    /// A container of Azure Blob Storage; made where it is missing.
    Container {
        /// Its address, `https://{account}.blob.core.windows.net/{container}`.
        url: Url,
        /// Client id of the identity for it, where that is another one than for everything else.
        client_id: Option<String>,
    },
}

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

/// Keys, open and finished journals.
#[derive(Clone, Debug)]
pub struct Store {
    kind: Kind,
    clock: Clock,
}

#[derive(Clone, Debug)]
enum Kind {
    Directory(directory::Directory),
    Container(blob::Container),
}

/// A file in the folder of open journals; the oldest sorts first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Listed {
    made: Timestamp,
    name: String,
    written: Option<Timestamp>,
}

impl Listed {
    fn journal(&self) -> Option<(BatchNumber, Option<Timestamp>)> {
        let number: i64 = self.name.strip_suffix(".jsonl")?.parse().ok()?;
        Some((BatchNumber::try_from(number).ok()?, self.written))
    }
}

/// What an attempt to lease a journal came to.
enum Leasing<L> {
    Ours(L),
    Held,
    Gone,
}

impl<L> Leasing<L> {
    fn map<M>(self, change: impl FnOnce(L) -> M) -> Leasing<M> {
        match self {
            Self::Ours(lease) => Leasing::Ours(change(lease)),
            Self::Held => Leasing::Held,
            Self::Gone => Leasing::Gone,
        }
    }
}

impl Store {
    /// Opens the store in a directory, making what is missing.
    pub fn in_directory(root: &Path, clock: Clock) -> io::Result<Self> {
        let kind = Kind::Directory(directory::Directory::open(root)?);
        Ok(Self { kind, clock })
    }

    /// Opens the store in a container, without touching it yet.
    ///
    /// # Errors
    ///
    /// An address that is not https: the token would travel in the open.
    pub fn in_container(
        url: &Url,
        credential: Arc<dyn TokenCredential>,
        transport: &Transport,
        (clock, chance): (Clock, Chance),
    ) -> azure_core::Result<Self> {
        let container = blob::Container::new(url, credential, transport, (clock.clone(), chance))?;
        let kind = Kind::Container(container);
        Ok(Self { kind, clock })
    }

    /// Claims a key, unless someone has.
    pub async fn claim(&self, name: &str, record: &KeyRecord) -> Result<Claim, StoreError> {
        let name = key_name(name);
        match &self.kind {
            Kind::Directory(directory) => directory.claim(&name, record).await,
            Kind::Container(container) => container.claim(&name, record).await,
        }
    }

    /// What a key stands for.
    pub async fn key(&self, name: &str) -> Result<Option<KeyRecord>, StoreError> {
        let bytes = self.bytes(&key_name(name)).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Makes an empty journal and takes its lease.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] where the number is in use, open or done, or somebody else got the lease first.
    pub async fn create(&self, number: BatchNumber) -> Result<Journal, StoreError> {
        let tenure = Tenure::begin(&self.clock);
        let lease = match &self.kind {
            Kind::Directory(directory) => {
                let file = directory.create(number).await?;
                file.map(Lease::File)
            }
            Kind::Container(container) => {
                let blob = container.create(number, &tenure).await?;
                blob.map(Box::new).map(Lease::Blob)
            }
        };
        let lease = lease.ok_or(StoreError::Exists(number))?;
        let journal = Journal::new(number, lease, tenure, &self.clock);
        let journal = self.unless_done(journal).await?;
        journal.ok_or(StoreError::Exists(number))
    }

    /// An empty journal under our lease, unless there is a finished one: then a request to make or to lease it came
    /// in late, perhaps our own from before we were frozen, and it is removed again.
    async fn unless_done(&self, journal: Journal) -> Result<Option<Journal>, StoreError> {
        if !self.is_there(&done_name(journal.number())).await? {
            return Ok(Some(journal));
        }
        journal.discard().await?;
        Ok(None)
    }

    /// Takes the lease on an open journal, if nobody holds it.
    pub async fn take(&self, number: BatchNumber) -> Result<Take, StoreError> {
        let tenure = Tenure::begin(&self.clock);
        let leasing = match &self.kind {
            Kind::Directory(directory) => directory.lease(number).await?.map(Lease::File),
            Kind::Container(container) => container
                .lease(number, &tenure)
                .await?
                .map(Box::new)
                .map(Lease::Blob),
        };
        match leasing {
            Leasing::Gone => Ok(Take::Gone),
            Leasing::Held => Ok(Take::Held),
            Leasing::Ours(lease) => {
                let mut journal = Journal::new(number, lease, tenure, &self.clock);
                let lines = journal.read().await?;
                if !lines.is_empty() {
                    return Ok(Take::Ours(Box::new(journal), lines));
                }
                let empty = self.unless_done(journal).await?;
                Ok(empty.map_or(Take::Gone, |journal| Take::Ours(Box::new(journal), lines)))
            }
        }
    }

    /// What a journal holds, whoever works on it; `None` where there is none.
    pub async fn read(&self, number: BatchNumber) -> Result<Option<Vec<Line>>, StoreError> {
        let mut found = None;
        for (name, _) in places(number) {
            if let Some(bytes) = self.bytes(&name).await? {
                let lines = parse(number, &bytes)?;
                // A request to make it that came in late leaves an empty one before the finished one.
                if !lines.is_empty() {
                    return Ok(Some(lines));
                }
                found = Some(lines);
            }
        }
        Ok(found)
    }

    /// Where the journal with this number is.
    pub async fn whereabouts(&self, number: BatchNumber) -> Result<Whereabouts, StoreError> {
        for (name, whereabouts) in places(number) {
            if self.is_there(&name).await? {
                return Ok(whereabouts);
            }
        }
        Ok(Whereabouts::Nowhere)
    }

    /// The open journals, the oldest first, each with when it was last written.
    pub async fn open_journals(&self) -> Result<Vec<(BatchNumber, Option<Timestamp>)>, StoreError> {
        let mut listed = self.listed("open").await?;
        listed.sort_unstable();
        Ok(listed.iter().filter_map(Listed::journal).collect())
    }

    /// The numbers of the open journals, the oldest first.
    pub async fn open_numbers(&self) -> Result<Vec<BatchNumber>, StoreError> {
        let journals = self.open_journals().await?.into_iter();
        Ok(journals.map(|(number, _)| number).collect())
    }

    /// Whether it is a directory of this machine.
    pub const fn is_local(&self) -> bool {
        matches!(self.kind, Kind::Directory(_))
    }

    /// What the token for the store says about whoever it was issued to; `None` where it takes none.
    ///
    /// # Errors
    ///
    /// What the identity endpoint said, redacted.
    pub async fn claims(&self) -> Option<Result<Option<Claims>, String>> {
        match &self.kind {
            Kind::Directory(_) => None,
            Kind::Container(container) => Some(container.claims().await),
        }
    }

    /// Removes finished journals and keys that were last written longer ago than `keep`.
    pub async fn expire(&self, keep: Duration) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let old = move |written: Timestamp| {
            Duration::try_from(now.duration_since(written)).is_ok_and(|age| age > keep)
        };
        match &self.kind {
            Kind::Directory(directory) => directory.expire(old).await,
            Kind::Container(container) => container.expire(old).await,
        }
    }

    async fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.kind {
            Kind::Directory(directory) => directory.read(name).await,
            Kind::Container(container) => container.read(name).await,
        }
    }

    /// The journals of a folder.
    async fn listed(&self, folder: &'static str) -> Result<Vec<Listed>, StoreError> {
        match &self.kind {
            Kind::Directory(directory) => directory.journals(folder).await,
            Kind::Container(container) => container.journals(folder).await,
        }
    }

    async fn is_there(&self, name: &str) -> Result<bool, StoreError> {
        match &self.kind {
            Kind::Directory(directory) => directory.is_there(name).await,
            Kind::Container(container) => container.is_there(name).await,
        }
    }
}

fn key_name(name: &str) -> String {
    format!("keys/{name}")
}

fn open_name(number: BatchNumber) -> String {
    format!("open/{number}.jsonl")
}

fn done_name(number: BatchNumber) -> String {
    format!("done/{number}.jsonl")
}

/// Where to look, in this order: a journal moves from open to done, and may be made, between two looks.
fn places(number: BatchNumber) -> [(String, Whereabouts); 3] {
    let open = || (open_name(number), Whereabouts::Open);
    [open(), (done_name(number), Whereabouts::Done), open()]
}

#[cfg(test)]
mod tests;
