//! Real handler processes that share one container, as the instances of a function app do.

use std::sync::Arc;
use std::time::Duration;

use sandbox::host::{Host, HostOptions, stage};
use sandbox::{Fault, Rule, Service};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::azurite::running;
use crate::world::{Setup, World};

/// The settings of a handler that keeps its journals in an account of Azurite's.
fn settings(account: &str) -> Vec<(&'static str, String)> {
    let (url, certificate) = running();
    vec![
        // Empty is absent: the directory that the world sets is not used.
        ("BATCH_STORE", String::new()),
        ("WEBSITE_INSTANCE_ID", "instance".to_owned()),
        (
            "AzureWebJobsStorage__blobServiceUri",
            format!("{url}{account}"),
        ),
        // Where rustls looks for authorities, in place of the system's.
        ("SSL_CERT_FILE", certificate),
        ("MAIL_RATE_PER_MINUTE", "1000".to_owned()),
    ]
}

async fn world(account: &str) -> World {
    let setup = Setup {
        settings: settings(account),
        ..Setup::default()
    };
    setup.start().await
}

/// Another instance of the same function app, with a host of its own.
async fn beside(world: &World, account: &str) -> (Host, TempDir) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let app_root = stage(root, env!("CARGO_BIN_EXE_portal-invite").as_ref()).unwrap();
    let mut options = HostOptions::new(app_root.path());
    options.environment = world.at.handler_environment(&world.sandbox);
    let schedules = [
        ("DISPATCH_SCHEDULE", "0 * * * * *"),
        ("SWEEP_SCHEDULE", "0 0 * * * *"),
    ];
    let schedules = schedules.map(|(name, value)| (name, value.to_owned()));
    let all = schedules.into_iter().chain(settings(account));
    options
        .environment
        .extend(all.map(|(name, value)| (name.to_owned(), value)));
    (Host::start(options).await.unwrap(), app_root)
}

/// The lease of a dead process runs out after sixty seconds, so this takes as long.
#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn a_batch_whose_worker_was_killed_while_sending_is_finished_by_another_instance() {
    let world = world("one").await;
    let (other, _app_root) = beside(&world, "one").await;
    let contacts = world.contacts(20);
    // All drafts are made and journalled; the request that sends them arrives, its answer finds nobody.
    let pid = world.host.handler_pid().unwrap().to_string();
    let kill = Fault::Call(Arc::new(move || {
        let killed = std::process::Command::new("kill")
            .args(["-9", &pid])
            .status();
        assert!(killed.unwrap().success());
    }));
    let sends = Rule::on(Service::Graph, kill)
        .path("$batch")
        .skip(1)
        .times(1);
    world.sandbox.faults.add(sends);
    let answer = world.invite(&json!({"contactIds": contacts})).await;
    assert!(answer.status >= 500, "{} {}", answer.status, answer.text);

    let mut taken_over = false;
    for _ in 0..200 {
        let tally = other.fire("function-dispatch").await.unwrap().body["tally"].clone();
        taken_over |= tally["worked"] == 1;
        if tally["open"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(taken_over, "the other instance did the rest");
    world.assert_each_has_one_letter_and_row(&contacts);
    assert!(
        std::fs::read_dir(world.store.path())
            .unwrap()
            .next()
            .is_none()
    );
}

#[tokio::test]
#[ignore = "needs Azurite: scripts/test starts it"]
async fn two_instances_that_get_the_same_request_write_one_letter_each() {
    let world = world("two").await;
    let (other, _app_root) = beside(&world, "two").await;
    let contacts = world.contacts(20);
    let body = json!({"contactIds": contacts}).to_string();
    let (here, there) = tokio::join!(invite(&world.host, &body), invite(&other, &body));
    assert_eq!(here, there, "one batch, seen from both");
    assert_eq!(here["counts"]["sent"], 20, "{here}");
    world.assert_each_has_one_letter_and_row(&contacts);
}

/// Invites at one of the hosts, always with the same key.
#[expect(
    clippy::disallowed_methods,
    reason = "the test's own client, not the product's"
)]
async fn invite(host: &Host, body: &str) -> Value {
    let url = host.url().join("api/invitations").unwrap();
    let request = reqwest::Client::new().post(url);
    let request = request.header("content-type", "application/json");
    let request = request.header("idempotency-key", "key");
    let response = request.body(body.to_owned()).send().await.unwrap();
    let (status, body) = (response.status(), response.bytes().await.unwrap());
    assert_eq!(status, 200, "{body:?}");
    serde_json::from_slice(&body).unwrap()
}
