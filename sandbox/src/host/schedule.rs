//! NCRONTAB expressions as timer triggers take them: six fields, seconds first, both day fields must match.
//! Extensions of other cron dialects (`L`, `W`, `#`, `?`, nicknames, weekday 7) are refused, as the
//! host refuses them: <https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions>.

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

const MONTHS: &str = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC";
const WEEKDAYS: &str = "SUN MON TUE WED THU FRI SAT";

/// When a timer function runs.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    cron: Cron,
    zone: TimeZone,
}

impl Schedule {
    /// Reads an expression whose fields are local times of the zone; the error says what the host would not take.
    pub(super) fn parse(expression: &str, zone: TimeZone) -> Result<Self, String> {
        let refused = |reason: &str| format!("schedule {expression:?} is not valid: {reason}");
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let [_, _, _, _, month, weekday] = fields[..] else {
            return Err(refused("six fields are needed, seconds first"));
        };
        let plain = fields[..4].iter().all(|field| is_plain(field, ""));
        if !plain || !is_plain(month, MONTHS) || !is_plain(weekday, WEEKDAYS) {
            return Err(refused("it has a form that NCRONTAB does not know"));
        }
        if weekday.contains('7') {
            return Err(refused("days of the week are 0 to 6"));
        }
        let parser = (CronParser::builder().seconds(Seconds::Required))
            .year(Year::Disallowed)
            .dom_and_dow(true)
            .build();
        let cron = (parser.parse(expression)).map_err(|error| refused(&error.to_string()))?;
        Ok(Self { cron, zone })
    }

    /// The first moment after `moment` at which the timer is due; `None` if there is none.
    pub(super) fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let local = moment.to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&local, false).ok()?;
        Some(next.timestamp())
    }

    /// The last moment at which the timer is due, up to and with `moment`; `None` if there is none.
    pub(super) fn last_until(&self, moment: Timestamp) -> Option<Timestamp> {
        let local = moment.to_zoned(self.zone.clone());
        let last = self.cron.find_previous_occurrence(&local, true).ok()?;
        Some(last.timestamp())
    }

    /// The expression as it was written.
    pub(super) fn expression(&self) -> &str {
        self.cron.as_str()
    }

    /// What the expression says, in English.
    pub(super) fn words(&self) -> String {
        self.cron.describe()
    }

    /// Whether some two runs lie less than a minute apart: the host then keeps no status for the timer.
    pub(super) fn is_more_than_once_a_minute(&self, from: Timestamp) -> bool {
        let due: Vec<Timestamp> =
            std::iter::successors(self.next_after(from), |last| self.next_after(*last))
                .take(60)
                .collect();
        (due.windows(2)).any(|pair| pair[1].duration_since(pair[0]) < SignedDuration::from_mins(1))
    }

    /// The zone in which the expression is meant.
    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

/// Only numbers, the signs of NCRONTAB and the names given.
fn is_plain(field: &str, names: &str) -> bool {
    let is_sign = |character: char| character.is_ascii_digit() || "*,-/".contains(character);
    field
        .split(is_sign)
        .filter(|word| !word.is_empty())
        .all(|word| {
            (names.split(' ')).any(|name| !name.is_empty() && name.eq_ignore_ascii_case(word))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, after: &str) -> String {
        let schedule = Schedule::parse(expression, TimeZone::UTC).unwrap();
        schedule
            .next_after(after.parse().unwrap())
            .unwrap()
            .to_string()
    }

    #[test]
    fn six_fields_are_read_as_the_host_reads_them() {
        let monday = "2026-11-23T10:00:30Z";
        assert_eq!(next("0 * * * * *", monday), "2026-11-23T10:01:00Z");
        assert_eq!(next("*/20 * * * * *", monday), "2026-11-23T10:00:40Z");
        assert_eq!(next("0 30 9 * * Mon-Fri", monday), "2026-11-24T09:30:00Z");
        assert_eq!(next("0 0 6 * jan SUN", monday), "2027-01-03T06:00:00Z");
        // Both day fields must match: the first Friday that is a 13th.
        assert_eq!(next("0 0 0 13 * 5", monday), "2027-08-13T00:00:00Z");
    }

    #[test]
    fn the_last_moment_may_be_now() {
        let schedule = Schedule::parse("0 15 * * * *", TimeZone::UTC).unwrap();
        let last = |moment: &str| {
            let last = schedule.last_until(moment.parse().unwrap());
            last.unwrap().to_string()
        };
        assert_eq!(last("2026-11-23T10:15:00Z"), "2026-11-23T10:15:00Z");
        assert_eq!(last("2026-11-23T10:14:59Z"), "2026-11-23T09:15:00Z");
        assert_eq!(schedule.words(), "At minute 15 past every hour.");
    }

    #[test]
    fn other_dialects_are_refused() {
        for expression in [
            "* * * * *",
            "0 * * * * * 2027",
            "00:05:00",
            "@hourly",
            "0 0 0 L * *",
            "0 0 0 ? * 1",
            "0 0 0 * * 5#2",
            "0 0 0 * * 7",
            "0 60 * * * *",
            "0 0 0 15W * *",
            "0 MON * * * *",
            "",
        ] {
            assert!(
                Schedule::parse(expression, TimeZone::UTC).is_err(),
                "{expression}"
            );
        }
    }

    #[test]
    fn the_zone_moves_the_run() {
        let zone = TimeZone::get("Europe/Copenhagen").unwrap();
        let schedule = Schedule::parse("0 0 7 * * *", zone).unwrap();
        let next = schedule
            .next_after("2026-07-01T00:00:00Z".parse().unwrap())
            .unwrap();
        assert_eq!(next.to_string(), "2026-07-01T05:00:00Z");
    }

    #[test]
    fn only_runs_under_a_minute_apart_lose_their_status() {
        let fast = |expression| {
            let schedule = Schedule::parse(expression, TimeZone::UTC).unwrap();
            schedule.is_more_than_once_a_minute("2026-11-23T10:00:30Z".parse().unwrap())
        };
        assert!(fast("*/30 * * * * *"));
        assert!(fast("0,30 0 * * * *"));
        assert!(!fast("0 * * * * *"));
    }
}
