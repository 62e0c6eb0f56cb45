//! HTTP as the host hands it over: streamed through by new hosts, rebuilt by old ones; and a handler that
//! answers beside long work, without its services, and again after it was killed.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Method;
use sandbox::faults::{Fault, Rule, Service};
use sandbox::host::Forwarding;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Setup, World};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
const BOTH: [Forwarding; 2] = [Forwarding::Proxy, Forwarding::Forward];

async fn world(forwarding: Forwarding) -> World {
    let setup = Setup {
        forwarding,
        ..Setup::default().setting("INLINE_SECONDS", "1")
    };
    setup.start().await
}

fn in_pieces(text: &str) -> reqwest::Body {
    let pieces: Vec<Result<Vec<u8>, std::io::Error>> = text
        .as_bytes()
        .chunks(7)
        .map(|piece| Ok(piece.to_vec()))
        .collect();
    reqwest::Body::wrap_stream(futures::stream::iter(pieces))
}

#[tokio::test]
async fn an_invite_works_through_both_kinds_of_host_and_can_be_followed_by_its_location() {
    for forwarding in BOTH {
        let world = world(forwarding).await;
        let ann = world.contact("Ann");
        // The mailbox asks to wait longer than the request may go on.
        let busy = Fault::Answer {
            status: 429,
            retry_after_seconds: Some(2),
            code: "TooManyRequests".to_owned(),
            effect: false,
        };
        world
            .sandbox
            .faults
            .add(Rule::on(Service::Graph, busy).times(1));
        let answer = world.invite_contacts(&[ann]).await;
        assert_eq!(answer.status, 202, "{forwarding:?}: {}", answer.text);
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((5..=600).contains(&wait));
        let location = answer.header("location");
        assert_eq!(
            location,
            format!("{}api/batches/{}", world.host.url(), answer.batch())
        );
        let path = location.strip_prefix(world.host.url().as_str()).unwrap();
        assert_eq!(world.get(path).await.status, 202);
        world.dispatch_until_idle().await;
        let end = world.get(path).await;
        assert_eq!(
            (end.status, end.outcomes()),
            (200, vec!["sent".to_owned()]),
            "{forwarding:?}"
        );
        world.assert_each_has_one_letter_and_row(&[ann]);
    }
}

#[tokio::test]
async fn the_location_names_the_host_that_the_caller_called() {
    for forwarding in BOTH {
        let world = world(forwarding).await;
        let busy = Fault::Answer {
            status: 429,
            retry_after_seconds: Some(30),
            code: "TooManyRequests".to_owned(),
            effect: false,
        };
        world
            .sandbox
            .faults
            .add(Rule::on(Service::Graph, busy).times(1));
        let body = json!({ "contactIds": [world.contact("Ann")] });
        let headers = [("host", "invite.contoso.example")];
        let answer = world
            .post("/api/invitations?code=secret", &headers, &body)
            .await;
        let expected = format!(
            "http://invite.contoso.example/api/batches/{}",
            answer.batch()
        );
        assert_eq!(answer.header("location"), expected, "{forwarding:?}");
    }
}

#[tokio::test]
async fn a_body_may_have_a_length_or_come_in_pieces() {
    let world = World::start().await;
    let host = |path: &str| world.door(world.host.url().join(path).unwrap());
    let doors = [host("/api/invitations"), world.handler("/api/invitations")];
    for (place, door) in doors.into_iter().enumerate() {
        let contacts = [
            world.contact(&format!("Sized{place}")),
            world.contact(&format!("Pieces{place}")),
        ];
        let [sized, pieces] =
            contacts.map(|contact| json!({ "contactIds": [contact] }).to_string());
        let answer = door.request(Method::POST, &JSON, Some(sized)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let answer = door
            .request(Method::POST, &JSON, Some(in_pieces(&pieces)))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        world.assert_each_has_one_letter_and_row(&contacts);
    }
}

#[tokio::test]
async fn a_body_that_an_old_host_loses_is_refused_and_nothing_is_done() {
    let world = world(Forwarding::Forward).await;
    let body = json!({ "contactIds": [world.contact("Ann")] }).to_string();
    let door = world.door(world.host.url().join("/api/invitations").unwrap());
    let answer = door
        .request(Method::POST, &JSON, Some(in_pieces(&body)))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (400, &json!("invalidJson"))
    );
    assert!(world.sandbox.traffic.entries().is_empty());
}

fn span_id(line: &Value) -> Option<Uuid> {
    line["span"]["invocation_id"].as_str()?.parse().ok()
}

#[tokio::test]
async fn every_line_about_an_invocation_carries_the_id_that_the_host_gave_it() {
    for forwarding in BOTH {
        let world = world(forwarding).await;
        let passing = Fault::Answer {
            status: 503,
            retry_after_seconds: None,
            code: String::new(),
            effect: false,
        };
        let fails_once = Rule::on(Service::Dataverse, passing).times(1);
        world.sandbox.faults.add(fails_once.clone());
        let own = Uuid::from_u128(99).to_string();
        for (headers, name) in [
            (vec![], "Ann"),
            (
                vec![("x-azure-functions-invocationid", own.as_str())],
                "Ben",
            ),
        ] {
            let body = json!({ "contactIds": [world.contact(name)] });
            assert_eq!(
                world.post("/api/invitations", &headers, &body).await.status,
                200
            );
        }
        let log = world.log();
        let answered = log.iter().filter(|line| line["message"] == "answered");
        let ids: BTreeSet<Uuid> = answered.map(|line| span_id(line).expect("an id")).collect();
        assert_eq!(ids.len(), 2, "{forwarding:?}: each invocation has its own");
        assert!(
            !ids.contains(&Uuid::from_u128(99)),
            "callers do not choose ids"
        );
        let retry = log.iter().find(|line| line["level"] == "WARN").unwrap();
        assert!(
            span_id(retry).is_some_and(|id| ids.contains(&id)),
            "{retry}"
        );
        world.sandbox.faults.add(fails_once);
        let run = world.sweep().await;
        let log = world.log();
        let swept = log.iter().find(|line| line["message"] == "swept").unwrap();
        assert_eq!(span_id(swept), Some(run.id), "{swept}");
        let retry = log.iter().rfind(|line| line["level"] == "WARN").unwrap();
        assert_eq!(span_id(retry), Some(run.id), "{retry}");
    }
}

#[tokio::test]
async fn of_joined_invocation_ids_the_last_is_the_host_s() {
    let world = World::start().await;
    let [theirs, hosts] = [1, 2].map(Uuid::from_u128);
    let joined = format!("{theirs}, {hosts}");
    let headers = [("x-azure-functions-invocationid", joined.as_str())];
    let health = world.handler("/api/health");
    health.request(Method::GET, &headers, None::<String>).await;
    let log = world.log();
    let answered = log.iter().find(|line| line["message"] == "answered");
    assert_eq!(answered.and_then(span_id), Some(hosts));
}

#[tokio::test]
async fn the_probe_and_health_are_answered_without_any_service() {
    let world = World::start().await;
    for service in [
        Service::Dataverse,
        Service::Graph,
        Service::Identity,
        Service::Portal,
    ] {
        world
            .sandbox
            .faults
            .add(Rule::on(service, Fault::DropBefore));
    }
    let probe = world
        .handler("/")
        .request(Method::GET, &[], None::<String>)
        .await;
    assert_eq!(probe.status, 200);
    assert!(!probe.text.is_empty());
    let health = world.get("/api/health").await;
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "ok");
    assert_eq!(health.json()["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        world.sandbox.traffic.entries().is_empty(),
        "not even a start touches one"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn other_invocations_run_to_their_end_while_one_waits() {
    let world = Arc::new(World::start().await);
    let (ann, others) = (world.contact("Ann"), world.contacts(5));
    let (runtime, stage, names) = (
        tokio::runtime::Handle::current(),
        Arc::downgrade(&world),
        others.clone(),
    );
    let meanwhile = move || {
        let world = stage.upgrade().unwrap();
        let invite = |contact: Uuid| {
            let world = Arc::clone(&world);
            async move { world.invite_contacts(&[contact]).await }
        };
        let all = async {
            assert_eq!(world.get("/api/health").await.status, 200);
            world.sweep().await;
            futures::future::join_all(names.iter().copied().map(invite)).await
        };
        for answer in tokio::task::block_in_place(|| runtime.block_on(all)) {
            assert_eq!(answer.outcomes(), ["sent"], "{}", answer.text);
        }
    };
    let create = Rule::on(Service::Dataverse, Fault::Call(Arc::new(meanwhile)));
    world
        .sandbox
        .faults
        .add(create.method(Method::PATCH).inside_batch().times(1));
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    world.assert_each_has_one_letter_and_row(&[&others[..], &[ann]].concat());
}

#[tokio::test]
async fn a_killed_handler_listens_again_on_its_port_at_once() {
    let world = World::start().await;
    for round in 0..4 {
        // Connections that are open when the process dies leave the port half closed.
        let health = world.handler("/api/health");
        let asked = (0..8).map(|_| health.request(Method::GET, &[], None::<String>));
        assert!(
            futures::future::join_all(asked)
                .await
                .iter()
                .all(|answer| answer.status == 200)
        );
        let before = world.host.handler_pid();
        world.host.kill_handler();
        world.host.ready().await.unwrap();
        assert!(world.host.handler_pid().is_some() && world.host.handler_pid() != before);
        assert_eq!(world.get("/api/health").await.status, 200, "round {round}");
    }
    let starts = world
        .log()
        .into_iter()
        .filter(|line| line["message"] == "portal-invite listens");
    assert_eq!(starts.count(), 5, "each start but no other succeeded");
}
