//! What holds for any words of a service: how long to wait, and why not.

use jiff::Timestamp;
use tokio::time::Instant;

use super::endpoint::refusal;
use super::error::redact;
use super::retry::parse_retry_after;
use crate::clock::Clock;

/// Any time to wait is a moment on our clock; no words pass on an address or anything long.
pub(crate) fn service_words(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
    let wait = parse_retry_after(&text, clock.now());
    if let Some(wait) = wait {
        let later: Option<Instant> = clock.instant().checked_add(wait);
        assert!(later.is_some(), "{wait:?}");
    }
    let refusal = refusal(400, input);
    for told in [redact(&text), refusal.code, refusal.message] {
        assert!(!told.contains('@') && told.len() < 400, "{told}");
        let word = told.split(|character: char| !character.is_ascii_alphanumeric());
        assert!(word.map(str::len).max() <= Some(36), "{told}");
    }
    wait.is_some()
}
