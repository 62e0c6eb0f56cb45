//! Batches: their form, their order, and operations that fail alone.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_batch_answers_each_operation_in_an_order_of_its_own() {
    let desk = desk();
    let drafts = (0..20).map(|n| item(&n.to_string(), "POST", "messages", Some(letter("k"))));
    let reply = desk.batch(drafts.collect()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(statuses(&reply).len(), 20);
    assert!(statuses(&reply).iter().all(|(_, status)| *status == 201));
    let responses = reply.body["responses"].as_array().unwrap();
    let order: Vec<usize> = (responses.iter())
        .map(|response| response["id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(!order.is_sorted());
    let sends = responses.iter().map(|response| {
        let path = format!("messages/{}/send", response["body"]["id"].as_str().unwrap());
        item(
            response["id"].as_str().unwrap(),
            "POST",
            &path,
            Some(json!({})),
        )
    });
    let sent = desk.batch(sends.collect()).await;
    assert!(statuses(&sent).iter().all(|(_, status)| *status == 202));
    assert_eq!(sent.body["responses"][0].get("body"), None);
    assert_eq!(desk.graph.letters().len(), 20);
    let counts: Vec<usize> = desk
        .traffic
        .entries()
        .iter()
        .map(|e| e.operations)
        .collect();
    assert_eq!(counts, [20, 20]);
}

#[tokio::test(start_paused = true)]
async fn malformed_batches_are_refused_whole() {
    let desk = desk();
    let get = |id: &str| item(id, "GET", "messages", None);
    let mut untyped = item("1", "POST", "messages", Some(letter("k")));
    untyped["headers"] = json!({});
    let mut absolute = get("1");
    absolute["url"] = json!("https://graph.microsoft.com/v1.0/me");
    let mut waits = get("1");
    waits["dependsOn"] = json!(["2"]);
    let mut circle = get("2");
    circle["dependsOn"] = json!(["1"]);
    for requests in [
        json!([]),
        (0..21).map(|n| get(&n.to_string())).collect(),
        json!([get("a"), get("A")]),
        json!([untyped]),
        json!([item("1", "POST", "messages/x/send", None)]),
        json!([absolute]),
        json!([waits]),
        json!([waits, circle]),
        json!([{"id": 1, "method": "GET", "url": "/users"}]),
    ] {
        let reply = desk.batch(requests.clone()).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "BadRequest"),
            "{requests}"
        );
    }
    assert!(desk.graph.drafts(SENDER).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_depends_on_a_failure_fails() {
    let desk = desk();
    let mut after_bad = item("2", "POST", "messages", Some(letter("k")));
    after_bad["dependsOn"] = json!(["1"]);
    let mut after_good = after_bad.clone();
    after_good["id"] = json!("4");
    after_good["dependsOn"] = json!(["3"]);
    let bad = item("1", "GET", "messages/none", None);
    let good = item("3", "GET", "messages", None);
    let reply = desk.batch(json!([after_bad, after_good, bad, good])).await;
    let expected = [("1", 404), ("2", 424), ("3", 200), ("4", 201)];
    assert_eq!(
        statuses(&reply),
        expected.map(|(id, status)| (id.to_owned(), status))
    );
}

#[tokio::test(start_paused = true)]
async fn faults_strike_single_operations_of_a_batch() {
    let desk = desk();
    desk.traffic.describe();
    let answer = Fault::Answer {
        status: 503,
        retry_after_seconds: Some(3),
        code: "ErrorServerBusy".to_owned(),
        effect: true,
    };
    for (place, fault) in [Fault::DropBefore, Fault::DropAfter, answer]
        .into_iter()
        .enumerate()
    {
        let rule = Rule::on(Service::Graph, fault)
            .inside_batch()
            .method(Method::POST);
        // Each rule counts the requests that reach it, so each skips those struck before.
        desk.faults
            .add(rule.skip(u32::try_from(place).unwrap()).times(1));
    }
    let drafts = (0..4).map(|n| item(&n.to_string(), "POST", "messages", Some(letter("k"))));
    let reply = desk.batch(drafts.collect()).await;
    let expected = [("0", 504), ("1", 504), ("2", 503), ("3", 201)];
    assert_eq!(
        statuses(&reply),
        expected.map(|(id, status)| (id.to_owned(), status))
    );
    assert_eq!(desk.graph.drafts(SENDER).len(), 3);
    let entries = desk.traffic.entries();
    let mut told: Vec<_> = (entries[0].described.first.iter())
        .map(|step| (step.status, step.struck))
        .collect();
    told.sort_unstable();
    assert_eq!(told, [(201, false), (503, true), (504, true), (504, true)]);
    let target = &entries[0].described.first[0].target;
    assert_eq!(target, &format!("/users/{SENDER}/messages"));
    let responses = reply.body["responses"].as_array().unwrap();
    let busy = responses.iter().find(|r| r["status"] == 503).unwrap();
    assert_eq!(busy["headers"]["Retry-After"], "3");
}
