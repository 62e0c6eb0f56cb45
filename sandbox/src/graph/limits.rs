//! What one app may do with one mailbox, and how close it came.
//!
//! Rates follow <https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits>, sending limits
//! <https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>.
//! Refused requests keep counting, and so do the marks: a mark above a limit is a caller that went over it.

use std::collections::VecDeque;
use std::time::Duration;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::operation::Refusal;
use super::rules::{Rate, Rules};

/// Most requests in flight.
const CONCURRENT: usize = 4;
/// Seconds that a caller over [`CONCURRENT`] is told to wait.
const CONCURRENT_RETRY_SECONDS: u64 = 5;
const REQUEST_WINDOW: SignedDuration = SignedDuration::from_mins(10);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Counts the requests and letters of one mailbox.
#[derive(Debug, Default)]
pub(super) struct Meter {
    in_flight: usize,
    max_in_flight: usize,
    requests: VecDeque<Timestamp>,
    submitted: VecDeque<Timestamp>,
    max_submitted: usize,
    recipients: VecDeque<(Timestamp, usize)>,
    departures: VecDeque<Timestamp>,
    /// When the last operation that took its turn is done with the mailbox.
    busy_until: Option<Instant>,
}

impl Meter {
    /// Admits a request, which must [`leave`](Self::leave), or refuses it.
    pub(super) fn enter(&mut self, now: Timestamp, rules: &Rules) -> Result<(), Refusal> {
        self.max_in_flight = self.max_in_flight.max(self.in_flight + 1);
        forget(&mut self.requests, now, REQUEST_WINDOW);
        self.requests.push_back(now);
        if self.requests.len() > rules.requests_per_window {
            let wait = seconds_until_free(self.requests.front(), now, REQUEST_WINDOW);
            return Err(Refusal::throttled(
                "Application is over its request limit for this mailbox.",
                wait,
            ));
        }
        if self.in_flight == CONCURRENT {
            return Err(Refusal::throttled(
                "Application is over its MailboxConcurrency limit.",
                CONCURRENT_RETRY_SECONDS,
            ));
        }
        self.in_flight += 1;
        Ok(())
    }

    /// Takes the next turn of such a length at the mailbox; gives its end.
    pub(super) fn turn(&mut self, now: Instant, length: Duration) -> Instant {
        let end = self.busy_until.map_or(now, |end| end.max(now)) + length;
        self.busy_until = Some(end);
        end
    }

    pub(super) fn leave(&mut self) {
        self.in_flight -= 1;
    }

    /// Takes a letter for so many recipients, or refuses it; gives the moment when it is delivered.
    pub(super) fn submit(
        &mut self,
        now: Timestamp,
        recipients: usize,
        rules: &Rules,
    ) -> Result<Timestamp, Refusal> {
        self.check_quota(now, recipients, rules)?;
        forget(&mut self.submitted, now, MINUTE);
        let over_rate = self.submitted.len() >= rules.letters_per_minute;
        self.max_submitted = self.max_submitted.max(self.submitted.len() + 1);
        if over_rate && rules.rate == Rate::Refuse {
            return Err(Refusal::throttled(
                "Application is over its message rate for this mailbox.",
                seconds_until_free(self.submitted.front(), now, MINUTE),
            ));
        }
        self.submitted.push_back(now);
        self.recipients.push_back((now, recipients));
        Ok(self.depart(after(now, rules.sending_delay), rules.letters_per_minute))
    }

    /// The most requests that were in flight at once, refused ones included.
    pub(super) fn max_in_flight(&self) -> usize {
        self.max_in_flight
    }

    /// The most letters handed over in any 60 seconds, refused ones included.
    pub(super) fn max_submitted(&self) -> usize {
        self.max_submitted
    }

    /// Makes every moment this much older.
    pub(super) fn age(&mut self, by: SignedDuration) {
        let windows = [
            &mut self.requests,
            &mut self.submitted,
            &mut self.departures,
        ];
        for moment in windows.into_iter().flatten() {
            *moment = after(*moment, -by);
        }
        for (moment, _) in &mut self.recipients {
            *moment = after(*moment, -by);
        }
    }

    fn check_quota(
        &mut self,
        now: Timestamp,
        recipients: usize,
        rules: &Rules,
    ) -> Result<(), Refusal> {
        while (self.recipients.front()).is_some_and(|(at, _)| after(*at, DAY) <= now) {
            self.recipients.pop_front();
        }
        let today: usize = self.recipients.iter().map(|(_, count)| count).sum();
        if today + recipients <= rules.daily_recipients {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "ErrorExceededMessageLimit",
            "Cannot send mail. Daily Message/Recipient limit exceeded.",
        ))
    }

    /// Queues a letter that is ready at `ready` behind those of the minute before.
    fn depart(&mut self, ready: Timestamp, per_minute: usize) -> Timestamp {
        while self.departures.len() > per_minute {
            self.departures.pop_front();
        }
        let full = self.departures.len() == per_minute;
        let free = (self.departures.front()).map_or(ready, |first| after(*first, MINUTE));
        let leaves = if full { ready.max(free) } else { ready };
        self.departures.push_back(leaves);
        if full {
            self.departures.pop_front();
        }
        leaves
    }
}

/// `moment` moved by `by`, kept inside the range of dates.
pub(super) fn after(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

fn forget(moments: &mut VecDeque<Timestamp>, now: Timestamp, window: SignedDuration) {
    while (moments.front()).is_some_and(|at| after(*at, window) <= now) {
        moments.pop_front();
    }
}

/// Whole seconds, at least one, until the oldest moment leaves the window.
fn seconds_until_free(oldest: Option<&Timestamp>, now: Timestamp, window: SignedDuration) -> u64 {
    let free = oldest.map_or(now, |oldest| after(*oldest, window));
    let wait = free.duration_since(now).as_millis().max(1);
    u64::try_from(wait).unwrap_or(1).div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_fifth_request_is_refused_and_leaves_its_mark() {
        let rules = Rules::default();
        let mut meter = Meter::default();
        for _ in 0..4 {
            meter.enter(at(0), &rules).unwrap();
        }
        assert_eq!(meter.max_in_flight(), 4);
        let refusal = meter.enter(at(0), &rules).unwrap_err();
        assert_eq!(refusal.code, "ApplicationThrottled");
        assert!(refusal.retry_after_seconds.is_some());
        assert_eq!(meter.max_in_flight(), 5);
        meter.leave();
        meter.enter(at(0), &rules).unwrap();
    }

    #[test]
    fn requests_are_limited_over_ten_minutes() {
        let rules = Rules::default();
        let mut meter = Meter::default();
        for second in 0..10_000 {
            meter.enter(at(second / 100), &rules).unwrap();
            meter.leave();
        }
        assert_eq!(
            meter.enter(at(99), &rules).unwrap_err().retry_after_seconds,
            Some(501)
        );
        meter.enter(at(601), &rules).unwrap();
    }

    #[test]
    fn letters_over_the_rate_queue_or_are_refused() {
        let mut rules = Rules::default();
        let mut meter = Meter::default();
        let delivered: Vec<i64> = (0..65)
            .map(|_| meter.submit(at(0), 1, &rules).unwrap().as_second())
            .collect();
        assert_eq!(
            (delivered[29], delivered[30], delivered[59], delivered[60]),
            (0, 60, 60, 120)
        );
        assert_eq!(meter.max_submitted(), 65);
        rules.rate = Rate::Refuse;
        let refusal = meter.submit(at(20), 1, &rules).unwrap_err();
        assert_eq!(refusal.retry_after_seconds, Some(40));
        assert!(meter.submit(at(60), 1, &rules).is_ok());
    }

    #[test]
    fn the_daily_quota_counts_recipients_and_rolls() {
        let rules = Rules {
            daily_recipients: 3,
            ..Rules::default()
        };
        let mut meter = Meter::default();
        meter.submit(at(0), 2, &rules).unwrap();
        let refusal = meter.submit(at(1), 2, &rules).unwrap_err();
        assert_eq!(refusal.code, "ErrorExceededMessageLimit");
        meter.submit(at(1), 1, &rules).unwrap();
        meter.age(DAY);
        assert!(meter.submit(at(0), 2, &rules).is_ok());
    }
}
