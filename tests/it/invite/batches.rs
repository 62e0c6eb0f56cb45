//! `GET /api/batches/{number}`: finished batches page by page, unfinished ones as they come along.

use http::Method;
use sandbox::host::Forwarding;
use serde_json::{Value, json};
use url::Url;

use crate::world::{Answer, Setup, World};

/// A service that sends one letter a minute and does not let callers wait that long.
fn slow() -> Setup {
    Setup::default()
        .setting("MAIL_RATE_PER_MINUTE", "1")
        .setting("INLINE_SECONDS", "30")
}

#[tokio::test]
async fn a_finished_batch_is_told_as_the_post_told_it() {
    let world = World::start().await;
    let mut people = world.contacts(3);
    people.push(world.contact_with("Silent", &json!({})));
    let posted = world.invite_contacts(&people).await;
    let batch = world.get(&format!("/api/batches/{}", posted.batch())).await;
    assert_eq!((batch.status, batch.json()), (200, posted.json()));
}

#[tokio::test]
async fn results_can_be_narrowed_to_an_outcome() {
    let world = World::start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    let silent = world.contact_with("Silent", &json!({}));
    let posted = world.invite_contacts(&[ann, silent, ben]).await;
    let path = format!("/api/batches/{}", posted.batch());
    for (outcome, expected) in [
        ("sent", vec![ann, ben]),
        ("skipped", vec![silent]),
        ("failed", vec![]),
    ] {
        let answer = world.get(&format!("{path}?outcome={outcome}")).await;
        let expected: Vec<_> = expected.iter().map(|id| json!(id)).collect();
        assert_eq!(answer.each("contactId"), expected, "{outcome}");
        assert_eq!(answer.json()["counts"], posted.json()["counts"]);
    }
}

#[tokio::test]
async fn pages_show_every_entry_once_and_in_order() {
    let world = World::start().await;
    let mut people = world.contacts(7);
    people.insert(2, world.contact_with("Silent", &json!({})));
    let posted = world.invite_contacts(&people).await;
    let path = format!("/api/batches/{}?outcome=sent&top=3", posted.batch());
    people.remove(2);
    let (mut seen, mut sizes, mut next) = (Vec::new(), Vec::new(), path.clone());
    loop {
        let page = world.get(&next).await;
        assert_eq!(page.status, 200, "{}", page.text);
        sizes.push(page.each("contactId").len());
        seen.extend(page.each("contactId"));
        match page.json()["nextCursor"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(sizes, [3, 3, 1]);
    let expected: Vec<_> = people.iter().map(|id| json!(id)).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_page_that_just_fits_is_the_last() {
    let world = World::start().await;
    let posted = world.invite_contacts(&world.contacts(4)).await;
    let path = format!("/api/batches/{}?top=4", posted.batch());
    let page = world.get(&path).await;
    assert_eq!(page.outcomes().len(), 4);
    assert_eq!(page.json().get("nextCursor"), None::<&Value>);
}

fn assert_accepted(answer: &Answer) {
    assert_eq!(answer.status, 202, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body.get("results"), None::<&Value>);
    assert_eq!(body.get("ok"), None::<&Value>, "nobody knows yet");
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((5..=600).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn work_that_takes_longer_is_answered_by_where_to_ask_and_when() {
    for forwarding in [Forwarding::Proxy, Forwarding::Forward] {
        let setup = Setup {
            forwarding,
            ..slow()
        };
        let world = setup.start().await;
        let people = world.contacts(3);
        let body = json!({"contactIds": people, "requestedBy": "Ida"}).to_string();
        let path = "/api/invitations?code=a-secret-key";
        let posted = world
            .request(Method::POST, path, &[], Some(body.into_bytes()))
            .await;
        assert_accepted(&posted);
        let counts = &posted.json()["counts"];
        assert_eq!(
            (&counts["sent"], &counts["pending"]),
            (&json!(1), &json!(2))
        );
        assert_eq!(posted.json()["requestedBy"], "Ida");
        assert_eq!(
            posted.header("retry-after"),
            "120",
            "two letters, one a minute"
        );
        let location: Url = posted.header("location").parse().unwrap();
        assert_eq!(location.origin(), world.host.url().origin());
        assert_eq!(location.path(), format!("/api/batches/{}", posted.batch()));
        assert_eq!(location.query(), None, "no key in it");
        let batch = world.get(location.as_str()).await;
        assert_accepted(&batch);
        assert_eq!(batch.json(), posted.json());
        assert_eq!(batch.header("location"), location.as_str());
    }
}

#[tokio::test]
async fn progress_never_goes_backwards_and_ends_with_every_letter_sent_once() {
    let world = slow().start().await;
    let people = world.contacts(4);
    let posted = world.invite_contacts(&people).await;
    assert_accepted(&posted);
    let path = format!("/api/batches/{}", posted.batch());
    let (mut told, mut settled) = (posted, 0);
    for _ in 0..10 {
        let counts = told.json()["counts"].clone();
        let count = |name: &str| counts[name].as_u64().unwrap();
        assert_eq!(count("requested"), 4);
        assert_eq!(count("sent") + count("pending"), 4, "{counts}");
        assert!(count("sent") >= settled, "{counts}");
        settled = count("sent");
        if told.status == 200 {
            break;
        }
        assert_accepted(&told);
        // A new process has the whole minute's letter free: no need to wait for it here.
        world.restart().await;
        world.dispatch().await;
        told = world.get(&path).await;
    }
    assert_eq!(told.status, 200);
    assert_eq!(told.outcomes(), ["sent"; 4]);
    world.assert_each_has_one_letter_and_row(&people);
}

#[tokio::test]
async fn the_same_key_tells_how_far_an_unfinished_batch_is() {
    let world = slow().start().await;
    let people = world.contacts(3);
    let body = json!({ "contactIds": people });
    let first = world.invite_keyed("k", &body).await;
    let again = world.invite_keyed("k", &body).await;
    assert_accepted(&first);
    assert_accepted(&again);
    assert_eq!(again.batch(), first.batch());
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(world.stored("open").len(), 1);
}
