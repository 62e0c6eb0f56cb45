//! Throttling: 429 with `Retry-After` is obeyed in full, nothing is lost by it, and the pace avoids it.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use sandbox::faults::{Fault, Rule, Service};
use serde_json::json;

use crate::trouble::{Tally, throttled};
use crate::world::{SENDER, Setup, World};

/// When the next request to a service came after a moment.
fn next_after(world: &World, service: Service, moment: Timestamp) -> Option<Timestamp> {
    let entries = world.sandbox.traffic.entries();
    let later = entries
        .iter()
        .filter(|entry| entry.service == service && entry.at > moment);
    later.map(|entry| entry.at).min()
}

fn assert_waited(world: &World, service: Service, throttled: &Tally, seconds: i64) {
    let struck = throttled.last().unwrap();
    let next = next_after(world, service, struck).unwrap();
    let waited = next.duration_since(struck);
    assert!(
        waited >= SignedDuration::from_secs(seconds),
        "{service:?} was asked again after {waited:?}"
    );
}

/// Throttles each request of a batch in turn, until it has no more; gives how many it had.
async fn throttle_each(rule: impl Fn(Fault) -> Rule, service: Service) -> u32 {
    let world = World::start().await;
    for skip in 0.. {
        world.sandbox.faults.clear();
        let struck = world.strike_once(|fault| rule(fault).skip(skip), throttled(1));
        let contacts = ["Ann", "Ben"].map(|name| world.contact(&format!("{name}{skip}")));
        let answer = world.invite_contacts(&contacts).await;
        assert_eq!(answer.outcomes(), ["sent"; 2]);
        world.assert_each_has_one_letter_and_row(&contacts);
        if struck.count() == 0 {
            return skip;
        }
        if next_after(&world, service, struck.last().unwrap()).is_some() {
            assert_waited(&world, service, &struck, 1);
        }
    }
    unreachable!("a batch ends")
}

#[tokio::test]
async fn a_throttled_request_to_dataverse_waits_as_long_as_asked() {
    let whole = |fault| Rule::on(Service::Dataverse, fault);
    assert!(throttle_each(whole, Service::Dataverse).await >= 4);
}

#[tokio::test]
async fn a_throttled_operation_of_dataverse_waits_as_long_as_asked() {
    let inside = |fault| Rule::on(Service::Dataverse, fault).inside_batch();
    assert!(throttle_each(inside, Service::Dataverse).await >= 10);
}

#[tokio::test]
async fn a_throttled_request_to_graph_waits_as_long_as_asked() {
    let whole = |fault| Rule::on(Service::Graph, fault);
    assert_eq!(throttle_each(whole, Service::Graph).await, 2);
}

#[tokio::test]
async fn a_throttled_operation_of_graph_waits_as_long_as_asked() {
    let inside = |fault| Rule::on(Service::Graph, fault).inside_batch();
    assert_eq!(throttle_each(inside, Service::Graph).await, 4);
}

#[tokio::test]
async fn a_throttled_look_waits_as_long_as_asked() {
    for inside in [false, true] {
        let world = World::start().await;
        let ann = world.contact("Ann");
        let send = Rule::on(Service::Graph, Fault::DropAfter).inside_batch();
        world
            .sandbox
            .faults
            .add(send.method(Method::POST).path("/send").times(1));
        let look = |fault| {
            let rule = Rule::on(Service::Graph, fault);
            if inside {
                rule.inside_batch().method(Method::GET)
            } else {
                rule.path("$batch").skip(2)
            }
        };
        let struck = world.strike_once(look, throttled(2));
        assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
        assert_waited(&world, Service::Graph, &struck, 2);
        world.assert_each_has_one_letter_and_row(&[ann]);
    }
}

/// The caller is not kept waiting, and the service is left alone until it takes requests again.
async fn is_asked_to_wait_for_too_long(service: Service, rule: impl Fn(Fault) -> Rule) {
    let world = Setup::default()
        .setting("INLINE_SECONDS", "2")
        .start()
        .await;
    let ann = world.contact("Ann");
    let struck = world.strike_once(rule, throttled(5));
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(struck.count(), 1);
    assert_eq!(next_after(&world, service, struck.last().unwrap()), None);
    world.dispatch_until_idle().await;
    assert_waited(&world, service, &struck, 5);
    assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_long_wait_for_dataverse_is_left_to_the_dispatcher() {
    let create = |fault| {
        let rule = Rule::on(Service::Dataverse, fault).inside_batch();
        rule.method(Method::PATCH)
    };
    is_asked_to_wait_for_too_long(Service::Dataverse, create).await;
    let mark = |fault| create(fault).skip(1);
    is_asked_to_wait_for_too_long(Service::Dataverse, mark).await;
    // Metadata and plan come first, in a fresh process; whole requests from the creation on.
    let requests_of_a_plan = requests_before_create().await;
    for skip in requests_of_a_plan..requests_of_a_plan + 3 {
        let whole = |fault| Rule::on(Service::Dataverse, fault).skip(skip);
        is_asked_to_wait_for_too_long(Service::Dataverse, whole).await;
    }
}

/// How many requests a fresh process makes for a plan: all but creation, reading again and mark.
async fn requests_before_create() -> u32 {
    let world = World::start().await;
    world.invite_contacts(&[world.contact("Ann")]).await;
    u32::try_from(world.sandbox.traffic.count(Service::Dataverse)).unwrap() - 3
}

#[tokio::test]
async fn a_long_wait_for_graph_is_left_to_the_dispatcher() {
    for skip in 0..2 {
        let inside = |fault| Rule::on(Service::Graph, fault).inside_batch().skip(skip);
        is_asked_to_wait_for_too_long(Service::Graph, inside).await;
        let whole = |fault| Rule::on(Service::Graph, fault).skip(skip);
        is_asked_to_wait_for_too_long(Service::Graph, whole).await;
    }
}

#[tokio::test]
async fn a_plan_that_must_wait_for_too_long_is_refused_and_leaves_nothing() {
    for inside in [false, true] {
        let world = World::start().await;
        let ann = world.contact("Ann");
        let reads = |fault| {
            let rule = Rule::on(Service::Dataverse, fault);
            if inside { rule.inside_batch() } else { rule }
        };
        let struck = world.strike_once(reads, throttled(300));
        let answer = world
            .invite_keyed("once", &json!({"contactIds": [ann]}))
            .await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "300"));
        assert_eq!(
            next_after(&world, Service::Dataverse, struck.last().unwrap()),
            None
        );
        assert!(world.open_journals().is_empty() && world.rows(ann).is_empty());
        world.restart().await;
        let answer = world
            .invite_keyed("once", &json!({"contactIds": [ann]}))
            .await;
        assert_eq!(answer.outcomes(), ["sent"]);
    }
}

#[tokio::test]
async fn a_mailbox_never_sends_more_letters_in_a_minute_than_its_pace() {
    let world = Setup::default()
        .setting("MAIL_RATE_PER_MINUTE", "3")
        .setting("INLINE_SECONDS", "2")
        .start()
        .await;
    let contacts = world.contacts(7);
    let answer = world.invite_contacts(&contacts).await;
    assert_eq!(
        (answer.status, &answer.json()["counts"]["sent"]),
        (202, &json!(3))
    );
    let another = world.invite_contacts(&[world.contact("Zoe")]).await;
    assert_eq!(
        another.status, 202,
        "the pace is the mailbox's, not the batch's"
    );
    world.dispatch().await;
    assert_eq!(world.sandbox.graph.letters().len(), 3);
    for _ in 0..2 {
        // A minute passes for the mailbox, and a new process has no memory of the last one.
        world.a_minute_passes();
        world.restart().await;
        world.dispatch().await;
    }
    assert_eq!(world.sandbox.graph.letters().len(), 8);
    assert_eq!(world.sandbox.graph.max_sent_in_60s(SENDER), 3);
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&contacts);
}

#[tokio::test]
async fn several_mailboxes_share_the_letters_and_each_keeps_its_pace() {
    let senders = [
        "a@contoso.example",
        "b@contoso.example",
        "c@contoso.example",
    ];
    let setup = Setup::default().senders(&senders);
    let world = setup
        .setting("MAIL_RATE_PER_MINUTE", "20")
        .setting("INLINE_SECONDS", "2")
        .start()
        .await;
    let contacts = world.contacts(40);
    let answer = world.invite_contacts(&contacts).await;
    world.dispatch_until_idle().await;
    assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"; 40]);
    world.assert_each_has_one_letter_and_row(&contacts);
    for sender in senders {
        let graph = &world.sandbox.graph;
        let letters = graph
            .letters()
            .iter()
            .filter(|letter| letter.mailbox == sender)
            .count();
        assert!((1..40).contains(&letters), "{letters} from {sender}");
        assert!(graph.max_sent_in_60s(sender) <= 20 && graph.max_in_flight(sender) <= 4);
    }
}

#[tokio::test]
async fn a_throttled_mailbox_does_not_hold_up_another() {
    let senders = ["a@contoso.example", "b@contoso.example"];
    let world = Setup::default()
        .senders(&senders)
        .setting("INLINE_SECONDS", "2")
        .start()
        .await;
    let contacts = world.contacts(20);
    let of_a = Rule::on(Service::Graph, throttled(3_000))
        .inside_batch()
        .path("users/a@");
    world.sandbox.faults.add(of_a);
    let answer = world.invite_contacts(&contacts).await;
    assert_eq!(answer.status, 202);
    let sent = answer.json()["counts"]["sent"].as_u64().unwrap();
    assert!((1..20).contains(&sent), "{sent}");
    world.sandbox.faults.clear();
    world.backdate("resting", SignedDuration::from_secs(3_000));
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&contacts);
}
