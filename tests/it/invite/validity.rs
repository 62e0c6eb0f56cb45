//! Until when an invitation is valid: what is asked for, what is stored, what the letter says.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::world::{Setup, World};

fn oslo() -> TimeZone {
    TimeZone::get("Europe/Oslo").unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the product runs by the machine's clock"
)]
fn today() -> Date {
    Timestamp::now().to_zoned(oslo()).date()
}

/// 23:00 in Oslo, as Dataverse stores it.
fn end_of(day: Date) -> Value {
    let end = day.at(23, 0, 0, 0).to_zoned(oslo()).unwrap();
    json!(end.timestamp().to_string())
}

/// Invites with some fields, and gives the stored expiry after comparing it with answer and letter.
async fn stored_expiry(world: &World, fields: &Value) -> Value {
    let ann = world.contact("Ann");
    let mut body = json!({ "contactIds": [ann] });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    let answer = world.invite(&body).await;
    assert_eq!(answer.outcomes(), ["sent"]);
    let stored = world.row(ann)["adx_expirydate"].clone();
    assert_eq!(answer.each("expiresOn")[0], stored);
    let moment: Timestamp = stored.as_str().unwrap().parse().unwrap();
    let moment = moment.to_zoned(oslo());
    let words = moment.strftime("%A, %B %-d, %Y at %-I:%M\u{a0}%p");
    let hours = moment.offset().seconds() / 3_600;
    let html = world.letter(ann).html;
    let promise = format!("The invitation is open until {words} (Europe/Oslo, UTC+{hours}).");
    assert!(html.contains(&promise), "{promise}: {html}");
    stored
}

/// The expiry after so many days; a test may run over midnight.
fn after_days(before: Date, days: i64) -> [Value; 2] {
    [before, today()].map(|day| end_of(day.saturating_add(days.days())))
}

#[tokio::test]
async fn valid_days_end_at_eleven_in_the_evening_at_the_site() {
    let world = World::start().await;
    let before = today();
    let stored = stored_expiry(&world, &json!({"validDays": 10})).await;
    assert!(after_days(before, 10).contains(&stored), "{stored}");
}

#[tokio::test]
async fn a_request_that_says_nothing_follows_the_settings() {
    let before = today();
    let stored = stored_expiry(&World::start().await, &json!({})).await;
    assert!(after_days(before, 14).contains(&stored), "{stored}");
    let world = Setup::default().setting("INVITATION_VALID_DAYS", "3");
    let stored = stored_expiry(&world.start().await, &json!({})).await;
    assert!(after_days(before, 3).contains(&stored), "{stored}");
}

#[tokio::test]
async fn a_last_day_ends_at_eleven_in_the_evening_at_the_site() {
    let world = World::start().await;
    let day = today().saturating_add(200.days());
    let stored = stored_expiry(&world, &json!({"expiresOn": day.to_string()})).await;
    assert_eq!(stored, end_of(day));
}

#[tokio::test]
async fn a_year_is_the_longest() {
    let world = World::start().await;
    let day = today().saturating_add(365.days());
    let stored = stored_expiry(&world, &json!({"expiresOn": day.to_string()})).await;
    assert_eq!(stored, end_of(day));
}

#[tokio::test]
async fn a_validity_that_makes_no_sense_is_refused() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let day = |days: i64| json!(today().saturating_add(days.days()).to_string());
    let refused = [
        ("validDays", json!(0)),
        ("validDays", json!(-3)),
        ("validDays", json!(366)),
        ("validDays", json!(1.5)),
        ("validDays", json!("10")),
        ("expiresOn", day(-1)),
        ("expiresOn", json!("2020-02-29")),
        ("expiresOn", day(367)),
        ("expiresOn", json!("9999-12-31")),
        ("expiresOn", json!("2027-02-30")),
        ("expiresOn", json!("31.12.2026")),
        ("expiresOn", json!("2026-12-31T23:00:00Z")),
        ("expiresOn", json!(20_261_231)),
    ];
    for (field, value) in refused {
        let mut body = json!({ "contactIds": [ann] });
        body[field] = value.clone();
        let answer = world.invite(&body).await;
        answer.assert_problem(400, "invalidRequest");
        assert_eq!(answer.wrong_fields(), [field], "{value}");
    }
    world.assert_untouched();
}

#[tokio::test]
async fn two_validities_at_once_are_refused() {
    let world = World::start().await;
    let day = today().saturating_add(20.days()).to_string();
    let body = json!({"contactIds": [world.contact("Ann")], "validDays": 20, "expiresOn": day});
    let answer = world.invite(&body).await;
    answer.assert_problem(400, "invalidRequest");
    assert_eq!(answer.wrong_fields(), ["expiresOn"]);
    world.assert_untouched();
}
