//! Owns what letters need of a store: the templates that makers put beside the journals. They are only ever read here.

use super::{Kind, Store, StoreError};

/// The folder that they are in.
const FOLDER: &str = "templates";

/// A file that lies in the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stored {
    /// Its path in the folder, such as `en/invitation.html`.
    pub path: String,
    /// What is another one once the file was written again.
    pub version: String,
    /// How many bytes it has.
    pub size: u64,
}

impl Store {
    /// The files in the folder of templates, by path; where there are more than `most`, so many of them.
    pub async fn templates(&self, most: usize) -> Result<Vec<Stored>, StoreError> {
        let mut files = match &self.kind {
            Kind::Directory(directory) => directory.files(FOLDER, most).await,
            Kind::Container(container) => container.files(FOLDER, most).await,
        }?;
        files.sort_unstable();
        Ok(files)
    }

    /// What a file in the folder of templates holds; `None` where it is gone.
    pub async fn template(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.bytes(&format!("{FOLDER}/{path}")).await
    }
}
