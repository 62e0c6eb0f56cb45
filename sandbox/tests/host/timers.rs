//! Timer functions: what they are sent, when, and which answers count.

use std::time::Duration;

use sandbox::host::{Host, HostError, HostOptions};
use serde_json::{Value, json};

use crate::support::{app, headers, start, timer, write};

#[tokio::test]
async fn a_timer_is_called_with_the_envelope_and_the_dates_of_the_host() {
    let root = app(&[("tick", timer("0 0 * * * *"))], &json!({}), &json!({}));
    let host = start(&root).await;
    let first = host.fire("tick").await.unwrap();
    assert_eq!(
        (&first.body["method"], &first.body["target"]),
        (&json!("POST"), &json!("/tick"))
    );
    assert_eq!(headers(&first.body, "transfer-encoding"), ["chunked"]);
    assert!(headers(&first.body, "content-length").is_empty());
    let sent: Value = serde_json::from_str(first.body["body"].as_str().unwrap()).unwrap();
    assert_eq!(sent, first.request);
    let info = &sent["Data"]["timer"];
    assert_eq!(info["ScheduleStatus"]["Last"], "0001-01-01T00:00:00");
    assert_eq!(
        (&info["IsPastDue"], &sent["Metadata"]["sys"]["MethodName"]),
        (&json!(false), &json!("tick"))
    );
    let second = host.fire("TICK").await.unwrap();
    let last = second.request["Data"]["timer"]["ScheduleStatus"]["Last"]
        .as_str()
        .unwrap();
    assert!(
        last.ends_with("+00:00") && !last.starts_with("0001"),
        "{last}"
    );
}

#[tokio::test]
async fn a_fast_or_unmonitored_timer_has_no_status() {
    let mut unmonitored = timer("0 0 * * * *");
    unmonitored["bindings"][0]["useMonitor"] = json!(false);
    let root = app(
        &[("fast", timer("*/5 * * * * *")), ("plain", unmonitored)],
        &json!({}),
        &json!({}),
    );
    let host = start(&root).await;
    for name in ["fast", "plain"] {
        let run = host.fire(name).await.unwrap();
        assert_eq!(run.request["Data"]["timer"]["ScheduleStatus"], Value::Null);
    }
}

#[tokio::test]
async fn timers_run_by_their_schedule_and_a_missed_run_comes_first() {
    let root = app(
        &[
            ("tick", timer("* * * * * *")),
            ("late", timer("0 0 0 1 1 *")),
        ],
        &json!({}),
        &json!({}),
    );
    let file = root.path().join("timers.status");
    write(
        &file,
        &json!({"late": {"last": null, "next": "2020-01-01T00:00:00Z"}}),
    );
    let mut options = HostOptions::new(root.path());
    (options.fire_timers, options.timer_status) = (true, Some(file.clone()));
    let host = Host::start(options).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let lines: Vec<String> = host.console().into_iter().map(|line| line.text).collect();
    host.stop().await;
    let calls = |path: &str| {
        lines
            .iter()
            .filter(|line| line.starts_with(path))
            .collect::<Vec<_>>()
    };
    assert!((2..=3).contains(&calls("POST /tick").len()), "{lines:?}");
    assert_eq!(calls("POST /late").len(), 1);
    assert!(calls("POST /late")[0].contains(r#""IsPastDue":true"#));
    let kept: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(
        kept["late"]["last"].is_string() && kept.get("tick").is_none(),
        "{kept}"
    );
}

#[tokio::test]
async fn answers_that_the_host_cannot_take_fail_the_invocation() {
    let names = ["refuses", "text", "number", "empty", "null", "crash"];
    let functions = names.map(|name| (name, timer("0 0 * * * *")));
    let root = app(&functions, &json!({}), &json!({}));
    let host = start(&root).await;
    for name in ["empty", "null"] {
        assert!(
            matches!(host.fire(name).await, Err(HostError::WouldHang(_))),
            "{name}"
        );
    }
    // The one that crashes comes last: the next call would meet a handler that is just starting.
    for (name, expected) in [
        ("refuses", Some(500)),
        ("text", Some(200)),
        ("number", Some(200)),
        ("crash", None),
    ] {
        match host.fire(name).await {
            Err(HostError::Failed { status, .. }) => assert_eq!(status, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(matches!(
        host.fire("none").await,
        Err(HostError::UnknownFunction(_))
    ));
}

#[tokio::test]
async fn runs_of_one_timer_never_overlap() {
    let root = app(&[("slow", timer("* * * * * *"))], &json!({}), &json!({}));
    let mut options = HostOptions::new(root.path());
    options.fire_timers = true;
    let host = Host::start(options).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let calls = host
        .console()
        .into_iter()
        .filter(|line| line.text.starts_with("POST /slow"));
    assert_eq!(calls.count(), 1);
}

#[tokio::test]
async fn whoever_looks_learns_when_timers_are_due_and_how_they_ended() {
    let timers = [
        ("each-minute", timer("0 * * * * *")),
        ("hourly", timer("0 15 * * * *")),
        ("refuses", timer("0 30 7 * * *")),
        ("off", timer("0 20 * * * *")),
    ];
    let root = app(&timers, &json!({}), &json!({}));
    let mut options = HostOptions::new(root.path());
    options.environment = vec![("AzureWebJobs.off.Disabled".to_owned(), "true".to_owned())];
    let host = Host::start(options).await.unwrap();
    let at = |text: &str| text.parse().unwrap();
    let due = |after, until| host.due_between(at(after), at(until)).join(" ");
    assert_eq!(
        due("2026-11-23T07:00:30Z", "2026-11-23T07:40:30Z"),
        "hourly refuses each-minute"
    );
    assert_eq!(
        due("2026-11-23T07:15:00Z", "2026-11-23T07:16:00Z"),
        "each-minute"
    );
    let (next, name) = host.next_rare(at("2026-11-23T07:15:00Z")).unwrap();
    assert_eq!(
        (next, name.as_str()),
        (at("2026-11-23T07:30:00Z"), "refuses")
    );

    host.fire("hourly").await.unwrap();
    host.fire("refuses").await.unwrap_err();
    let timers = host.timers();
    let names: Vec<&str> = timers.iter().map(|timer| timer.name.as_str()).collect();
    assert_eq!(names, ["each-minute", "hourly", "refuses"]);
    let ending = |index: usize| timers[index].runs[0].ending.clone().unwrap();
    assert_eq!((ending(1).status, ending(1).failure), (Some(200), None));
    assert!(ending(2).failure.unwrap().contains("refuses failed"));
    assert!(timers[0].runs.is_empty() && timers[0].next.is_some());
    assert_eq!(host.calls_version(), 4);
}
