//! The process: what it is given, how it is killed, restarted and given up.

use std::{path::Path, time::Duration};

use http::StatusCode;
use sandbox::host::{Host, HostError, HostOptions};
use serde_json::json;

use crate::support::{any, app, echo, get, headers, post, start, timer};

#[tokio::test]
async fn the_handler_gets_its_settings_and_what_the_host_adds_and_nothing_else() {
    let root = app(&[("echo", any("{*rest}"))], &json!({}), &json!({}));
    let mut options = HostOptions::new(root.path());
    options.environment = vec![("PORTAL_URL".to_owned(), "x".to_owned())];
    let host = Host::start(options).await.unwrap();
    let lines: Vec<String> = host.console().into_iter().map(|line| line.text).collect();
    let mut names: Vec<&str> = (lines.iter())
        .filter_map(|line| line.strip_prefix("env ")?.split('=').next())
        .collect();
    names.sort_unstable();
    let expected = [
        "FUNCTIONS_APP_ROOT_PATH",
        "FUNCTIONS_CUSTOMHANDLER_PORT",
        "FUNCTIONS_CUSTOMHANDLER_WORKER_ID",
        "FUNCTIONS_HTTPWORKER_ID",
        "FUNCTIONS_HTTPWORKER_PORT",
        "HOME",
        "PATH",
        "PORTAL_URL",
    ];
    assert_eq!(names, expected);
    let folder = root.path().canonicalize().unwrap();
    assert!(
        lines.contains(&format!("cwd {}", folder.display())),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_killed_handler_comes_back_on_the_same_port() {
    let root = app(&[("echo", any("{*rest}"))], &json!({}), &json!({}));
    let host = start(&root).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let echo = echo(get(&host, "api/x").await).await;
        assert_eq!(echo["pid"].as_u64(), host.handler_pid().map(u64::from));
        seen.push((echo["pid"].clone(), headers(&echo, "host")[0].to_owned()));
        host.kill_handler();
        host.ready().await.unwrap();
    }
    assert!(
        seen.windows(2)
            .all(|two| two[0].0 != two[1].0 && two[0].1 == two[1].1),
        "{seen:?}"
    );
}

#[tokio::test]
async fn the_third_crash_takes_the_host_down() {
    let root = app(&[("echo", any("{*rest}"))], &json!({}), &json!({}));
    let host = start(&root).await;
    for _ in 0..2 {
        assert_eq!(
            post(&host, "api/crash", "x").await.status(),
            StatusCode::INTERNAL_SERVER_ERROR
        );
        wait_for_new_process(&host).await;
    }
    post(&host, "api/leave", "x").await;
    wait_for_new_process(&host).await;
    assert_eq!(
        post(&host, "api/crash", "x").await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(
        post(&host, "api/x", "x").await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    let down = host.ready().await.unwrap_err().to_string();
    assert!(down.contains("about to crash"), "{down}");
}

/// The connection breaks a little before the host learns of the process's end.
async fn wait_for_new_process(host: &Host) {
    tokio::time::sleep(Duration::from_millis(200)).await;
    host.ready().await.unwrap();
}

#[tokio::test]
async fn a_handler_that_never_starts_is_given_up() {
    for setting in [("EXIT_AT_START", "7"), ("NEVER_LISTEN", "1")] {
        let root = app(
            &[("echo", any("x"))],
            &json!({}),
            &json!({"initializationTimeout": "00:00:01"}),
        );
        let mut options = HostOptions::new(root.path());
        options.environment = vec![(setting.0.to_owned(), setting.1.to_owned())];
        assert!(
            matches!(Host::start(options).await, Err(HostError::Down(_))),
            "{setting:?}"
        );
    }
}

#[tokio::test]
async fn a_handler_that_refuses_its_settings_is_asked_once_and_says_why() {
    let root = app(&[("echo", any("x"))], &json!({}), &json!({}));
    let mut options = HostOptions::new(root.path());
    options.environment = vec![("EXIT_AT_START".to_owned(), "64".to_owned())];
    options.refusal_code = Some(64);
    let refused = Host::start(options).await;
    assert!(
        matches!(&refused, Err(HostError::Refused(words)) if words == "ends with\n64"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn function_timeout_kills_the_process_and_is_not_a_crash() {
    let functions = [("slow", timer("0 0 * * * *")), ("web", any("slow"))];
    let root = app(
        &functions,
        &json!({"functionTimeout": "00:00:01"}),
        &json!({}),
    );
    let host = start(&root).await;
    let mut processes = vec![host.handler_pid()];
    for _ in 0..3 {
        assert!(matches!(
            host.fire("slow").await,
            Err(HostError::TimedOut(_))
        ));
        host.ready().await.unwrap();
        processes.push(host.handler_pid());
    }
    assert_eq!(
        get(&host, "api/slow").await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert!(
        processes.windows(2).all(|two| two[0] != two[1]),
        "{processes:?}"
    );
}

#[tokio::test]
async fn the_process_dies_with_its_host() {
    let root = app(&[("echo", any("x"))], &json!({}), &json!({}));
    let pid = |host: &Host| format!("/proc/{}", host.handler_pid().unwrap());
    let host = start(&root).await;
    let stopped = pid(&host);
    host.stop().await;
    assert!(!Path::new(&stopped).exists());
    let host = start(&root).await;
    let dropped = pid(&host);
    drop(host);
    tokio::time::timeout(Duration::from_secs(10), async {
        while Path::new(&dropped).exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the process is gone");
}

#[tokio::test]
async fn a_call_without_a_body_is_tried_again_when_the_handler_dies() {
    let root = app(&[("echo", any("{*rest}"))], &json!({}), &json!({}));
    let host = start(&root).await;
    assert_eq!(
        get(&host, "api/crash").await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    let lines = host.console();
    let calls = lines
        .iter()
        .filter(|line| line.text.starts_with("GET /api/crash"));
    assert_eq!(calls.count(), 3, "each process got it once: {lines:?}");
}
