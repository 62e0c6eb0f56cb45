//! What inviting costs: in requests, which the limits of both services are counted in, and in memory.

use sandbox::{Latency, Service, Traffic};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Setup, World};

/// Requests so far: all of Dataverse, those that plan and create, and all of Graph.
fn requests(traffic: &Traffic) -> (usize, usize) {
    (
        traffic.count(Service::Dataverse),
        traffic.count(Service::Graph),
    )
}

async fn unpaced(senders: usize) -> World {
    let mut setup = Setup::default()
        .setting("MAIL_RATE_PER_MINUTE", "1000")
        .setting("INLINE_SECONDS", "90")
        .setting("RUST_LOG", "info");
    setup.options.senders = (0..senders)
        .map(|n| format!("sender{n}@contoso.example"))
        .collect();
    let world = setup.start().await;
    world
        .sandbox
        .graph
        .configure(|rules| rules.letters_per_minute = 100_000);
    // Table definitions are read once a process; they are not what this is about.
    let warm = world.contact("Warm");
    assert_eq!(
        world
            .invite(&json!({"contactIds": [warm], "dryRun": true}))
            .await
            .status,
        200
    );
    world.sandbox.traffic.clear();
    world
}

#[tokio::test]
async fn requests_do_not_grow_with_contacts_but_with_chunks_of_them() {
    for (count, most_dataverse, most_graph) in [(1, 4, 2), (20, 8, 4), (1_000, 131, 104)] {
        let world = unpaced(2).await;
        let contacts = world.contacts(count);
        let answer = world.invite_contacts(&contacts).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let (dataverse, graph) = requests(&world.sandbox.traffic);
        println!("{count} contacts: {dataverse} Dataverse requests, {graph} Graph requests");
        assert!(
            dataverse <= most_dataverse,
            "{count} contacts took {dataverse} Dataverse requests"
        );
        assert!(
            graph <= most_graph,
            "{count} contacts took {graph} Graph requests"
        );
    }
}

#[tokio::test]
async fn planning_and_creation_take_a_request_for_tens_of_contacts() {
    let world = Setup::default()
        .setting("ALLOW_LINKS", "true")
        .start()
        .await;
    let contacts = world.contacts(1_000);
    let body = json!({"contactIds": contacts, "dryRun": true});
    assert_eq!(world.invite(&body).await.status, 200);
    world.sandbox.traffic.clear();
    let answer = world
        .invite(&json!({"contactIds": contacts, "sendEmail": false}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // One survey, ten creations, ten looks for twins, one reading of the links.
    let (dataverse, _) = requests(&world.sandbox.traffic);
    assert!(dataverse <= 25, "{dataverse} requests");
}

/// The most memory that the handler has had so far, in KiB.
pub(crate) fn peak_memory(world: &World) -> i64 {
    let pid = world.host.handler_pid().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = peak.unwrap().trim().trim_end_matches(" kB");
    number.parse().unwrap()
}

/// Bytes that a contact costs, there and back: of Dataverse, and of Graph.
fn bytes_a_contact(traffic: &Traffic, contacts: usize) -> [usize; 4] {
    let sum = |service: Service, bytes: fn(&sandbox::Entry) -> usize| {
        let entries = traffic.entries();
        let entries = entries.iter().filter(|entry| entry.service == service);
        entries.map(bytes).sum::<usize>() / contacts
    };
    let ways: [fn(&sandbox::Entry) -> usize; 2] =
        [|entry| entry.request_bytes, |entry| entry.answer_bytes];
    let services = [Service::Dataverse, Service::Graph];
    let [dataverse, graph] = services.map(|service| ways.map(|way| sum(service, way)));
    [dataverse[0], dataverse[1], graph[0], graph[1]]
}

#[tokio::test]
async fn bytes_are_few_beside_the_letter_itself() {
    let world = unpaced(2).await;
    let answer = world.invite_contacts(&world.contacts(200)).await;
    assert_eq!(answer.json()["counts"]["sent"], 200, "{}", answer.text);
    let letter = world.sandbox.graph.letters()[0].html.len();
    let [asked, told, posted, answered] = bytes_a_contact(&world.sandbox.traffic, 200);
    println!(
        "Dataverse {asked} and {told}, Graph {posted} and {answered}, a letter {letter} bytes"
    );
    assert!(asked <= 2_000 && told <= 2_500);
    // What Graph says of a draft repeats the letter.
    assert!(posted <= letter + 2_000 && answered <= letter + 2_500);
}

#[tokio::test]
async fn memory_grows_slowly_with_letters_too() {
    let mut peaks = Vec::new();
    for count in [1_000, 3_000] {
        let world = unpaced(4).await;
        let answer = world.invite_contacts(&world.contacts(count)).await;
        assert!(matches!(answer.status, 200 | 202), "{}", answer.text);
        peaks.push(peak_memory(&world));
    }
    let bytes_a_contact = (peaks[1] - peaks[0]) * 1_024 / 2_000;
    println!("{peaks:?} KiB: {bytes_a_contact} bytes a contact");
    assert!(bytes_a_contact < 2_048);
}

/// What a request costs.
#[derive(Debug)]
struct Cost {
    dataverse_requests: usize,
    peak_kib: i64,
}

/// What a batch of so many contacts costs in a process of its own.
async fn cost_of(count: usize, body: fn(&[Uuid]) -> Value) -> Cost {
    let world = Setup::default()
        .setting("ALLOW_LINKS", "true")
        .setting("INLINE_SECONDS", "90")
        .setting("RUST_LOG", "info")
        .start()
        .await;
    let body = body(&world.contacts(count));
    let warm = json!({"filter": "firstname eq 'Nobody'", "dryRun": true});
    assert_eq!(world.invite(&warm).await.status, 200);
    world.sandbox.traffic.clear();
    let answer = world.invite(&body).await;
    assert!(matches!(answer.status, 200 | 202), "{}", answer.text);
    assert_eq!(answer.json()["counts"]["requested"], json!(count));
    Cost {
        dataverse_requests: requests(&world.sandbox.traffic).0,
        peak_kib: peak_memory(&world),
    }
}

#[tokio::test]
async fn memory_and_requests_grow_slowly_up_to_twenty_thousand_contacts() {
    let bodies: [fn(&[Uuid]) -> Value; 3] = [
        |contacts| json!({"contactIds": contacts, "dryRun": true}),
        |_| json!({"filter": "lastname eq 'Tester'", "dryRun": true}),
        |_| json!({"filter": "lastname eq 'Tester'", "sendEmail": false}),
    ];
    for body in bodies {
        let small = cost_of(1_000, body).await;
        let large = cost_of(20_000, body).await;
        let bytes_a_contact = (large.peak_kib - small.peak_kib) * 1_024 / 19_000;
        println!("{small:?}, {large:?}: {bytes_a_contact} bytes a contact");
        assert!(large.dataverse_requests <= 800, "0.04 requests a contact");
        assert!(bytes_a_contact < 2_048);
    }
}

#[tokio::test]
async fn ten_thousand_contacts_by_view_are_accepted_while_a_flow_waits() {
    let mut setup = Setup::default()
        .setting("INLINE_SECONDS", "1")
        .setting("RUST_LOG", "info");
    setup.options.latency = Latency::Realistic;
    let world = setup.start().await;
    world.contacts(10_000);
    let view = json!({
        "name": "Everyone", "returnedtypecode": "contact",
        "fetchxml": "<fetch><entity name='contact'><order attribute='firstname'/></entity></fetch>",
    });
    let id = world.sandbox.dataverse.insert("savedqueries", &view);
    let begun = world.sandbox.clock.now();
    let answer = world.invite(&json!({"view": {"id": id}})).await;
    // Later than a flow would wait, the handler answers 503.
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.json()["counts"]["requested"], 10_000);
    let took = world.sandbox.clock.now().duration_since(begun);
    println!("10,000 contacts by view are accepted in {took:#}");
}
