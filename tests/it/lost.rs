//! Lost answers: whichever request of a batch loses its answer, with or without its effect, each contact gets one
//! row and one letter, and the batch ends.

use http::Method;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::json;

use crate::trouble::instead;
use crate::world::{Answer, Setup, World};

async fn impatient() -> World {
    Setup::default()
        .setting("INLINE_SECONDS", "3")
        .start()
        .await
}

fn all_ways_to_lose_an_answer() -> [Fault; 5] {
    [
        Fault::DropBefore,
        Fault::DropAfter,
        instead(504, true),
        instead(500, false),
        instead(408, true),
    ]
}

/// Invites two contacts of the round, lets whatever is left be done, and looks at all that came of it.
async fn invite_and_settle(world: &World, round: &str) {
    let contacts = ["Ann", "Ben"].map(|name| world.contact(&format!("{name}{round}")));
    let answer = world.invite_contacts(&contacts).await;
    assert!(
        [200, 202].contains(&answer.status),
        "{round}: {}",
        answer.text
    );
    settle(world, &answer).await;
    world.assert_each_has_one_letter_and_row(&contacts);
}

/// By now the mailbox has left every draft alone for long enough.
async fn settle(world: &World, answer: &Answer) {
    world.a_minute_passes();
    world.dispatch_until_idle().await;
    let outcomes = world.result(answer.batch()).await.outcomes();
    assert!(
        outcomes.iter().all(|outcome| outcome == "sent"),
        "{outcomes:?}"
    );
}

/// Loses the answer of each request in turn, until a batch has no more; gives how many it had.
async fn lose_each(
    rule: impl Fn(Fault) -> Rule,
    fault: &Fault,
    also: Option<(&dyn Fn(Fault) -> Rule, Fault)>,
) -> u32 {
    let world = impatient().await;
    for skip in 0.. {
        world.sandbox.faults.clear();
        if let Some((also, fault)) = &also {
            world.sandbox.faults.add(also(fault.clone()).times(1));
        }
        let struck = world.strike_once(|fault| rule(fault).skip(skip), fault.clone());
        invite_and_settle(&world, &format!("at{skip}")).await;
        if struck.count() == 0 {
            return skip;
        }
    }
    unreachable!("a batch ends")
}

#[tokio::test]
async fn any_answer_of_dataverse_may_be_lost() {
    let whole = |fault| Rule::on(Service::Dataverse, fault);
    for fault in all_ways_to_lose_an_answer() {
        let requests = lose_each(whole, &fault, None).await;
        assert!(
            requests >= 4,
            "{fault:?}: plan, create, read again, mark: {requests}"
        );
    }
}

#[tokio::test]
async fn any_answer_inside_a_batch_of_dataverse_may_be_lost() {
    let inside = |fault| Rule::on(Service::Dataverse, fault).inside_batch();
    for fault in all_ways_to_lose_an_answer() {
        let operations = lose_each(inside, &fault, None).await;
        assert!(operations >= 10, "{fault:?}: {operations}");
    }
}

#[tokio::test]
async fn any_answer_of_graph_may_be_lost() {
    let whole = |fault| Rule::on(Service::Graph, fault);
    for fault in all_ways_to_lose_an_answer() {
        let requests = lose_each(whole, &fault, None).await;
        assert!(requests >= 2, "{fault:?}: draft, send: {requests}");
    }
}

#[tokio::test]
async fn any_answer_inside_a_batch_of_graph_may_be_lost() {
    let inside = |fault| Rule::on(Service::Graph, fault).inside_batch();
    for fault in all_ways_to_lose_an_answer() {
        let operations = lose_each(inside, &fault, None).await;
        assert!(
            operations >= 4,
            "{fault:?}: two drafts, two sends: {operations}"
        );
    }
}

/// The first send of a letter.
fn send(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Graph, fault).inside_batch();
    rule.method(Method::POST).path("/send")
}

#[tokio::test]
async fn any_answer_may_be_lost_while_a_lost_send_is_looked_into() {
    for sent in [Fault::DropAfter, Fault::DropBefore] {
        for service in [Service::Graph, Service::Dataverse] {
            let whole = |fault| Rule::on(service, fault);
            for fault in [Fault::DropAfter, instead(500, false)] {
                let requests = lose_each(whole, &fault, Some((&send, sent.clone()))).await;
                assert!(requests >= 3, "{requests}");
            }
        }
    }
}

#[tokio::test]
async fn a_plan_that_cannot_be_read_leaves_nothing_behind() {
    let world = impatient().await;
    let ann = world.contact("Ann");
    world
        .sandbox
        .faults
        .add(Rule::on(Service::Dataverse, instead(500, false)));
    let answer = world
        .invite_keyed("once", &json!({"contactIds": [ann]}))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (503, &json!("unavailable"))
    );
    assert!(!answer.header("retry-after").is_empty());
    assert!(world.open_journals().is_empty() && world.rows(ann).is_empty());
    world.sandbox.faults.clear();
    let answer = world
        .invite_keyed("once", &json!({"contactIds": [ann]}))
        .await;
    assert_eq!(answer.outcomes(), ["sent"]);
    world.assert_each_has_one_letter_and_row(&[ann]);
}
