//! Owns the store in a local directory: `keys/`, `open/` and `done/`.
//!
//! The lease is a lock on the journal file, which the operating system gives back when the process dies. Files
//! come into being by a hard link from a finished temporary file, so that nobody ever sees half of one, and two
//! that race for a name cannot both win.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::{AbortHandle, spawn_blocking};

use super::{Claim, KeyRecord, StoreError, Take, Whereabouts, format, parse};
use crate::clock::Clock;
use crate::domain::batch::Line;
use crate::domain::ids::BatchNumber;
use crate::remote::budget::Tenure;

/// How often a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(20);

/// Keys, open and finished journals under one directory.
#[derive(Clone, Debug)]
pub struct Store {
    root: Arc<PathBuf>,
    clock: Clock,
}

/// An open journal under our lease. Dropping it gives the lease back.
#[derive(Debug)]
pub struct Journal {
    number: BatchNumber,
    path: PathBuf,
    done: PathBuf,
    file: Arc<File>,
    length: u64,
    tenure: Tenure,
    renewer: AbortHandle,
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.renewer.abort();
    }
}

impl Store {
    /// Opens the store, making its directories where they are missing.
    pub fn open(root: &Path, clock: Clock) -> io::Result<Self> {
        for folder in ["keys", "open", "done"] {
            fs::create_dir_all(root.join(folder))?;
        }
        Ok(Self {
            root: Arc::new(root.to_owned()),
            clock,
        })
    }

    fn key_path(&self, name: &str) -> PathBuf {
        self.root.join("keys").join(name)
    }

    fn open_path(&self, number: BatchNumber) -> PathBuf {
        self.root.join("open").join(format!("{number}.jsonl"))
    }

    fn done_path(&self, number: BatchNumber) -> PathBuf {
        self.root.join("done").join(format!("{number}.jsonl"))
    }

    /// Claims a key, unless someone has.
    pub async fn claim(&self, name: &str, record: &KeyRecord) -> Result<Claim, StoreError> {
        let path = self.key_path(name);
        let bytes = serde_json::to_vec(record).unwrap_or_default();
        let won = blocking("claim a key", move || {
            create_whole(&path, &bytes).map(|file| file.is_some())
        })
        .await?;
        if won {
            Ok(Claim::Won)
        } else {
            let taken = self.key(name).await?;
            Ok(taken.map_or(Claim::Won, Claim::Taken))
        }
    }

    /// What a key stands for.
    pub async fn key(&self, name: &str) -> Result<Option<KeyRecord>, StoreError> {
        let path = self.key_path(name);
        let bytes = blocking("read a key", move || read_if_there(&path)).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Makes an empty journal and takes its lease.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] where the number is in use, open or done.
    pub async fn create(&self, number: BatchNumber) -> Result<Journal, StoreError> {
        let (path, done) = (self.open_path(number), self.done_path(number));
        let file = blocking("create a journal", move || {
            if done.exists() {
                Ok(None)
            } else {
                create_whole(&path, b"")
            }
        })
        .await?
        .ok_or(StoreError::Exists(number))?;
        Ok(self.journal(number, file, 0))
    }

    /// Takes the lease on an open journal, if nobody holds it.
    pub async fn take(&self, number: BatchNumber) -> Result<Take, StoreError> {
        let path = self.open_path(number);
        let taken = blocking("take a journal", move || take_over(&path)).await?;
        match taken {
            TakeOver::Gone => Ok(Take::Gone),
            TakeOver::Held => Ok(Take::Held),
            TakeOver::Ours(file, bytes) => {
                let lines = parse(number, &bytes)?;
                let journal = self.journal(number, file, bytes.len() as u64);
                Ok(Take::Ours(Box::new(journal), lines))
            }
        }
    }

    fn journal(&self, number: BatchNumber, file: File, length: u64) -> Journal {
        let tenure = Tenure::begin(&self.clock);
        let (file, path) = (Arc::new(file), self.open_path(number));
        let renewal = renew(
            Arc::downgrade(&file),
            path.clone(),
            tenure.clone(),
            self.clock.clone(),
        );
        Journal {
            number,
            path,
            done: self.done_path(number),
            file,
            length,
            tenure,
            renewer: tokio::spawn(renewal).abort_handle(),
        }
    }

    /// What a journal holds, whoever works on it; `None` where there is none.
    pub async fn read(&self, number: BatchNumber) -> Result<Option<Vec<Line>>, StoreError> {
        // A journal may move from open to done between two looks, never back.
        let places = [self.open_path(number), self.done_path(number)];
        let bytes = blocking("read a journal", move || {
            let [open, done] = places;
            read_if_there(&open)?.map_or_else(|| read_if_there(&done), |bytes| Ok(Some(bytes)))
        })
        .await?;
        bytes.map(|bytes| parse(number, &bytes)).transpose()
    }

    /// Where the journal with this number is.
    pub async fn whereabouts(&self, number: BatchNumber) -> Result<Whereabouts, StoreError> {
        // A journal may move from open to done between two looks, never back.
        let (open, done) = (self.open_path(number), self.done_path(number));
        blocking("look for a journal", move || {
            Ok(match (open.exists(), done.exists()) {
                (true, _) => Whereabouts::Open,
                (false, true) => Whereabouts::Done,
                (false, false) => Whereabouts::Nowhere,
            })
        })
        .await
    }

    /// The open journals.
    pub async fn open_numbers(&self) -> Result<Vec<BatchNumber>, StoreError> {
        let folder = self.root.join("open");
        blocking("list open journals", move || numbers_in(&folder)).await
    }

    /// Removes finished journals and keys that were last written longer ago than `keep`.
    pub async fn expire(&self, keep: Duration) -> Result<usize, StoreError> {
        let folders = ["done", "keys"].map(|folder| self.root.join(folder));
        let now = self.clock.now();
        blocking("remove old journals", move || {
            let mut removed = 0;
            for entry in folders
                .iter()
                .map(fs::read_dir)
                .collect::<io::Result<Vec<_>>>()?
                .into_iter()
                .flatten()
            {
                let entry = entry?;
                let written =
                    jiff::Timestamp::try_from(entry.metadata()?.modified()?).unwrap_or(now);
                if Duration::try_from(now.duration_since(written)).is_ok_and(|age| age > keep) {
                    fs::remove_file(entry.path())?;
                    removed += 1;
                }
            }
            Ok(removed)
        })
        .await
    }
}

impl Journal {
    /// Its number.
    pub fn number(&self) -> BatchNumber {
        self.number
    }

    /// The lease, for budgets.
    pub fn tenure(&self) -> Tenure {
        self.tenure.clone()
    }

    /// Adds lines; they are on disk when this returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] where the lease is not sure any more or someone else wrote.
    pub async fn append(&mut self, lines: &[Line]) -> Result<(), StoreError> {
        if !self.tenure.holds() {
            return Err(StoreError::LeaseLost(self.number));
        }
        let bytes = format(lines)?;
        let (file, path, at) = (Arc::clone(&self.file), self.path.clone(), self.length);
        let added = bytes.len() as u64;
        let written = blocking("append to a journal", move || {
            if !names(&path, &file)? || file.metadata()?.len() != at {
                return Ok(false);
            }
            write_at(&file, at, &bytes)?;
            Ok(true)
        })
        .await?;
        if !written {
            self.tenure.lose();
            return Err(StoreError::LeaseLost(self.number));
        }
        self.length += added;
        Ok(())
    }

    /// Moves a journal whose end is written to the finished ones.
    pub async fn finish(self) -> Result<(), StoreError> {
        let (open, done) = (self.path.clone(), self.done.clone());
        blocking("finish a journal", move || fs::rename(open, done)).await
    }

    /// Removes a journal that holds no accepted work.
    pub async fn discard(self) -> Result<(), StoreError> {
        let open = self.path.clone();
        blocking("discard a journal", move || fs::remove_file(open)).await
    }

    /// How long ago the journal was last written.
    pub async fn idle(&self, clock: &Clock) -> Result<Duration, StoreError> {
        let file = Arc::clone(&self.file);
        let written = blocking("look at a journal", move || file.metadata()?.modified()).await?;
        let written = jiff::Timestamp::try_from(written).unwrap_or_else(|_| clock.now());
        Ok(Duration::try_from(clock.now().duration_since(written)).unwrap_or(Duration::ZERO))
    }
}

/// A file lock needs no renewing; what is checked is that the path still names the locked file.
async fn renew(file: Weak<File>, path: PathBuf, tenure: Tenure, clock: Clock) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        let Some(file) = file.upgrade() else { return };
        let (mark, path) = (clock.mark(), path.clone());
        match blocking("renew a lease", move || names(&path, &file)).await {
            Ok(true) => tenure.renew(mark),
            Ok(false) => return tenure.lose(),
            Err(error) => tracing::warn!(%error, "a lease could not be renewed"),
        }
    }
}

enum TakeOver {
    Ours(File, Vec<u8>),
    Held,
    Gone,
}

fn take_over(path: &Path) -> io::Result<TakeOver> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(TakeOver::Gone),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(TakeOver::Held),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // It may have been finished between opening and locking.
    if !names(path, &file)? {
        return Ok(TakeOver::Gone);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |last| last + 1);
    if whole < bytes.len() {
        bytes.truncate(whole);
        file.set_len(whole as u64)?;
    }
    Ok(TakeOver::Ours(file, bytes))
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

fn write_at(file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
    let mut file = file;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)?;
    file.sync_data()
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

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn numbers_in(folder: &Path) -> io::Result<Vec<BatchNumber>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_suffix(".jsonl")?.parse::<i64>().ok());
        numbers.extend(number.and_then(|number| BatchNumber::try_from(number).ok()));
    }
    numbers.sort();
    Ok(numbers)
}

async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = spawn_blocking(work).await.map_err(io::Error::other);
    done.and_then(|result| result)
        .map_err(StoreError::io(action))
}

#[cfg(test)]
mod tests;
