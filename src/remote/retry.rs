//! Owns what a failed try means: done, refused, try again, or nobody knows.
//!
//! A call says whether repeating it is harmless; the decision is made from that and from what came back, in one
//! place, and never sleeps. `Retry-After` is a floor and is obeyed in full.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits#retry-operations>
//! <https://learn.microsoft.com/graph/throttling>

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::http::{Broken, Reply};

/// Whether a call may be repeated when nobody knows if it had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// A read, or a write that a condition protects from happening twice.
    Harmless,
    /// A letter.
    Never,
}

/// What to do after a try.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The answer, whatever its status below 500.
    Answer(Reply),
    /// The token was not taken; a fresh one may be.
    Unauthorized(Reply),
    /// Surely not done; try again, not sooner than this.
    NotDone {
        at_least: Duration,
        detail: String,
        reply: Option<Reply>,
    },
    /// Nobody knows. Only a call that may be repeated is tried again.
    Unclear { at_least: Duration, detail: String },
}

/// The wait before try number `tries + 1` doubles up to this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);
/// A service that asks for more than this has made a mistake.
const LONGEST_WAIT: Duration = Duration::from_hours(365 * 24);
const FIRST_BACKOFF: Duration = Duration::from_millis(250);

/// How long to wait after `tries` tries: somewhere between half and all of a doubling step.
pub(super) fn backoff(tries: u32, jitter: f64) -> Duration {
    let step = FIRST_BACKOFF * 2_u32.saturating_pow(tries.saturating_sub(1).min(10));
    step.min(LONGEST_BACKOFF).mul_f64(0.5 + jitter / 2.0)
}

/// Judges one try.
pub(super) fn judge(outcome: Result<Reply, Broken>, now: Timestamp) -> Verdict {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(
            Broken::NotConnected(detail) | Broken::NoSuchHost(detail) | Broken::NotSecure(detail),
        ) => {
            return Verdict::NotDone {
                at_least: Duration::ZERO,
                detail,
                reply: None,
            };
        }
        Err(Broken::Lost(detail)) => {
            return Verdict::Unclear {
                at_least: Duration::ZERO,
                detail,
            };
        }
    };
    let at_least = retry_after(&reply.headers, now).unwrap_or_default();
    let detail = format!("HTTP {}", reply.status.as_u16());
    match reply.status {
        StatusCode::UNAUTHORIZED => Verdict::Unauthorized(reply),
        // Graph and Dataverse count a throttled request and do nothing else with it.
        StatusCode::TOO_MANY_REQUESTS => Verdict::NotDone {
            at_least,
            detail,
            reply: Some(reply),
        },
        // 507 is a full mailbox: a definite no, not a passing fault.
        StatusCode::INSUFFICIENT_STORAGE | StatusCode::NOT_IMPLEMENTED => Verdict::Answer(reply),
        StatusCode::REQUEST_TIMEOUT => Verdict::Unclear { at_least, detail },
        status if status.is_server_error() => Verdict::Unclear { at_least, detail },
        _ => Verdict::Answer(reply),
    }
}

/// `Retry-After` in seconds or as an HTTP date, as a wait from `now`.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    parse_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

/// The value of a `Retry-After` header, as a wait from `now` of at most a year: a moment that much later exists.
pub(super) fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let at = rfc2822::parse(text).ok()?.timestamp();
        Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        assert_eq!(parse_retry_after("17", now), Some(Duration::from_secs(17)));
        let date = "Sun, 22 Nov 2026 10:01:30 GMT";
        assert_eq!(parse_retry_after(date, now), Some(Duration::from_secs(90)));
        assert_eq!(
            parse_retry_after("Sun, 22 Nov 2026 09:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(parse_retry_after("soon", now), None);
        let endless = parse_retry_after("18446744073709551615", now);
        assert_eq!(endless, Some(LONGEST_WAIT), "a clock can be set to it");
    }

    proptest! {
        #[test]
        fn backoff_grows_and_stays_bounded(tries in 0_u32..60, jitter in 0.0_f64..1.0) {
            let wait = backoff(tries, jitter);
            prop_assert!(wait <= LONGEST_BACKOFF);
            prop_assert!(wait >= FIRST_BACKOFF / 2);
        }
    }
}
