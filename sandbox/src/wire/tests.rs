//! Wires over sockets and in the process: what faults look like at the other end.

use super::*;
use crate::faults::Rule;
use crate::host::client::client;
use axum::routing::post;
use http::Method;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A wire to a service that counts what it does, and the counter.
fn counter() -> (Wire, Arc<AtomicUsize>) {
    let (done, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = {
        let done = Arc::clone(&done);
        move |body: Bytes| async move {
            sleep(Duration::from_millis(20)).await;
            seen.fetch_add(body.len(), Ordering::SeqCst);
            done.fetch_add(1, Ordering::SeqCst).to_string()
        }
    };
    let wire = Wire::new(
        Service::Portal,
        Router::new().route("/count", post(count)),
        Faults::default(),
        Traffic::default(),
        Clock::starting_at(Timestamp::UNIX_EPOCH),
    );
    (wire, done)
}

fn request() -> Request<Bytes> {
    Request::post("/count")
        .body(Bytes::from_static(b"x"))
        .unwrap()
}

async fn listen(wire: &Wire) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    wire.clone().serve(listener);
    format!("http://{address}/count")
}

#[tokio::test]
async fn a_broken_connection_is_an_error_at_the_client_and_others_are_kept_alive() {
    let (wire, done) = counter();
    let url = listen(&wire).await;
    let client = client().unwrap();
    let mut peers = Vec::new();
    for _ in 0..2 {
        let answer = client.post(&url).body("x").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers()[DATE].to_str().unwrap().contains("1970"));
        peers.push(answer.remote_addr());
        answer.bytes().await.unwrap();
    }
    let fault = |fault| {
        Rule::on(Service::Portal, fault)
            .method(Method::POST)
            .times(1)
    };
    wire.faults.add(fault(Fault::DropBefore));
    assert!(client.post(&url).body("x").send().await.is_err());
    assert_eq!(done.load(Ordering::SeqCst), 2);
    wire.faults.add(fault(Fault::DropAfter));
    assert!(client.post(&url).body("x").send().await.is_err());
    assert_eq!(done.load(Ordering::SeqCst), 3);
    let statuses: Vec<_> = wire.traffic.entries().iter().map(|e| e.status).collect();
    assert_eq!(statuses, [Some(200), Some(200), None, None]);
}

#[tokio::test]
async fn one_connection_carries_several_requests() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (wire, done) = counter();
    let url: url::Url = listen(&wire).await.parse().unwrap();
    let address = format!("127.0.0.1:{}", url.port().unwrap());
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = [0; 512];
    for expected in 1..=2 {
        let head = b"POST /count HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx";
        stream.write_all(head).await.unwrap();
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK"));
        assert_eq!(done.load(Ordering::SeqCst), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn scripted_answers_stand_in_with_or_without_the_effect() {
    let (wire, done) = counter();
    let answer = |effect| Fault::Answer {
        status: 429,
        retry_after_seconds: Some(7),
        code: "Slow".to_owned(),
        effect,
    };
    for (effect, expected) in [(false, 0), (true, 1)] {
        let rule = Rule::on(Service::Portal, answer(effect)).times(1);
        wire.faults.add(rule);
        let got = wire.call(request()).await.unwrap();
        assert_eq!(
            (got.status().as_u16(), &got.headers()[RETRY_AFTER]),
            (429, &HeaderValue::from(7))
        );
        assert!(got.body().starts_with(br#"{"error":{"code":"Slow""#));
        assert_eq!(done.load(Ordering::SeqCst), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn work_goes_on_when_the_caller_gives_up() {
    let (wire, done) = counter();
    let delay = Fault::Delay(Duration::from_secs(30));
    wire.faults.add(Rule::on(Service::Portal, delay));
    let call = tokio::time::timeout(Duration::from_secs(5), wire.call(request()));
    assert!(call.await.is_err());
    assert_eq!(done.load(Ordering::SeqCst), 0);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(done.load(Ordering::SeqCst), 1);
    assert_eq!(wire.traffic.count(Service::Portal), 1);
}

#[tokio::test]
async fn a_quoting_error_repeats_the_request_and_nothing_is_done() {
    let (wire, done) = counter();
    wire.faults
        .add(Rule::on(Service::Portal, Fault::Quote { status: 403 }));
    let answer = wire.call(request()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let body = std::str::from_utf8(answer.body()).unwrap();
    assert!(body.contains("Cannot process /count with x"), "{body}");
    assert_eq!(done.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_logged_with_its_time_its_sizes_and_what_struck_it() {
    let (wire, _) = counter();
    let delay = Fault::Delay(Duration::from_secs(2));
    for fault in [delay, Fault::DropAfter] {
        wire.faults.add(Rule::on(Service::Portal, fault).times(1));
    }
    wire.call(request()).await.unwrap_err();
    wire.call(request()).await.unwrap();
    let entries = wire.traffic.entries();
    let [struck, spared] = &entries[..] else {
        panic!()
    };
    assert_eq!(struck.faults, ["delay", "drop after"]);
    assert_eq!(struck.took, Duration::from_millis(2_020));
    assert_eq!((struck.status, struck.answer_bytes), (None, 0));
    assert!(spared.faults.is_empty());
    assert_eq!((spared.request_bytes, spared.answer_bytes), (1, 1));
    assert_eq!((struck.number, spared.number), (1, 2));
}
