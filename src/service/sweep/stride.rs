//! Owns how many writes a call of the sweep carries.
//!
//! Dataverse carries out the operations of a `$batch` one after another, up to a thousand, and nobody can say how long
//! one takes: that depends on what each environment hangs on its rows. So the first call is small, and from then on
//! a call carries as many writes as will take a few seconds at the pace of the last one. Longer calls would save
//! requests and no time; they would stand in the way of others, and cost more where an answer gets lost.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api>

use std::time::Duration;

/// Writes in the first call, before anybody knows how long they take.
const FIRST: usize = 100;

/// The most operations that Dataverse takes in a `$batch`.
const MOST: usize = 1_000;

/// How long a call should take at most.
const CALL: Duration = Duration::from_secs(10);

/// With less time than this, no call is begun.
const LEAST: Duration = Duration::from_secs(5);

/// The pace of the last call.
#[derive(Debug, Default)]
pub(super) struct Stride {
    last: Option<(usize, Duration)>,
}

impl Stride {
    /// Whether a call has shown how long writes take.
    pub(super) fn is_known(&self) -> bool {
        self.last.is_some()
    }

    /// How many of `rows` each of the next calls writes, `side_by_side` at once, where so much time is left; `None` where
    /// they might be cut off.
    ///
    /// At most half of the time is planned for, as the pace may fall. And where the way is slow, a call takes as long as
    /// the one before, however few its writes. The rows are cut evenly: a call with a remnant would tell little about
    /// the pace, and where that is slow, calls that run alone at the end would waste the time of the others.
    pub(super) fn next(&self, rows: usize, side_by_side: usize, left: Duration) -> Option<usize> {
        let (writes, took) = self.last.unwrap_or((FIRST, Duration::ZERO));
        if left <= LEAST.max(took) {
            return None;
        }
        let time = CALL.min(left / 2).as_nanos();
        let fitting = match took.as_nanos() {
            0 => writes,
            took => usize::try_from(time * writes as u128 / took).unwrap_or(MOST),
        };
        let calls = rows.div_ceil(fitting.clamp(1, MOST)).max(1);
        let full_rounds = fitting < MOST && calls > side_by_side;
        Some(rows.div_ceil(if full_rounds {
            calls.next_multiple_of(side_by_side)
        } else {
            calls
        }))
    }

    /// Takes note of a call.
    pub(super) fn learn(&mut self, writes: usize, took: Duration) {
        self.last = Some((writes, took.max(Duration::from_micros(1))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Duration = Duration::from_secs(50);

    /// The calls of a run over so many rows, where a call takes this long and each write in it that long.
    fn calls(rows: usize, way: Duration, write: Duration) -> (Vec<usize>, Duration) {
        let (mut stride, mut left, mut calls, mut open) = (Stride::default(), RUN, vec![], rows);
        while let Some(writes) = (open > 0).then(|| stride.next(open, 1, left)).flatten() {
            let took = way + write * u32::try_from(writes).unwrap();
            assert!(took < left, "a call of {writes} is cut off after {left:?}");
            stride.learn(writes, took);
            (left, open) = (left.saturating_sub(took), open - writes);
            calls.push(writes);
        }
        (calls, left)
    }

    #[test]
    fn the_first_call_is_small_and_the_others_are_as_large_as_may_be_where_writes_are_quick() {
        let milliseconds = Duration::from_millis;
        let (page, _) = calls(5_000, milliseconds(100), milliseconds(2));
        assert_eq!(page, [100, 980, 980, 980, 980, 980]);
        let (page, _) = calls(5_000, Duration::ZERO, Duration::ZERO);
        assert_eq!(page.len(), 6);
        assert_eq!(calls(3, Duration::ZERO, milliseconds(25)).0, [3]);
        assert_eq!(calls(101, Duration::ZERO, milliseconds(25)).0, [51, 50]);
    }

    #[test]
    fn calls_take_seconds_and_none_is_cut_off_however_long_a_write_takes() {
        for write in [5, 10, 25, 50, 100, 200, 400] {
            for way in [0, 100, 1_000, 5_000] {
                let (way, write) = (Duration::from_millis(way), Duration::from_millis(write));
                let (calls, left) = calls(100_000, way, write);
                for writes in &calls[1..] {
                    let took = write * u32::try_from(*writes).unwrap();
                    assert!(took <= CALL, "{writes} writes of {write:?} in a call");
                }
                assert!(calls.iter().all(|writes| (1..=MOST).contains(writes)));
                let idle = CALL.max(write * 100 + way);
                assert!(
                    left <= idle,
                    "{left:?} of a run are left, {way:?} {write:?}"
                );
            }
        }
    }

    #[test]
    fn a_pace_that_falls_makes_calls_smaller_and_one_that_rises_larger() {
        let mut stride = Stride::default();
        stride.learn(1_000, Duration::from_secs(5));
        assert_eq!(stride.next(5_000, 1, RUN), Some(1_000));
        stride.learn(1_000, Duration::from_secs(40));
        assert_eq!(stride.next(5_000, 1, RUN), Some(250));
        stride.learn(250, Duration::from_secs(2));
        assert_eq!(stride.next(5_000, 1, RUN), Some(1_000));
        assert_eq!(stride.next(5_000, 1, LEAST), None);
        stride.learn(10, Duration::from_secs(20));
        assert_eq!(stride.next(5_000, 1, Duration::from_secs(20)), None);
    }

    #[test]
    fn calls_side_by_side_come_in_full_rounds_where_writes_are_slow_and_are_few_where_they_are_quick()
     {
        let mut stride = Stride::default();
        stride.learn(100, Duration::from_millis(2_500));
        assert_eq!(
            stride.next(4_900, 4, RUN),
            Some(307),
            "sixteen calls, not thirteen"
        );
        assert_eq!(stride.next(1_200, 4, RUN), Some(400), "three calls");
        stride.learn(100, Duration::from_millis(250));
        assert_eq!(stride.next(5_000, 4, RUN), Some(1_000), "five calls");
    }

    #[test]
    fn a_single_write_fits_even_where_one_takes_longer_than_a_call_should() {
        let mut stride = Stride::default();
        stride.learn(1, Duration::from_secs(15));
        assert_eq!(stride.next(5_000, 1, RUN), Some(1));
    }
}
