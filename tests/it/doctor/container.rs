//! The doctor within this process: with journals in a container, and over services that hang.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;
use portal_invite::app::{Ambient, App};
use portal_invite::chance::Chance;
use portal_invite::clock::Clock;
use portal_invite::config::{Config, Environment};
use portal_invite::remote::http::{Broken, InProcess, Transport};
use portal_invite::service::doctor::{Diagnosis, Kind, Status};
use sandbox::faults::{Fault, Rule};
use sandbox::{Options, Sandbox, Service as Remote};
use serde_json::{Value, json};

use crate::world::SENDER;

const CONTAINER: &str = "portal-invite";

/// What differs from the usual.
#[derive(Clone, Default)]
struct Stage {
    sandbox: Option<Sandbox>,
    /// What tokens say of whoever they were issued to; by default nothing.
    claims: Option<Value>,
    /// Whether whoever issues tokens never answers.
    identity_hangs: bool,
    /// Where every page of the site leads.
    moved_to: Option<&'static str>,
}

type Answer = Result<http::Response<Bytes>, Broken>;

impl Stage {
    fn on(sandbox: &Sandbox) -> Self {
        Self {
            sandbox: Some(sandbox.clone()),
            ..Self::default()
        }
    }

    /// What an identity is told on a machine that App Service did not set up.
    async fn token(self) -> Answer {
        if self.identity_hangs {
            tokio::time::sleep(Duration::from_hours(1)).await;
        }
        let token = self.claims.map_or_else(
            || "any".to_owned(),
            |claims| format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims.to_string())),
        );
        let body = json!({
            "access_token": token,
            "expires_on": "32503680000",
            "resource": "any",
            "token_type": "Bearer",
        });
        Ok(http::Response::new(Bytes::from(body.to_string())))
    }

    /// A way to the services by host name. Only the site gets neither token nor code.
    fn transport(&self, sandbox: &Sandbox) -> Transport {
        let wires = [
            ("dataverse.test", Remote::Dataverse),
            ("graph.test", Remote::Graph),
            ("portal.test", Remote::Portal),
            ("storage.test", Remote::Storage),
        ];
        let wires = wires.map(|(host, service)| (host, sandbox.wire(service)));
        let stage = self.clone();
        let carry: InProcess = Arc::new(move |mut request| {
            let host = request.uri().host().unwrap_or_default().to_owned();
            let Some((_, wire)) = wires.iter().find(|(name, _)| *name == host) else {
                return Box::pin(stage.clone().token());
            };
            let is_signed = request.headers().contains_key("authorization");
            assert_eq!(is_signed, host != "portal.test", "{}", request.uri());
            if let Some(to) = stage.moved_to.filter(|_| host == "portal.test") {
                let moved = http::Response::builder().status(301).header("location", to);
                return Box::pin(async { Ok(moved.body(Bytes::new()).unwrap()) });
            }
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

    async fn diagnose(self) -> Diagnosis {
        let sandbox = self.sandbox.clone();
        let sandbox = sandbox.unwrap_or_else(|| Sandbox::new(Options::default()));
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let settings = [
            ("DATAVERSE_URL", "https://dataverse.test"),
            ("GRAPH_URL", "https://graph.test"),
            ("PORTAL_URL", "https://portal.test"),
            ("MAIL_SENDERS", SENDER),
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
            transport: self.transport(&sandbox),
        };
        let app = App::build(config, ambient).unwrap();
        app.service().diagnose().await
    }
}

fn findings(diagnosis: &Diagnosis) -> Vec<(&'static str, Status)> {
    let checks = diagnosis.checks.iter();
    let areas = ["settings", "identity", "portal", "mailboxes", "store"];
    let is_here = |id: &str| {
        id.split('.')
            .next()
            .is_some_and(|area| areas.contains(&area))
    };
    let unwell = checks.filter(|check| check.status != Status::Pass && is_here(check.id));
    unwell.map(|check| (check.id, check.status)).collect()
}

/// The token here says nothing, so that only Exchange knows of rights.
const UNKNOWN: (&str, Status) = ("mailboxes.rights", Status::NotChecked);

#[tokio::test(start_paused = true)]
async fn a_container_is_looked_at_and_left_as_it_was() {
    let sandbox = Sandbox::new(Options::default());
    let diagnosis = Stage::on(&sandbox).diagnose().await;
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
    let diagnosis = Stage::on(&sandbox).diagnose().await;
    let writable = ("store.writable", Status::Fail);
    assert_eq!(findings(&diagnosis), [UNKNOWN, writable]);
    sandbox.faults.add(Rule::on(Remote::Storage, refused));
    let diagnosis = Stage::on(&sandbox).diagnose().await;
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
    let all = Sandbox::new(Options::default());
    for (remote, id) in cases {
        let sandbox = Sandbox::new(Options::default());
        sandbox.faults.add(Rule::on(remote, hang.clone()));
        all.faults.add(Rule::on(remote, hang.clone()));
        let diagnosis = in_time(Stage::on(&sandbox)).await;
        assert!(diagnosis.ok && unchecked(&diagnosis, id), "{diagnosis:#?}");
    }
    let diagnosis = in_time(Stage::on(&all)).await;
    for (_, id) in cases {
        assert!(diagnosis.ok && unchecked(&diagnosis, id), "{diagnosis:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_hangs_is_told_within_eighty_seconds() {
    let stage = Stage {
        identity_hangs: true,
        ..Stage::default()
    };
    let diagnosis = in_time(stage).await;
    let found = findings(&diagnosis);
    for id in ["identity.dataverse", "identity.graph", "identity.storage"] {
        assert!(found.contains(&(id, Status::Fail)), "{id} in {found:?}");
    }
    assert!(
        !found.iter().any(|(id, _)| id.starts_with("portal")),
        "{found:?}"
    );
}

fn unchecked(diagnosis: &Diagnosis, id: &'static str) -> bool {
    findings(diagnosis).contains(&(id, Status::NotChecked))
}

async fn in_time(stage: Stage) -> Diagnosis {
    let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
    let began = clock.mark();
    let diagnosis = stage.diagnose().await;
    let took = began.elapsed(&clock);
    assert!(took < Duration::from_secs(80), "{took:?}");
    diagnosis
}

#[tokio::test(start_paused = true)]
async fn a_person_at_a_desk_and_an_application_are_told_apart_from_a_managed_identity() {
    let cases = [
        (
            json!({"appid": "a", "upn": "kim@contoso.example"}),
            Kind::User,
        ),
        (
            json!({"appid": "a", "xms_mirid": "/subscriptions/1"}),
            Kind::ManagedIdentity,
        ),
    ];
    for (claims, kind) in cases {
        let stage = Stage {
            claims: Some(claims),
            ..Stage::default()
        };
        let whose = stage.diagnose().await.identity.unwrap();
        assert_eq!((whose.kind, whose.client_id.as_deref()), (kind, Some("a")));
        assert_eq!(whose.user_name.is_some(), kind == Kind::User);
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_has_moved_is_told_with_where_to() {
    let stage = Stage {
        moved_to: Some("https://www.contoso.example/"),
        ..Stage::default()
    };
    let diagnosis = stage.diagnose().await;
    let found = findings(&diagnosis);
    assert!(
        found.contains(&("portal.answers", Status::Warn)),
        "{found:?}"
    );
    assert!(unchecked(&diagnosis, "portal.register"));
    let mut checks = diagnosis.checks.iter();
    let check = checks.find(|check| check.id == "portal.answers").unwrap();
    assert!(check.seen.contains("www.contoso.example"), "{check:?}");
    let circle = Stage {
        moved_to: Some("https://portal.test/"),
        ..Stage::default()
    };
    let found = findings(&circle.diagnose().await);
    assert!(
        found.contains(&("portal.answers", Status::Fail)),
        "{found:?}"
    );
}
