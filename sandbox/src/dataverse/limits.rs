//! Service protection: how many requests at once, how many and how long in a sliding window.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>

use std::collections::VecDeque;
use std::time::Duration;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::errors::{Refusal, TOO_MANY_AT_ONCE, TOO_MANY_REQUESTS, TOO_MUCH_TIME};
use super::state::Settings;

/// What the one caller has used up.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    in_flight: usize,
    /// When each request of the window came.
    requests: VecDeque<Timestamp>,
    /// When each request of the window ended, and how long it took.
    executions: VecDeque<(Timestamp, Duration)>,
    /// How long all of them took together.
    used: Duration,
    /// Refusals without a success between: pushing on makes the wait longer.
    refused: u64,
}

impl Limits {
    /// Lets a request in, or refuses it with the time to wait.
    pub(crate) fn enter(&mut self, settings: &Settings, now: Timestamp) -> Result<(), Refusal> {
        self.forget(settings.window, now);
        if let Err(mut refusal) = self.check(settings, now) {
            self.refused += 1;
            refusal.retry_after_seconds = refusal
                .retry_after_seconds
                .map(|seconds| seconds + self.refused);
            return Err(refusal);
        }
        self.refused = 0;
        self.in_flight += 1;
        self.requests.push_back(now);
        Ok(())
    }

    /// Notes that a request has been answered.
    pub(crate) fn leave(&mut self, now: Timestamp, took: Duration) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.executions.push_back((now, took));
        self.used += took;
    }

    fn check(&self, settings: &Settings, now: Timestamp) -> Result<(), Refusal> {
        let seconds = settings.window.as_secs();
        if self.in_flight >= settings.concurrent_requests {
            let limit = settings.concurrent_requests;
            let message = format!("Number of concurrent requests exceeded the limit of {limit}.");
            return Err(refused(TOO_MANY_AT_ONCE, message, 1));
        }
        if self.requests.len() >= settings.requests_per_window {
            let limit = settings.requests_per_window;
            let message = format!(
                "Number of requests exceeded the limit of {limit} over time window of {seconds} seconds."
            );
            let wait = wait(self.requests.front().copied(), settings.window, now);
            return Err(refused(TOO_MANY_REQUESTS, message, wait));
        }
        if self.used >= settings.execution_per_window {
            let limit = settings.execution_per_window.as_millis();
            let message = format!(
                "Combined execution time of incoming requests exceeded limit of {limit} milliseconds over time window of {seconds} seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later."
            );
            let first = self.executions.front().map(|(ended, _)| *ended);
            return Err(refused(
                TOO_MUCH_TIME,
                message,
                wait(first, settings.window, now),
            ));
        }
        Ok(())
    }

    fn forget(&mut self, window: Duration, now: Timestamp) {
        let old = |moment: Timestamp| moment + window <= now;
        while self.requests.front().copied().is_some_and(old) {
            self.requests.pop_front();
        }
        let left = |(ended, _): &mut (Timestamp, Duration)| old(*ended);
        while let Some((_, took)) = self.executions.pop_front_if(left) {
            self.used = self.used.saturating_sub(took);
        }
    }
}

fn refused(code: &'static str, message: String, retry_after_seconds: u64) -> Refusal {
    let mut refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, code, message);
    refusal.retry_after_seconds = Some(retry_after_seconds);
    refusal
}

/// Whole seconds until the oldest entry leaves the window.
fn wait(oldest: Option<Timestamp>, window: Duration, now: Timestamp) -> u64 {
    let left = oldest.map_or(SignedDuration::ZERO, |oldest| {
        (oldest + window).duration_since(now)
    });
    u64::try_from(left.as_secs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(offset: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + offset).unwrap()
    }

    #[test]
    fn the_window_slides() {
        let settings = Settings {
            requests_per_window: 2,
            ..Settings::default()
        };
        let mut limits = Limits::default();
        for at in [0, 100] {
            limits.enter(&settings, second(at)).unwrap();
            limits.leave(second(at), Duration::ZERO);
        }
        let refusal = limits.enter(&settings, second(200)).unwrap_err();
        assert_eq!(
            (refusal.status.as_u16(), refusal.code.as_ref()),
            (429, TOO_MANY_REQUESTS)
        );
        assert_eq!(refusal.retry_after_seconds, Some(101));
        let pushed = limits.enter(&settings, second(200)).unwrap_err();
        assert_eq!(pushed.retry_after_seconds, Some(102));
        assert!(limits.enter(&settings, second(300)).is_ok());
    }

    #[test]
    fn requests_in_work_are_counted_until_they_are_answered() {
        let settings = Settings {
            concurrent_requests: 1,
            ..Settings::default()
        };
        let mut limits = Limits::default();
        limits.enter(&settings, second(0)).unwrap();
        let refusal = limits.enter(&settings, second(0)).unwrap_err();
        assert_eq!(refusal.code, TOO_MANY_AT_ONCE);
        limits.leave(second(1), Duration::from_secs(1));
        assert!(limits.enter(&settings, second(1)).is_ok());
    }

    #[test]
    fn time_spent_is_limited_too() {
        let settings = Settings::default();
        let mut limits = Limits::default();
        limits.enter(&settings, second(0)).unwrap();
        limits.leave(second(10), Duration::from_mins(20));
        let refusal = limits.enter(&settings, second(20)).unwrap_err();
        assert_eq!(refusal.code, TOO_MUCH_TIME);
        assert!(limits.enter(&settings, second(310)).is_ok());
    }
}
