//! Owns the store in a local directory.
//!
//! The lease is a lock on the journal file, which the operating system gives back when the process dies. Files
//! come into being by a hard link from a finished temporary file, so that nobody ever sees half of one, and two
//! that race for a name cannot both win.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::{Claim, KeyRecord, Leasing, Listed, StoreError, Stored, done_name, open_name, whole};
use crate::domain::ids::BatchNumber;

/// Files under one directory.
#[derive(Clone, Debug)]
pub(super) struct Directory(Arc<PathBuf>);

/// A journal file that we hold the lock on.
#[derive(Debug)]
pub(super) struct LockedFile {
    file: Arc<File>,
    path: PathBuf,
    done: PathBuf,
}

impl Directory {
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        for folder in ["keys", "open", "done"] {
            fs::create_dir_all(root.join(folder))?;
        }
        Ok(Self(Arc::new(root.to_owned())))
    }

    pub(super) async fn claim(&self, name: &str, record: &KeyRecord) -> Result<Claim, StoreError> {
        let path = self.0.join(name);
        let bytes = serde_json::to_vec(record).unwrap_or_default();
        let won = blocking("claim a key", move || {
            create_whole(&path, &bytes).map(|file| file.is_some())
        })
        .await?;
        if won {
            return Ok(Claim::Won);
        }
        let taken = self.read(name).await?;
        let taken = taken.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(taken.map_or(Claim::Won, Claim::Taken))
    }

    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.0.join(name);
        blocking("read a file", move || match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    pub(super) async fn is_there(&self, name: &str) -> Result<bool, StoreError> {
        let path = self.0.join(name);
        blocking("look for a file", move || path.try_exists()).await
    }

    pub(super) async fn create(
        &self,
        number: BatchNumber,
    ) -> Result<Option<LockedFile>, StoreError> {
        let path = self.0.join(open_name(number));
        let file = blocking("create a journal", move || create_whole(&path, b"")).await?;
        Ok(file.map(|file| self.locked(number, file)))
    }

    pub(super) async fn lease(
        &self,
        number: BatchNumber,
    ) -> Result<Leasing<LockedFile>, StoreError> {
        let path = self.0.join(open_name(number));
        let leasing = blocking("take a journal", move || lock(&path)).await?;
        Ok(leasing.map(|file| self.locked(number, file)))
    }

    fn locked(&self, number: BatchNumber, file: File) -> LockedFile {
        LockedFile {
            file: Arc::new(file),
            path: self.0.join(open_name(number)),
            done: self.0.join(done_name(number)),
        }
    }

    /// The journals of a folder, made when the file system tells.
    pub(super) async fn journals(&self, folder: &'static str) -> Result<Vec<Listed>, StoreError> {
        let folder = self.0.join(folder);
        blocking("list journals", move || {
            let entries = fs::read_dir(folder)?;
            let listed = entries.filter_map(|entry| listed(entry).transpose());
            listed.collect()
        })
        .await
    }

    /// The files of a folder, which need not be there, and of those in it; no more than `most`.
    pub(super) async fn files(
        &self,
        folder: &'static str,
        most: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let folder = self.0.join(folder);
        blocking("list files", move || {
            let mut files = Vec::new();
            collect(&folder, "", most, &mut files)?;
            Ok(files)
        })
        .await
    }

    pub(super) async fn note(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let (path, bytes) = (self.0.join(name), bytes.to_vec());
        blocking("keep a note", move || create_whole(&path, &bytes).map(drop)).await
    }

    pub(super) async fn expire(
        &self,
        old: impl Fn(Timestamp) -> bool + Send + 'static,
    ) -> Result<usize, StoreError> {
        let folders = ["done", "keys"].map(|folder| self.0.join(folder));
        blocking("remove old journals", move || {
            let mut removed = 0;
            for folder in folders {
                for entry in fs::read_dir(folder)? {
                    let entry = entry?;
                    let written = Timestamp::try_from(entry.metadata()?.modified()?);
                    if written.is_ok_and(&old) {
                        fs::remove_file(entry.path())?;
                        removed += 1;
                    }
                }
            }
            Ok(removed)
        })
        .await
    }
}

impl LockedFile {
    /// What the file holds. A last line that was never written to its end is cut off.
    pub(super) async fn read(&self) -> Result<Vec<u8>, StoreError> {
        let file = Arc::clone(&self.file);
        blocking("read a journal", move || {
            let (mut file, mut bytes) = (&*file, Vec::new());
            file.seek(SeekFrom::Start(0))?;
            file.read_to_end(&mut bytes)?;
            let whole = whole(&bytes);
            if whole < bytes.len() {
                bytes.truncate(whole);
                file.set_len(whole as u64)?;
            }
            Ok(bytes)
        })
        .await
    }

    /// Writes at `at`, which must be the end of the file; gives whether it was.
    pub(super) async fn append(&self, at: u64, bytes: Vec<u8>) -> Result<bool, StoreError> {
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        blocking("append to a journal", move || {
            if !names(&path, &file)? || file.metadata()?.len() != at {
                return Ok(false);
            }
            let mut file = &*file;
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&bytes)?;
            file.sync_data()?;
            Ok(true)
        })
        .await
    }

    /// A file lock needs no renewing; what is checked is that the path still leads to the locked file.
    pub(super) async fn renew(&self) -> Result<bool, StoreError> {
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        blocking("renew a lease", move || names(&path, &file)).await
    }

    pub(super) async fn finish(&self) -> Result<(), StoreError> {
        let (open, done) = (self.path.clone(), self.done.clone());
        blocking("finish a journal", move || fs::rename(open, done)).await
    }

    pub(super) async fn discard(&self) -> Result<(), StoreError> {
        let open = self.path.clone();
        blocking("discard a journal", move || fs::remove_file(open)).await
    }

    pub(super) async fn written(&self) -> Result<Option<Timestamp>, StoreError> {
        let file = Arc::clone(&self.file);
        let written = blocking("look at a journal", move || file.metadata()?.modified()).await?;
        Ok(Timestamp::try_from(written).ok())
    }
}

/// A file of a folder; `None` where it is gone meanwhile.
fn listed(entry: io::Result<fs::DirEntry>) -> io::Result<Option<Listed>> {
    let entry = entry?;
    let metadata = match entry.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let moment = |time: io::Result<SystemTime>| Timestamp::try_from(time.ok()?).ok();
    let written = moment(metadata.modified());
    let name = entry.file_name().into_string().ok();
    Ok(name.map(|name| Listed {
        made: moment(metadata.created()).or(written).unwrap_or_default(),
        name,
        written,
    }))
}

/// Adds the files of a folder, one folder deep; a change of a file changes its `ctime`, whatever wrote it.
fn collect(folder: &Path, within: &str, most: usize, files: &mut Vec<Stored>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let Ok(metadata) = fs::metadata(entry.path()) else {
            continue;
        };
        if metadata.is_dir() && within.is_empty() {
            collect(&entry.path(), &format!("{name}/"), most, files)?;
        } else if metadata.is_file() && files.len() < most {
            let (seconds, nanoseconds) = (metadata.ctime(), metadata.ctime_nsec());
            files.push(Stored {
                path: format!("{within}{name}"),
                version: format!("{seconds}.{nanoseconds}-{}", metadata.ino()),
                size: metadata.len(),
            });
        }
    }
    Ok(())
}

fn lock(path: &Path) -> io::Result<Leasing<File>> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Leasing::Gone),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Leasing::Held),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // It may have been finished between opening and locking.
    let ours = names(path, &file)?;
    Ok(if ours {
        Leasing::Ours(file)
    } else {
        Leasing::Gone
    })
}

/// Makes a file with its content, locked, unless the name is taken.
fn create_whole(path: &Path, bytes: &[u8]) -> io::Result<Option<File>> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = tempfile::NamedTempFile::new_in(folder)?;
    let (mut file, temporary_path) = temporary.into_parts();
    file.write_all(bytes)?;
    file.sync_all()?;
    file.lock()?;
    match fs::hard_link(&temporary_path, path) {
        Ok(()) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the path still leads to this very file.
fn names(path: &Path, file: &File) -> io::Result<bool> {
    let there = match fs::metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let here = file.metadata()?;
    Ok((there.dev(), there.ino()) == (here.dev(), here.ino()))
}

async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = spawn_blocking(work).await.map_err(io::Error::other);
    done.and_then(|result| result)
        .map_err(StoreError::io(action))
}
