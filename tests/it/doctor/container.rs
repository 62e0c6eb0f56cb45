//! The doctor within this process: with journals in a container, and over services that hang.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use portal_invite::app::{Ambient, App};
use portal_invite::chance::Chance;
use portal_invite::clock::Clock;
use portal_invite::config::{Config, Environment};
use portal_invite::remote::http::{Broken, InProcess, Transport};
use portal_invite::service::Service;
use portal_invite::service::doctor::{Diagnosis, Status};
use sandbox::faults::{Fault, Rule};
use sandbox::{Options, Sandbox, Service as Remote};
use serde_json::json;
use tokio::time::Instant;

const CONTAINER: &str = "portal-invite";

/// What a token looks like where no sandbox service checks it.
fn token() -> http::Response<Bytes> {
    let body = json!({
        "access_token": "any",
        "expires_on": "32503680000",
        "resource": "any",
        "token_type": "Bearer",
    });
    http::Response::new(Bytes::from(body.to_string()))
}

/// A way to the services by host name. Only the site gets neither token nor code.
fn transport(sandbox: &Sandbox) -> Transport {
    let wires = [
        ("dataverse.test", Remote::Dataverse),
        ("graph.test", Remote::Graph),
        ("portal.test", Remote::Portal),
        ("storage.test", Remote::Storage),
    ];
    let wires = wires.map(|(host, service)| (host, sandbox.wire(service)));
    let carry: InProcess = Arc::new(move |mut request| {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let Some((_, wire)) = wires.iter().find(|(name, _)| *name == host) else {
            // What an identity is asked for on a machine that App Service did not set up.
            return Box::pin(async { Ok(token()) });
        };
        let is_signed = request.headers().contains_key("authorization");
        assert_eq!(is_signed, host != "portal.test", "{}", request.uri());
        let path = request.uri().path_and_query().unwrap().as_str().to_owned();
        *request.uri_mut() = path.parse().unwrap();
        let wire = wire.clone();
        Box::pin(async move {
            let answer = wire.call(request).await;
            answer.map_err(|_| Broken::Lost("the connection broke".to_owned()))
        })
    });
    Transport::InProcess(carry)
}

fn service(sandbox: &Sandbox) -> Service {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let settings = [
        ("DATAVERSE_URL", "https://dataverse.test"),
        ("GRAPH_URL", "https://graph.test"),
        ("PORTAL_URL", "https://portal.test"),
        ("MAIL_SENDERS", crate::world::SENDER),
        (
            "AzureWebJobsStorage__blobServiceUri",
            "https://storage.test/",
        ),
        ("SUPPORT_EMAIL", "help@contoso.example"),
        ("TEMPLATE_DIR", templates.to_str().unwrap()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::from_environment(&Environment::Given(settings.into())).unwrap();
    let ambient = Ambient {
        clock: Clock::starting_at(sandbox.clock.now()),
        chance: Chance::seeded(1),
        transport: transport(sandbox),
    };
    App::build(config, ambient).unwrap().service().clone()
}

fn findings(diagnosis: &Diagnosis) -> Vec<(&'static str, Status)> {
    let checks = diagnosis.checks.iter();
    let unwell = checks.filter(|check| check.status != Status::Pass);
    unwell.map(|check| (check.id, check.status)).collect()
}

/// The token here says nothing, so that only Exchange knows of rights.
const UNKNOWN: (&str, Status) = ("mailboxes.rights", Status::NotChecked);

#[tokio::test(start_paused = true)]
async fn a_container_is_looked_at_and_left_as_it_was() {
    let sandbox = Sandbox::new(Options::default());
    let diagnosis = service(&sandbox).diagnose().await;
    assert_eq!(findings(&diagnosis), [UNKNOWN], "{diagnosis:#?}");
    let passed = |id| diagnosis.checks.iter().any(|check| check.id == id);
    assert!(passed("identity.storage") && passed("store.writable"));
    assert_eq!(sandbox.storage.names(CONTAINER), [""; 0]);
    assert_eq!(diagnosis.identity.map(|whose| whose.client_id), None);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_may_be_read_only_is_told() {
    let sandbox = Sandbox::new(Options::default());
    let refused = Fault::Answer {
        status: 403,
        retry_after_seconds: None,
        code: "AuthorizationPermissionMismatch".to_owned(),
        effect: false,
    };
    let put = Rule::on(Remote::Storage, refused.clone()).method(http::Method::PUT);
    sandbox.faults.add(put);
    let diagnosis = service(&sandbox).diagnose().await;
    let writable = ("store.writable", Status::Fail);
    assert_eq!(findings(&diagnosis), [UNKNOWN, writable]);
    sandbox.faults.add(Rule::on(Remote::Storage, refused));
    let diagnosis = service(&sandbox).diagnose().await;
    let readable = ("store.readable", Status::Fail);
    assert_eq!(findings(&diagnosis), [UNKNOWN, readable]);
    let check = diagnosis.checks.iter().find(|check| check.id == readable.0);
    let advice = check.unwrap().advice.as_deref().unwrap();
    assert!(advice.contains("Storage Blob Data Contributor"), "{advice}");
}

#[tokio::test(start_paused = true)]
async fn services_that_hang_leave_the_rest_checked_within_eighty_seconds() {
    let hang = Fault::Delay(Duration::from_hours(1));
    let cases = [
        (Remote::Dataverse, "identity.user"),
        (Remote::Graph, "mailboxes.sender"),
        (Remote::Portal, "portal.answers"),
        (Remote::Storage, "store.readable"),
    ];
    for (remote, id) in cases {
        let sandbox = Sandbox::new(Options::default());
        sandbox.faults.add(Rule::on(remote, hang.clone()));
        assert_ends_in_time(&sandbox, &[id]).await;
    }
    let sandbox = Sandbox::new(Options::default());
    for (remote, _) in cases {
        sandbox.faults.add(Rule::on(remote, hang.clone()));
    }
    assert_ends_in_time(&sandbox, &cases.map(|(_, id)| id)).await;
}

async fn assert_ends_in_time(sandbox: &Sandbox, unchecked: &[&'static str]) {
    let began = Instant::now();
    let diagnosis = service(sandbox).diagnose().await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(80), "{took:?} for {unchecked:?}");
    let found = findings(&diagnosis);
    for id in unchecked {
        assert!(
            found.contains(&(id, Status::NotChecked)),
            "{id} in {found:?}"
        );
    }
    assert!(diagnosis.ok, "{found:?}");
}
