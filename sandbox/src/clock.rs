//! The sandbox's wall clock: the only place that reads the system's time.
//!
//! It moves with tokio's own clock, so that a test under paused time moves the date by sleeping.
//! Services take a clock and ask no one else for the time.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A wall clock that advances with [`tokio::time::Instant`].
#[derive(Clone, Debug)]
pub struct Clock {
    start: Timestamp,
    origin: Instant,
}

impl Clock {
    /// A clock that shows the system's time now and runs on from there.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the time"
    )]
    pub fn system() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// A clock that shows `start` now and runs on from there.
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            start,
            origin: Instant::now(),
        }
    }

    /// The date and time it shows, with sub-second digits.
    pub fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.origin.elapsed());
        self.start
            .saturating_add(elapsed.unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_date_moves_with_tokio_time() {
        let start: Timestamp = "2026-03-29T00:30:00Z".parse().unwrap();
        let clock = Clock::starting_at(start);
        tokio::time::sleep(Duration::from_hours(3)).await;
        assert_eq!(clock.now().to_string(), "2026-03-29T03:30:00Z");
    }
}
