//! Owns the reading of time: the one home of the ambient clocks.
//!
//! Everything else gets a [`Clock`] as an argument, so that tests and the simulation move time
//! themselves. Wall time stamps what people and other processes read; monotonic time measures waits.
//! A lease is judged by both: a frozen machine stops the one, an operator who sets the date moves the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Reads the time; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Simulated {
        start: Timestamp,
        origin: Instant,
        skew_seconds: Arc<AtomicI64>,
    },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that starts at `start` and advances with tokio's time, paused or not.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one home of the ambient clocks"
    )]
    pub fn starting_at(start: Timestamp) -> Self {
        Self(Source::Simulated {
            start,
            origin: Instant::now(),
            skew_seconds: Arc::default(),
        })
    }

    /// Moves the wall clock of a simulated clock, as an operator or a time server would; no effect on the system's.
    pub fn skew(&self, seconds: i64) {
        if let Source::Simulated { skew_seconds, .. } = &self.0 {
            skew_seconds.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    /// Wall time.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one home of the ambient clocks"
    )]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Simulated {
                start,
                origin,
                skew_seconds,
            } => {
                let skew = SignedDuration::from_secs(skew_seconds.load(Ordering::Relaxed));
                *start
                    + SignedDuration::try_from(origin.elapsed()).unwrap_or(SignedDuration::MAX)
                    + skew
            }
        }
    }

    /// Monotonic time.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one home of the ambient clocks"
    )]
    pub fn instant(&self) -> Instant {
        Instant::now()
    }

    /// A moment on both clocks, to measure from.
    pub fn mark(&self) -> Mark {
        Mark {
            wall: self.now(),
            instant: self.instant(),
        }
    }
}

/// A moment as both clocks saw it.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    wall: Timestamp,
    instant: Instant,
}

impl Mark {
    /// Time since the mark, as the clock says that says more.
    pub fn elapsed(&self, clock: &Clock) -> Duration {
        let wall = clock.now().duration_since(self.wall);
        let wall = Duration::try_from(wall).unwrap_or(Duration::ZERO);
        wall.max(clock.instant().saturating_duration_since(self.instant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn elapsed_time_is_the_larger_of_the_two_clocks() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let mark = clock.mark();
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(mark.elapsed(&clock).as_secs(), 10);
        clock.skew(50);
        assert_eq!(mark.elapsed(&clock).as_secs(), 60);
        clock.skew(-3_600);
        assert_eq!(mark.elapsed(&clock).as_secs(), 10);
    }
}
