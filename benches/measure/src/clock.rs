//! The one home of the machine's clock: wall time by which everything here is measured.

use std::time::{Duration, Instant};

/// Now, to measure from.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Milliseconds of a time.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
