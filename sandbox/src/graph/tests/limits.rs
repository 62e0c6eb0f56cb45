//! Limits: requests in flight, letters a minute, recipients a day.

use super::*;
use crate::latency::{GraphTimes, Spread};

#[tokio::test(start_paused = true)]
async fn a_fifth_request_to_a_mailbox_is_throttled_and_a_batch_queues() {
    let desk = desk();
    let second = GraphTimes {
        operation: Duration::from_secs(1),
        ..GraphTimes::default()
    };
    desk.graph.take_time(second, Spread::default());
    let items = (0..20).map(|n| item(&n.to_string(), "GET", "messages", None));
    let started = desk.graph.clock.now();
    let reply = desk.batch(items.collect()).await;
    assert!(statuses(&reply).iter().all(|(_, status)| *status == 200));
    let took = desk.graph.clock.now().duration_since(started);
    assert_eq!(took.as_secs(), 5, "twenty operations, four at a time");
    assert_eq!(desk.graph.max_in_flight(SENDER), 4);
    let calls = (0..5).map(|_| desk.ask_mailbox("GET", "messages", None));
    let replies = futures::future::join_all(calls).await;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code(), "ApplicationThrottled");
    assert!(refused[0].retry_after.is_some());
    assert_eq!(desk.graph.max_in_flight(SENDER), 5);
    assert_eq!(desk.ask_mailbox("GET", "messages", None).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_does_its_part_for_one_operation_after_another() {
    let desk = desk();
    let times = GraphTimes {
        operation: Duration::from_secs(1),
        mailbox: Duration::from_secs(2),
        ..GraphTimes::default()
    };
    desk.graph.take_time(times, Spread::default());
    let started = desk.graph.clock.now();
    let calls = (0..4).map(|_| desk.ask_mailbox("GET", "messages", None));
    let replies = futures::future::join_all(calls).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    let took = desk.graph.clock.now().duration_since(started);
    assert_eq!(
        took.as_secs(),
        9,
        "four turns of two seconds, and a last one"
    );
}

#[tokio::test(start_paused = true)]
async fn letters_over_the_rate_arrive_late_or_are_refused() {
    let desk = desk();
    let send = || desk.ask_mailbox("POST", "sendMail", Some(json!({"message": letter("k")})));
    for _ in 0..31 {
        assert_eq!(send().await.status, 202);
    }
    assert_eq!(desk.graph.letters().len(), 30);
    assert_eq!(desk.graph.max_sent_in_60s(SENDER), 31);
    desk.graph.configure(|rules| rules.rate = Rate::Refuse);
    let refused = send().await;
    assert_eq!(
        (refused.status, refused.retry_after.as_deref()),
        (429, Some("60"))
    );
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(desk.graph.letters().len(), 31);
    assert_eq!(send().await.status, 202);
}

#[tokio::test(start_paused = true)]
async fn ageing_moves_every_moment_and_frees_the_quota() {
    let desk = desk();
    desk.graph.configure(|rules| rules.daily_recipients = 1);
    let first = desk.draft("k/1").await;
    assert_eq!(desk.send(&first).await.status, 202);
    let second = desk.draft("k/2").await;
    let refused = desk.send(&second).await;
    assert_eq!(
        (refused.status, refused.code()),
        (429, "ErrorExceededMessageLimit")
    );
    desk.graph.age(SignedDuration::from_hours(24));
    let body = desk.get(&first).await.body;
    assert_eq!(body["sentDateTime"], "2026-02-28T12:00:00Z");
    assert_eq!(
        desk.graph.letters()[0].sent_at.to_string(),
        "2026-02-28T12:00:00Z"
    );
    assert_eq!(desk.send(&second).await.status, 202);
}
