//! An import: hundreds of contacts within seconds, each told by a call of its own.

use serde_json::json;

use super::{RULE, setup};

const CONTACTS: usize = 400;
/// One in four is to be invited.
const EACH: usize = 4;

#[tokio::test]
async fn an_import_costs_little_loses_nobody_and_stops_no_one_else() {
    // Exchange takes thirty letters a minute from each.
    let senders: Vec<_> = (0..10)
        .map(|place| format!("sender{place}@contoso.example"))
        .collect();
    let senders: Vec<_> = senders.iter().map(String::as_str).collect();
    let world = setup(RULE).senders(&senders).start().await;
    world.tell(world.contact("First")).await;
    world.sandbox.traffic.clear();
    world.register(&[]);
    let mut members = Vec::new();
    for place in 0..CONTACTS {
        let name = format!("Person{place}");
        if place % EACH == 0 {
            members.push(world.member(&name));
        } else {
            world.contact(&name);
        }
    }
    world.told().await;
    let deliveries = world.sandbox.dataverse.deliveries();
    assert_eq!(deliveries.len(), CONTACTS);
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery.tries == [Some(200)])
    );
    // One question about each, and one survey of each that is invited.
    assert_eq!(world.dataverse_requests(), CONTACTS + members.len());
    assert_eq!(world.stored("open").len(), members.len());
    // Somebody's own request does not wait behind them.
    let ann = world.contact("Ann");
    let answer = world.invite(&json!({"contactIds": [ann]})).await;
    assert_eq!(answer.outcomes(), ["sent"]);
    world.dispatch_until_idle().await;
    members.push(ann);
    world.assert_each_has_one_letter_and_row(&members);
    assert_eq!(world.sandbox.graph.letters().len(), members.len());
}

#[tokio::test]
async fn batches_that_wait_for_their_mailbox_cost_dataverse_nothing() {
    let world = setup(RULE).start().await;
    for place in 0..50 {
        let member = world.member(&format!("Person{place}"));
        assert_eq!(world.tell(member).await.verdict(), "accepted");
    }
    world.dispatch().await;
    // What the mailbox takes in a minute.
    assert_eq!(world.sandbox.graph.letters().len(), 30);
    world.sandbox.traffic.clear();
    let run = world.dispatch().await;
    assert_eq!(
        (&run.body["tally"]["open"], &run.body["tally"]["worked"]),
        (&json!(20), &json!(0))
    );
    assert_eq!(world.dataverse_requests(), 0);
}
