//! Owns an open journal under our lease, and the renewing of that lease.
//!
//! The lease is a lock on the file, or sixty seconds of a blob's own lease; the rules for working under it are
//! the same. The renewer notes the moment before its request leaves: from then on sixty seconds are sure.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::blob::LeasedBlob;
use super::directory::LockedFile;
use super::{StoreError, format, parse};
use crate::clock::Clock;
use crate::domain::batch::Line;
use crate::domain::ids::BatchNumber;
use crate::remote::budget::Tenure;

/// How often a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(20);

/// How soon a renewal that came to nothing is tried again.
const RENEWAL_AGAIN: Duration = Duration::from_secs(2);

/// An open journal under our lease. Dropping it gives the lease back.
#[derive(Debug)]
pub struct Journal {
    number: BatchNumber,
    lease: Arc<Lease>,
    length: u64,
    tenure: Tenure,
    renewer: AbortHandle,
}

/// What is held while a journal is worked on.
#[derive(Debug)]
pub(super) enum Lease {
    File(LockedFile),
    Blob(Box<LeasedBlob>),
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.renewer.abort();
        // A file lock goes with its file, at once. A blob's lease would end by itself, only later.
        if !matches!(*self.lease, Lease::Blob(_)) || !self.tenure.holds() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let lease = Arc::clone(&self.lease);
            runtime.spawn(async move {
                if let Lease::Blob(blob) = &*lease {
                    blob.release().await;
                }
            });
        }
    }
}

impl Journal {
    pub(super) fn new(number: BatchNumber, lease: Lease, tenure: Tenure, clock: &Clock) -> Self {
        let lease = Arc::new(lease);
        let renewal = renew(Arc::downgrade(&lease), tenure.clone(), clock.clone());
        Self {
            number,
            lease,
            length: 0,
            tenure,
            renewer: tokio::spawn(renewal).abort_handle(),
        }
    }

    /// Its number.
    pub fn number(&self) -> BatchNumber {
        self.number
    }

    /// The lease, for budgets.
    pub fn tenure(&self) -> Tenure {
        self.tenure.clone()
    }

    /// Reads what a former worker left; appends go on from there.
    pub(super) async fn read(&mut self) -> Result<Vec<Line>, StoreError> {
        let bytes = match &*self.lease {
            Lease::File(file) => file.read().await?,
            Lease::Blob(blob) => blob.read().await?,
        };
        self.length = bytes.len() as u64;
        parse(self.number, &bytes)
    }

    /// Adds lines; they are stored when this returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] where the lease is not sure any more or someone else wrote.
    pub async fn append(&mut self, lines: &[Line]) -> Result<(), StoreError> {
        let bytes = format(lines)?;
        let added = bytes.len() as u64;
        let written = self.tenure.holds()
            && match &*self.lease {
                Lease::File(file) => file.append(self.length, bytes).await?,
                Lease::Blob(blob) => blob.append(self.length, bytes.into(), &self.tenure).await?,
            };
        if !written {
            self.tenure.lose();
            return Err(StoreError::LeaseLost(self.number));
        }
        self.length += added;
        Ok(())
    }

    /// Moves a journal whose end is written to the finished ones.
    pub async fn finish(self) -> Result<(), StoreError> {
        match &*self.lease {
            Lease::File(file) => file.finish().await?,
            Lease::Blob(blob) => blob.finish().await?,
        }
        self.tenure.lose();
        Ok(())
    }

    /// Removes a journal that holds no accepted work.
    pub async fn discard(self) -> Result<(), StoreError> {
        match &*self.lease {
            Lease::File(file) => file.discard().await?,
            Lease::Blob(blob) => blob.discard().await?,
        }
        self.tenure.lose();
        Ok(())
    }

    /// How long ago the journal was last written.
    pub async fn idle(&self, clock: &Clock) -> Result<Duration, StoreError> {
        let written = match &*self.lease {
            Lease::File(file) => file.written().await?,
            Lease::Blob(blob) => blob.written().await?,
        };
        let idle = written.map(|written| clock.now().duration_since(written));
        Ok(idle
            .and_then(|idle| Duration::try_from(idle).ok())
            .unwrap_or(Duration::ZERO))
    }
}

/// Renews a lease until it is lost or nobody needs it.
async fn renew(lease: Weak<Lease>, tenure: Tenure, clock: Clock) {
    let mut wait = RENEWAL;
    loop {
        tokio::time::sleep(wait).await;
        let Some(lease) = lease.upgrade().filter(|_| !tenure.lost()) else {
            return;
        };
        let mark = clock.mark();
        let renewed = match &*lease {
            Lease::File(file) => file.renew().await,
            Lease::Blob(blob) => blob.renew().await,
        };
        wait = match renewed {
            Ok(true) => {
                tenure.renew(mark);
                RENEWAL
            }
            Ok(false) => return tenure.lose(),
            Err(error) => {
                tracing::warn!(%error, "a lease could not be renewed");
                RENEWAL_AGAIN
            }
        };
    }
}
