//! Owns what the digest needs of a store: notes that are kept as long as keys, and which journals were put away when.

use jiff::Timestamp;

use super::{Kind, Listed, Store, StoreError, key_name};
use crate::domain::ids::BatchNumber;

impl Store {
    /// Keeps a note under a name for as long as keys are kept, unless there is one.
    pub async fn note(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let (name, bytes) = (key_name(name), text.as_bytes());
        match &self.kind {
            Kind::Directory(directory) => directory.note(&name, bytes).await,
            Kind::Container(container) => container.note(&name, bytes).await,
        }
    }

    /// The note under a name.
    pub async fn noted(&self, name: &str) -> Result<Option<String>, StoreError> {
        let bytes = self.bytes(&key_name(name)).await?;
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// The journals that were put away at or after a moment, the oldest first.
    pub async fn done_since(&self, moment: Timestamp) -> Result<Vec<BatchNumber>, StoreError> {
        let mut listed = self.listed("done").await?;
        listed.retain(|journal| journal.written.is_some_and(|written| written >= moment));
        listed.sort_by_key(|journal| journal.written);
        let numbers = listed.iter().filter_map(Listed::journal);
        Ok(numbers.map(|(number, _)| number).collect())
    }
}
