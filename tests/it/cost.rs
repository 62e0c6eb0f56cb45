//! What inviting costs in requests: the limits of both services are counted in them.

use sandbox::{Service, Traffic};
use serde_json::json;

use crate::world::{Setup, World};

/// Requests so far: all of Dataverse, those that plan and create, and all of Graph.
fn requests(traffic: &Traffic) -> (usize, usize) {
    (
        traffic.count(Service::Dataverse),
        traffic.count(Service::Graph),
    )
}

async fn unpaced() -> World {
    let mut setup = Setup::default().setting("MAIL_RATE_PER_MINUTE", "1000");
    setup.options.senders = (0..2)
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
        let world = unpaced().await;
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
