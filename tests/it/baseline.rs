//! The baseline of the benchmark, `benches/flow.mjs`, does the work that it is measured by.
//!
//! It runs on Node against the sandbox, without the host: `cargo test --test it -- --ignored baseline::`.

use std::process::Stdio;
use std::time::Duration;

use jiff::SignedDuration;
use sandbox::graph::Rules;
use sandbox::{Fault, Rule, Service};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::world::{Door, SENDER, World};

/// The program, and the way to one of its functions; dropping it ends the process.
struct Flow {
    port: u16,
    _process: Child,
}

impl Flow {
    async fn start(world: &World) -> Self {
        let mut process = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/flow.mjs"))
            .envs(world.at.handler_environment(&world.sandbox))
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node is needed");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("a port");
        Self {
            port: line.parse().unwrap(),
            _process: process,
        }
    }

    fn door(&self, world: &World, path: &str) -> Door {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        world.door(url.parse().unwrap())
    }

    async fn post(&self, world: &World, path: &str, body: Value) -> Value {
        let answer = self.door(world, path).post(&body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }
}

#[tokio::test]
#[ignore = "needs Node.js; scripts/test runs it"]
async fn each_contact_gets_one_letter_and_one_row_by_three_requests() {
    for parallel in [1, 50] {
        let world = World::start().await;
        let hasty = |rules: &mut Rules| rules.letters_per_minute = 1_000;
        world.sandbox.graph.configure(hasty);
        let flow = Flow::start(&world).await;
        let alive = flow.door(&world, "/");
        assert_eq!(
            alive
                .request(http::Method::GET, &[], None::<String>)
                .await
                .status,
            200
        );
        let contacts = world.contacts(120);
        let quoted = world.contact_with(
            "\"Quo<te",
            &json!({"emailaddress1": "quote@customer.example"}),
        );
        let all = [contacts.as_slice(), &[quoted]].concat();
        let body = json!({"contactIds": all, "parallel": parallel});
        let answer = flow.post(&world, "/invite", body).await;
        assert_eq!(
            (&answer["sent"], &answer["failed"]),
            (&json!(121), &json!(0))
        );
        assert_eq!(answer["requests"], 3 * 121 + 2, "and two tokens");
        assert_eq!(world.sandbox.traffic.count(Service::Dataverse), 242);
        assert_eq!(world.sandbox.traffic.count(Service::Graph), 121);
        world.assert_each_has_one_letter_and_row(&all);
        let row = world.row(contacts[7]);
        assert_eq!(
            (&row["adx_name"], &row["adx_type"]),
            (&json!("Person7 Tester"), &json!(756_150_000))
        );
        let letters = world.sandbox.graph.letters();
        let letter = letters
            .iter()
            .find(|it| it.to == ["quote@customer.example"])
            .unwrap();
        assert!(letter.html.contains("Hello &quot;Quo&lt;te Tester,"));
        assert!(world.sandbox.graph.max_in_flight(SENDER) <= 4);
        let listed = flow.post(&world, "/list", json!({})).await;
        assert_eq!(
            (&listed["rows"], &listed["requests"]),
            (&json!(121), &json!(1))
        );
    }
}

#[tokio::test]
#[ignore = "needs Node.js; scripts/test runs it"]
async fn a_contact_without_an_address_fails_alone_and_rows_without_letters_are_made() {
    let world = World::start().await;
    let flow = Flow::start(&world).await;
    let contacts = [
        world.contact("Anna"),
        world.contact_with("Nobody", &json!({})),
    ];
    let body = json!({"contactIds": contacts, "sendEmail": false});
    let answer = flow.post(&world, "/invite", body).await;
    assert_eq!((&answer["sent"], &answer["failed"]), (&json!(1), &json!(1)));
    assert_eq!(world.rows(contacts[0]).len(), 1);
    assert!(world.rows(contacts[1]).is_empty());
    assert_eq!(world.sandbox.traffic.count(Service::Graph), 0);
}

#[tokio::test]
#[ignore = "needs Node.js; scripts/test runs it"]
async fn a_throttled_flow_waits_as_long_as_asked_and_ends() {
    let world = World::start().await;
    let flow = Flow::start(&world).await;
    let contacts = world.contacts(10);
    for service in [Service::Dataverse, Service::Graph] {
        let fault = Fault::Answer {
            status: 429,
            retry_after_seconds: Some(1),
            code: "Slow".to_owned(),
            effect: false,
        };
        world.sandbox.faults.add(Rule::on(service, fault).times(3));
    }
    let body = json!({"contactIds": contacts, "parallel": 50});
    let answer = flow.post(&world, "/invite", body).await;
    assert_eq!((&answer["sent"], &answer["waits"]), (&json!(10), &json!(6)));
    assert_eq!(answer["requests"], 30 + 6 + 2);
    world.assert_each_has_one_letter_and_row(&contacts);
}

#[tokio::test]
#[ignore = "needs Node.js; scripts/test runs it"]
async fn what_stays_throttled_fails_after_four_repeats() {
    let world = World::start().await;
    let flow = Flow::start(&world).await;
    let fault = Fault::Answer {
        status: 429,
        retry_after_seconds: Some(1),
        code: "Slow".to_owned(),
        effect: false,
    };
    world
        .sandbox
        .faults
        .add(Rule::on(Service::Dataverse, fault));
    let body = json!({"contactIds": [world.contact("Anna")]});
    // Its own intervals would add up to 97 seconds.
    let answer = timeout(Duration::from_mins(1), flow.post(&world, "/invite", body));
    let answer = answer.await.unwrap();
    assert_eq!(
        (&answer["failed"], &answer["waits"]),
        (&json!(1), &json!(4))
    );
    assert_eq!(world.sandbox.traffic.count(Service::Dataverse), 5);
}

#[tokio::test]
#[ignore = "needs Node.js; scripts/test runs it"]
async fn the_flow_closes_what_is_past_its_expiry_row_by_row() {
    let world = World::start().await;
    let flow = Flow::start(&world).await;
    let now = world.sandbox.clock.now();
    let row = |days: i64, status: i64| {
        let expiry = now + SignedDuration::from_hours(24 * days);
        let row = json!({
            "adx_name": "Anna", "adx_type": 756_150_000, "statuscode": status,
            "adx_expirydate": expiry.round(jiff::Unit::Second).unwrap().to_string(),
        });
        world.sandbox.dataverse.insert("adx_invitations", &row)
    };
    let (due, sent) = (row(-1, 1), row(-2, 756_150_000));
    let (redeemed, ahead) = (row(-1, 756_150_001), row(1, 756_150_000));
    let answer = flow.post(&world, "/sweep", json!({"parallel": 50})).await;
    assert_eq!(
        (&answer["closed"], &answer["failed"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(answer["requests"], 1 + 1 + 2, "a token, a page, two rows");
    let state =
        |id| world.sandbox.dataverse.row("adx_invitations", id).unwrap()["statecode"].clone();
    assert_eq!(
        [state(due), state(sent), state(redeemed), state(ahead)],
        [1, 1, 0, 0]
    );
}
