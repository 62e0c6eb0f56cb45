//! Owns how a letter writes a moment: as its language does, in the site's time zone, which is named.
//!
//! Names of days and months and their order come from Unicode's CLDR by ICU4X, for every language that it knows
//! (<https://cldr.unicode.org>), so that a language is added by its templates alone. The names of time zones would
//! make the program a quarter larger: a zone is told as tz database and mail programs write it, with its distance
//! from UTC, which also tells apart the two hours that a clock shows twice.

use icu_calendar::{Gregorian, Iso};
use icu_datetime::fieldsets::YMDE;
use icu_datetime::{FixedCalendarDateTimeFormatter, input};
use icu_locale_core::Locale;
use jiff::Zoned;
use jiff::civil::DateTime;
use jiff_icu::ConvertFrom as _;

/// A moment down to the minute before or at it: `Sunday, December 6, 2026 at 11:00 PM (Europe/Oslo, UTC+1)`.
pub(super) fn in_words(moment: &Zoned, language: &str) -> String {
    format!("{} ({})", clock(moment.datetime(), language), zone(moment))
}

/// What calendar and clock show.
fn clock(moment: DateTime, language: &str) -> String {
    let locale: Locale = language.parse().unwrap_or(Locale::UNKNOWN);
    let fields = YMDE::long().with_time_hm();
    let formatter = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(locale.into(), fields);
    let Ok(formatter) = formatter else {
        return moment.strftime("%Y-%m-%d %H:%M").to_string();
    };
    let iso = input::DateTime::<Iso>::convert_from(moment);
    let shown = input::DateTime {
        date: iso.date.to_calendar(Gregorian),
        time: iso.time,
    };
    // Mail in an older character set turns the narrow space into a question mark.
    formatter
        .format(&shown)
        .to_string()
        .replace('\u{202f}', "\u{a0}")
}

/// The zone's name, and its distance from UTC at that moment.
pub(super) fn zone(moment: &Zoned) -> String {
    let distance = || {
        let hours = moment.strftime("%:z").to_string();
        let hours = hours.strip_suffix(":00").unwrap_or(&hours);
        let hours = hours.replacen("+0", "+", 1).replacen("-0", "-", 1);
        format!("UTC{}", hours.replace('-', "\u{2212}"))
    };
    match moment.time_zone().iana_name() {
        Some("UTC" | "Etc/UTC") => "UTC".to_owned(),
        Some(name) => format!("{}, {}", name.replace('_', " "), distance()),
        None => distance(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn words(moment: &str, zone: &str, language: &str) -> String {
        let moment: Timestamp = moment.parse().unwrap();
        in_words(&moment.to_zoned(TimeZone::get(zone).unwrap()), language)
    }

    #[test]
    fn each_language_writes_it_its_own_way() {
        for (language, expected) in [
            ("en", "Sunday, December 6, 2026 at 11:00\u{a0}PM"),
            ("en-GB", "Sunday, 6 December 2026 at 23:00"),
            ("nb", "søndag 6. desember 2026 kl. 23:00"),
            ("da", "søndag 6. december 2026 kl. 23.00"),
            ("sv", "söndag 6 december 2026 kl. 23:00"),
            ("de", "Sonntag, 6. Dezember 2026 um 23:00"),
            ("fr", "dimanche 6 décembre 2026 à 23:00"),
            ("es", "domingo, 6 de diciembre de 2026 a las 23:00"),
            ("ar", "الأحد، 6 ديسمبر 2026 في 11:00 م"),
            ("fi", "sunnuntai 6. joulukuuta 2026 klo 23.00"),
        ] {
            let words = words("2026-12-06T22:00:59.9Z", "Europe/Oslo", language);
            assert_eq!(words, format!("{expected} (Europe/Oslo, UTC+1)"));
        }
    }

    #[test]
    fn the_zone_is_named_with_its_distance() {
        for (moment, zone, expected) in [
            ("2026-12-06T22:00:00Z", "UTC", "22:00 (UTC)"),
            (
                "2026-07-02T03:00:00Z",
                "America/New_York",
                "23:00 (America/New York, UTC\u{2212}4)",
            ),
            (
                "2026-07-06T17:15:00Z",
                "Asia/Kathmandu",
                "23:00 (Asia/Kathmandu, UTC+5:45)",
            ),
            // The clock shows this hour twice; the second one is an hour later.
            (
                "2024-03-24T02:00:00Z",
                "America/Asuncion",
                "23:00 (America/Asuncion, UTC\u{2212}3)",
            ),
            (
                "2024-03-24T03:00:00Z",
                "America/Asuncion",
                "23:00 (America/Asuncion, UTC\u{2212}4)",
            ),
        ] {
            let words = words(moment, zone, "en-GB");
            assert!(words.ends_with(expected), "{words}");
        }
        let fixed = TimeZone::fixed(jiff::tz::offset(10));
        let moment: Timestamp = "2026-12-06T21:00:00Z".parse().unwrap();
        assert!(in_words(&moment.to_zoned(fixed), "nb").ends_with("kl. 07:00 (UTC+10)"));
    }

    proptest! {
        /// What a reader of the words would come back to is the moment's own minute: never later, never much earlier.
        #[test]
        fn words_never_promise_more_than_the_moment(
            zone in prop::sample::select(jiff::tz::db().available().collect::<Vec<_>>()),
            second in 1_500_000_000_i64..4_000_000_000,
        ) {
            let zone = TimeZone::get(zone.as_str()).unwrap();
            let moment = Timestamp::from_second(second).unwrap();
            let shown = moment.to_zoned(zone);
            let words = in_words(&shown, "en-GB");
            let (said, _) = words.split_once(" (").unwrap();
            let said = DateTime::strptime("%A, %d %B %Y at %H:%M", said).unwrap();
            let said = shown.offset().to_timestamp(said).unwrap();
            prop_assert!(said <= moment && moment.duration_since(said).as_secs() < 60);
        }
    }
}
