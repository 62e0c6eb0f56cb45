//! Owns the way out to one service: how many calls may be out at once, and from when on any may.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Bounds the calls to one service; the bounds can move while calls are out.
#[derive(Debug)]
pub(super) struct Gate {
    semaphore: Semaphore,
    width: AtomicUsize,
    opens: Mutex<Option<Instant>>,
}

impl Gate {
    pub(super) fn new(width: usize) -> Self {
        Self {
            semaphore: Semaphore::new(width),
            width: AtomicUsize::new(width),
            opens: Mutex::default(),
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width.load(Ordering::Relaxed)
    }

    pub(super) fn set_width(&self, width: usize) {
        let before = self.width();
        // Permits that are out cannot be forgotten; the next hint takes the rest.
        let reached = match width.checked_sub(before) {
            Some(more) => {
                self.semaphore.add_permits(more);
                width
            }
            None => before - self.semaphore.forget_permits(before - width),
        };
        self.width.store(reached, Ordering::Relaxed);
    }

    /// Waits for one's turn; it ends when the permit is dropped.
    pub(super) async fn pass(&self) -> Option<SemaphorePermit<'_>> {
        self.semaphore.acquire().await.ok()
    }

    /// Lets nobody out before a moment.
    pub(super) fn close(&self, until: Instant) {
        let mut opens = self.opens.lock().unwrap_or_else(PoisonError::into_inner);
        *opens = (*opens).max(Some(until));
    }

    /// How long the gate stays closed, from `now`.
    pub(super) fn closed_for(&self, now: Instant) -> Duration {
        let opens = *self.opens.lock().unwrap_or_else(PoisonError::into_inner);
        opens.map_or(Duration::ZERO, |opens| opens.saturating_duration_since(now))
    }
}
