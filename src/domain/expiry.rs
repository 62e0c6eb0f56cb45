//! Owns until when an invitation can be redeemed: which day, and which moment of it.
//!
//! A day ends at 23:00 in the site's time zone. A whole hour matters: in the second half of each hour the portal
//! rounds its own clock up to the next, so an expiry there would come early (Microsoft's published portal source,
//! `CrmInvitationStore.cs`, <https://github.com/Adoxio/xRM-Portals-Community-Edition>).

use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use thiserror::Error;

const LAST_HOUR: i8 = 23;

/// How many days an invitation is valid, 1..=365.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValidDays(i16);

/// Why a validity is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ExpiryError {
    /// Not in 1..=365.
    #[error("must be a whole number of days from 1 to {}", ValidDays::MAXIMUM)]
    Days,
    /// Not a day of the calendar as `YYYY-MM-DD`.
    #[error("must be a day such as 2026-12-31")]
    NotADay,
    /// A day that is over at 23:00 in the site's time zone.
    #[error("must not be a day that is over")]
    Past,
    /// A day more than 365 days ahead.
    #[error("must be at most {} days ahead", ValidDays::MAXIMUM)]
    TooFar,
}

impl ValidDays {
    const MAXIMUM: i16 = 365;

    /// The number of days.
    pub const fn get(self) -> i16 {
        self.0
    }
}

impl TryFrom<i64> for ValidDays {
    type Error = ExpiryError;

    fn try_from(days: i64) -> Result<Self, ExpiryError> {
        let days = i16::try_from(days).map_err(|_| ExpiryError::Days)?;
        (1..=Self::MAXIMUM)
            .contains(&days)
            .then_some(Self(days))
            .ok_or(ExpiryError::Days)
    }
}

/// The last day of an invitation that is made now and valid for some days.
pub fn last_day_after(now: Timestamp, days: ValidDays, zone: &TimeZone) -> Date {
    today(now, zone).saturating_add(Span::new().days(days.get()))
}

/// The moment at which an invitation valid through `day` expires: 23:00 in the zone.
///
/// Where clocks go back over 23:00 it is the earlier of the two, where they go forward over it the same distance
/// after the change.
pub fn end_of(day: Date, zone: &TimeZone) -> Timestamp {
    let end = day.to_datetime(time(LAST_HOUR, 0, 0, 0));
    zone.to_ambiguous_timestamp(end)
        .compatible()
        .unwrap_or(Timestamp::MAX)
}

/// Reads a day as a person writes it, `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Result<Date, ExpiryError> {
    let day = text.parse().ok();
    day.filter(|day: &Date| day.to_string() == text)
        .ok_or(ExpiryError::NotADay)
}

/// Checks the last day of an invitation that is made now: not over yet, at most 365 days ahead.
pub fn check_day(day: Date, now: Timestamp, zone: &TimeZone) -> Result<(), ExpiryError> {
    let furthest = last_day_after(now, ValidDays(ValidDays::MAXIMUM), zone);
    match day {
        _ if end_of(day, zone) <= now => Err(ExpiryError::Past),
        _ if day > furthest => Err(ExpiryError::TooFar),
        _ => Ok(()),
    }
}

fn today(now: Timestamp, zone: &TimeZone) -> Date {
    now.to_zoned(zone.clone()).date()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn zones() -> Vec<TimeZone> {
        let names = jiff::tz::db().available();
        names.map(|name| zone(name.as_str())).collect()
    }

    #[test]
    fn valid_days_are_one_to_a_year() {
        for days in [i64::MIN, -1, 0, 366, 65_537, i64::MAX] {
            assert_eq!(ValidDays::try_from(days), Err(ExpiryError::Days), "{days}");
        }
        for days in [1, 365] {
            assert_eq!(ValidDays::try_from(i64::from(days)).unwrap().get(), days);
        }
    }

    #[test]
    fn days_are_counted_in_the_zone_of_the_site() {
        let days = ValidDays::try_from(14).unwrap();
        let now = at("2026-11-22T23:30:00Z");
        assert_eq!(last_day_after(now, days, &zone("UTC")), date(2026, 12, 6));
        assert_eq!(
            last_day_after(now, days, &zone("Europe/Oslo")),
            date(2026, 12, 7)
        );
        assert_eq!(
            last_day_after(now, days, &zone("America/New_York")),
            date(2026, 12, 6)
        );
    }

    #[test]
    fn a_day_ends_at_eleven_by_the_clock_on_the_wall() {
        for (name, day, end) in [
            ("UTC", date(2026, 12, 6), "2026-12-06T23:00:00Z"),
            ("Europe/Oslo", date(2026, 12, 6), "2026-12-06T22:00:00Z"),
            ("Europe/Oslo", date(2026, 7, 6), "2026-07-06T21:00:00Z"),
            ("Asia/Kathmandu", date(2026, 7, 6), "2026-07-06T17:15:00Z"),
            // Shown twice: clocks went back from 24:00 to 23:00.
            (
                "America/Asuncion",
                date(2024, 3, 23),
                "2024-03-24T02:00:00Z",
            ),
            // Never shown: Samoa left out the whole day.
            ("Pacific/Apia", date(2011, 12, 30), "2011-12-31T09:00:00Z"),
        ] {
            assert_eq!(end_of(day, &zone(name)), at(end), "{name} {day}");
        }
    }

    #[test]
    fn a_day_is_read_strictly() {
        for text in [
            "",
            "tomorrow",
            "2026-13-01",
            "2026-02-30",
            "20261206",
            "2026-12-6",
            "06.12.2026",
            " 2026-12-06",
            "2026-12-06T00:00",
            "2026-12-06Z",
            "+002026-12-06",
            "2026-W49-7",
        ] {
            assert_eq!(parse_day(text), Err(ExpiryError::NotADay), "{text}");
        }
    }

    #[test]
    fn a_day_lies_between_today_and_a_year_ahead() {
        let read = |text: &str, now| {
            let day = parse_day(text)?;
            check_day(day, at(now), &zone("Europe/Oslo")).map(|()| day)
        };
        let noon = "2026-11-22T12:00:00Z";
        assert_eq!(read("2026-11-21", noon), Err(ExpiryError::Past));
        assert_eq!(read("2026-11-22", noon), Ok(date(2026, 11, 22)));
        assert_eq!(
            read("2026-11-22", "2026-11-22T22:00:00Z"),
            Err(ExpiryError::Past)
        );
        assert_eq!(read("2027-11-22", noon), Ok(date(2027, 11, 22)));
        assert_eq!(read("2027-11-23", noon), Err(ExpiryError::TooFar));
    }

    /// The portal rounds its clock up to the full hour from minute 30 on; no zone of today ends a day there.
    #[test]
    fn no_zone_ends_a_day_in_the_second_half_of_an_hour() {
        let zones = zones();
        assert!(zones.len() > 300);
        for zone in zones {
            for day in date(2026, 1, 1).series(1.day()).take(366) {
                let minute = end_of(day, &zone).as_second().div_euclid(60).rem_euclid(60);
                assert!(minute <= 30, "{zone:?} {day}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_day_ends_on_that_day_wherever_the_clock_shows_eleven(
            index: prop::sample::Index, days in 0_i32..60_000,
        ) {
            let zone = &zones()[index.index(zones().len())];
            let day = date(1970, 1, 2) + days.days();
            let end = end_of(day, zone);
            let shown = end.to_zoned(zone.clone()).datetime();
            let wanted = day.at(LAST_HOUR, 0, 0, 0);
            prop_assert!(shown >= wanted, "{shown}");
            if shown == wanted {
                let hour_before = (end - 1.hour()).to_zoned(zone.clone()).datetime();
                prop_assert!(hour_before < wanted, "the earlier of two moments");
            } else {
                prop_assert!(zone.to_ambiguous_timestamp(wanted).is_ambiguous(), "only a gap moves it");
            }
        }

        #[test]
        fn a_validity_in_days_is_a_day_that_may_be_asked_for(
            index: prop::sample::Index, second in 1_700_000_000_i64..2_500_000_000, days in 1_i64..=365,
        ) {
            let zone = &zones()[index.index(zones().len())];
            let now = Timestamp::from_second(second).unwrap();
            let day = last_day_after(now, ValidDays::try_from(days).unwrap(), zone);
            prop_assert_eq!(parse_day(&day.to_string()), Ok(day));
            prop_assert_eq!(check_day(day, now, zone), Ok(()));
        }
    }
}
