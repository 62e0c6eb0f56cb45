//! Time that passes on demand, and timers that run because of it.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{Open, open};

/// Makes an invitation that expires after so many days from now.
fn invite(page: &Open, days: i64) {
    let expiry = page.sandbox.clock.now() + SignedDuration::from_hours(24 * days);
    let row = json!({"adx_name": "Invitation", "adx_invitationcode": "code", "adx_expirydate": expiry.to_string()});
    page.sandbox.dataverse.insert("adx_invitations", &row);
}

async fn answer(page: &Open, path: &str, body: &Value) -> (StatusCode, String) {
    let answer = page.post(path, body).await;
    (answer.status(), answer.text().await.unwrap())
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_day_brings_every_expiry_a_day_nearer() {
    let page = open().await;
    invite(&page, 3);
    let [before] = &page.rows("time", |rows| rows.len() == 1).await[..] else {
        panic!("one row is expected");
    };
    assert_eq!((&before["passed"], &before["open"]), (&json!(0), &json!(1)));
    let (status, text) = answer(&page, "sandbox/clock", &json!({"seconds": 86_400})).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let told = |rows: &[Value]| rows.iter().any(|row| row["passed"] == 86_400);
    let after = &page.rows("time", told).await[0];
    let nearer = moment(&before["expiry"]).duration_since(moment(&after["expiry"]));
    assert_eq!(nearer, SignedDuration::from_hours(24));
    answer(&page, "sandbox/clock", &json!({"seconds": 2 * 86_400})).await;
    let told = |rows: &[Value]| rows.iter().any(|row| row["passed"] == 3 * 86_400);
    let last = &page.rows("time", told).await[0];
    assert_eq!((&last["open"], &last["expired"]), (&json!(0), &json!(1)));
    assert_eq!(last["expiry"], Value::Null);
}

#[tokio::test]
async fn timers_that_would_have_run_meanwhile_are_named() {
    let page = open().await;
    let (_, text) = answer(&page, "sandbox/clock", &json!({"seconds": 3600})).await;
    assert_eq!(text, r#"{"seconds":3600,"due":["function-timer"]}"#);
    // The timer of these tests is due at a quarter past: never twice within so few seconds.
    page.post("sandbox/clock/next", &json!({})).await;
    let (_, text) = answer(&page, "sandbox/clock", &json!({"seconds": 60})).await;
    assert_eq!(text, r#"{"seconds":60,"due":[]}"#);
}

#[tokio::test]
async fn time_passes_forwards_and_not_for_ever() {
    let page = open().await;
    let ten_years = 10 * 365 * 86_400_i64;
    for (seconds, words) in [
        (0, "at least one second"),
        (-5, "never backwards"),
        (ten_years + 1, "At most ten years"),
        (i64::MAX, "At most ten years"),
    ] {
        let (status, text) = answer(&page, "sandbox/clock", &json!({"seconds": seconds})).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{seconds}");
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(page.sandbox.aged(), SignedDuration::ZERO);
    let pass = async |seconds| answer(&page, "sandbox/clock", &json!({"seconds": seconds})).await;
    assert_eq!(pass(ten_years).await.0, StatusCode::OK);
    let (status, text) = pass(1).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("So far 3650 days have"), "{text}");
    let next = page.post("sandbox/clock/next", &json!({})).await;
    assert_eq!(next.status(), StatusCode::BAD_REQUEST);
    for body in [
        json!({}),
        json!({"seconds": "1"}),
        json!({"seconds": 1, "days": 1}),
    ] {
        let (status, _) = answer(&page, "sandbox/clock", &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
}

#[tokio::test]
async fn the_next_timer_is_waited_for_and_run() {
    let page = open().await;
    for _ in 0..2 {
        let (status, text) = answer(&page, "sandbox/clock/next", &json!({})).await;
        assert_eq!(status, StatusCode::OK);
        let passed: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&passed["ran"], &passed["due"]),
            (&json!("function-timer"), &json!([]))
        );
    }
    let date = page.sandbox.clock.now() + page.sandbox.aged();
    let minute = date.as_second() / 60 % 60;
    assert_eq!(minute, 15, "{date}");
    let run_twice = |rows: &[Value]| rows.iter().any(|row| row["runs"][1]["ok"] == true);
    page.rows("timers", run_twice).await;
}

#[tokio::test]
async fn a_timer_is_listed_with_its_schedule_and_how_its_runs_ended() {
    let page = open().await;
    let timer = &page.rows("timers", |rows| rows.len() == 1).await[0];
    assert_eq!(timer["id"], "function-timer");
    assert_eq!(
        (&timer["schedule"], &timer["runs"]),
        (&json!("0 15 * * * *"), &json!([]))
    );
    assert!(moment(&timer["next"]) > page.sandbox.clock.now());
    let names = json!({"names": ["function-timer"]});
    assert_eq!(
        answer(&page, "sandbox/timers", &names).await.0,
        StatusCode::OK
    );
    let ended = |rows: &[Value]| rows.iter().any(|row| row["runs"][0]["ok"] == true);
    page.rows("timers", ended).await;
    for names in [json!(["function-http"]), json!(["function-timer", "other"])] {
        let body = json!({"names": names});
        let (status, text) = answer(&page, "sandbox/timers", &body).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(text.starts_with("There is no timer called"), "{text}");
    }
}
