//! Timers as the host fires them: its envelopes with every oddity, sent straight to the handler's port.

use crate::world::World;

/// The envelope of a timer, with this status and everything else as the host writes it.
fn envelope(status: &str) -> String {
    let timer = format!(
        r#"{{"Schedule":{{"AdjustForDST":true}},"ScheduleStatus":{status},"IsPastDue":true}}"#
    );
    let sys = r#"{"MethodName":"function-sweep","UtcNow":"2026-11-22T10:00:00.1234567Z","RandGuid":"70707070-0000-4000-8000-000000000000"}"#;
    format!(r#"{{"Data":{{"timer":{timer}}},"Metadata":{{"sys":{sys}}}}}"#)
}

#[tokio::test]
async fn timers_run_however_the_host_writes_its_dates() {
    let world = World::start().await;
    let dates = [
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00+00:00",
        "2026-11-22T10:00:00",
        "2026-11-22T10:00:00Z",
        "2026-11-22T12:00:00.1234567+02:00",
        "9999-12-31T23:59:59.9999999",
        "yesterday",
        "",
    ];
    let statuses =
        dates.map(|date| format!(r#"{{"Last":"{date}","Next":"{date}","LastUpdated":"{date}"}}"#));
    let odd = ["null", "{}", r#"{"Last":null}"#, r#"{"Last":17}"#, "[]"];
    for status in statuses.iter().map(String::as_str).chain(odd) {
        for timer in ["/function-sweep", "/function-dispatch", "/function-digest"] {
            let answer = world.handler(timer).post(&envelope(status)).await;
            assert_eq!(answer.status, 200, "{timer} with {status}: {}", answer.text);
            assert_eq!(answer.header("content-type"), "application/json");
            let json = answer.json();
            assert!(json.is_object() && json["tally"].is_object(), "{json}");
            assert!(json["Logs"][0].is_string(), "{json}");
        }
    }
    let swept: Vec<_> = (world.log().into_iter())
        .filter(|line| line["message"] == "swept")
        .collect();
    assert_eq!(swept.len(), dates.len() + odd.len());
    assert!(swept.iter().all(|line| line["past_due"] == true));
    let known = swept.iter().filter(|line| {
        line["last"]
            .as_str()
            .is_some_and(|last| last.contains("2026-11-22T10:00:00"))
    });
    assert_eq!(
        known.count(),
        3,
        "three of the dates say when the timer ran last"
    );
}

#[tokio::test]
async fn an_envelope_without_a_timer_is_a_run_like_any_other() {
    let world = World::start().await;
    for envelope in [
        r#"{"Data":{},"Metadata":{}}"#,
        r#"{"Data":{"myTimer":{"IsPastDue":false}}}"#,
    ] {
        let answer = world.handler("/function-sweep").post(envelope).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn what_is_no_envelope_fails_the_run_and_touches_nothing() {
    let world = World::start().await;
    let cut = &envelope("null")[..40];
    let deep = "[".repeat(100_000);
    for garbage in ["", " ", "timer", cut, &deep, "{\"Data\":{}}{"] {
        for timer in ["/function-sweep", "/function-dispatch", "/function-digest"] {
            let answer = world.handler(timer).post(garbage).await;
            assert_eq!(answer.status, 400, "{timer}: {}", answer.text);
            assert_eq!(answer.json()["code"], "invalidJson");
        }
    }
    assert!(world.sandbox.traffic.entries().is_empty());
}

#[tokio::test]
async fn an_envelope_may_come_in_pieces() {
    let world = World::start().await;
    let text = envelope("null");
    let pieces: Vec<Result<Vec<u8>, std::io::Error>> = text
        .as_bytes()
        .chunks(7)
        .map(|piece| Ok(piece.to_vec()))
        .collect();
    let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    let json = [("content-type", "application/json; charset=utf-8")];
    let answer = world
        .handler("/function-sweep")
        .request(http::Method::POST, &json, Some(body))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}
