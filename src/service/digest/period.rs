//! Owns which time a digest tells of: from when the timer last ran until now.
//!
//! The host says when that was, or that it does not know. A very old moment is cut, because what is older than a week
//! is no news and would not fit into one run.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

/// What a digest tells of where the host does not know when the timer last ran.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// The most that a digest tells of.
const A_WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Drafts are left over if nothing has changed them for this long: a letter leaves within seconds of its draft, or is
/// looked for ten minutes.
const LEFT_OVER: SignedDuration = SignedDuration::from_mins(15);

/// From when a run tells. Whole seconds, as the services keep them; without `last` a whole hour, so that a run which
/// is repeated at once begins where the first one did.
pub(super) fn beginning(last: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let (from, unit) = match last {
        Some(last) => (last.clamp(earlier(now, A_WEEK), now), 1),
        None => (earlier(now, A_DAY), 3_600),
    };
    let seconds = from.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(unit)).unwrap_or(from)
}

/// When a draft was last changed that became one of those left over within `time`.
pub(super) fn left_over(time: &Range<Timestamp>) -> Range<Timestamp> {
    earlier(time.start, LEFT_OVER)..earlier(time.end, LEFT_OVER)
}

/// When a batch was accepted that became a day old within `time`.
pub(super) fn a_day_old(time: &Range<Timestamp>) -> Range<Timestamp> {
    earlier(time.start, A_DAY)..earlier(time.end, A_DAY)
}

pub(super) fn earlier(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_sub(by).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_digest_begins_where_the_timer_last_ran_or_a_day_ago_and_at_most_a_week() {
        let now = at("2026-11-22T06:00:07.5Z");
        for (last, from) in [
            (Some("2026-11-21T06:00:00.0312Z"), "2026-11-21T06:00:00Z"),
            (Some("2026-11-22T05:59:59Z"), "2026-11-22T05:59:59Z"),
            (Some("2026-11-15T06:00:07.4Z"), "2026-11-15T06:00:07Z"),
            (Some("2020-01-01T00:00:00Z"), "2026-11-15T06:00:07Z"),
            (Some("2026-11-23T06:00:00Z"), "2026-11-22T06:00:07Z"),
            (None, "2026-11-21T06:00:00Z"),
        ] {
            assert_eq!(beginning(last.map(at), now), at(from), "{last:?}");
        }
        assert_eq!(
            beginning(None, at("2026-11-22T06:59:59Z")),
            at("2026-11-21T06:00:00Z")
        );
    }

    #[test]
    fn each_draft_and_each_batch_comes_of_age_in_one_period() {
        let (first, second, third) = (
            at("2026-11-21T06:00:00Z"),
            at("2026-11-22T06:00:00Z"),
            at("2026-11-23T06:00:00Z"),
        );
        assert_eq!(
            left_over(&(first..second)).end,
            left_over(&(second..third)).start
        );
        assert_eq!(a_day_old(&(second..third)), first..second);
        assert_eq!(
            left_over(&(first..second)).start,
            at("2026-11-21T05:45:00Z")
        );
    }
}
