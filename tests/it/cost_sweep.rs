//! What a large table costs: the sweep of it, a page of the list, and a page of a batch's results.

use sandbox::Service;
use serde_json::{Value, json};

use crate::cost::peak_memory;
use crate::world::{Setup, World};

async fn world() -> World {
    let world = Setup::default()
        .setting("ALLOW_LINKS", "true")
        .setting("RUST_LOG", "info")
        .start()
        .await;
    // What a process reads once is not what this is about.
    assert_eq!(world.get("/api/invitations").await.status, 200);
    world.sandbox.traffic.clear();
    world
}

/// Adds so many invitations that were sent; what else they hold depends on their place.
fn fill(world: &World, count: usize, differs: impl Fn(usize) -> Value) {
    for place in 0..count {
        let mut row = json!({
            "adx_name": format!("Invitation {place}"),
            "adx_type": 756_150_000,
            "adx_invitationcode": format!("a-code-of-forty-three-characters-{place:011}"),
            "statuscode": 756_150_000,
            "adx_maximumredemptions": 1,
            "importsequencenumber": 1_234_567_890,
        });
        let row_map = row.as_object_mut().unwrap();
        row_map.extend(differs(place).as_object().unwrap().clone());
        world.sandbox.dataverse.insert("adx_invitations", &row);
    }
}

/// Requests to Dataverse, and the bytes of its answers.
fn traffic(world: &World) -> (usize, usize) {
    let entries = world.sandbox.traffic.entries();
    let entries = entries
        .iter()
        .filter(|entry| entry.service == Service::Dataverse);
    entries.fold((0, 0), |(requests, bytes), entry| {
        (requests + 1, bytes + entry.answer_bytes)
    })
}

/// A page for each 5,000 rows, a call for each 1,000 of them, and one more to learn how long they take: 121 requests for
/// 100,000 rows.
fn requests_for(rows: usize) -> usize {
    rows.div_ceil(5_000) + rows.div_ceil(1_000) + 1
}

#[tokio::test]
async fn a_sweep_takes_a_request_for_each_thousand_rows_and_memory_for_a_page_of_them() {
    let mut peaks = Vec::new();
    for rows in [1_000, 5_000, 20_000] {
        let world = world().await;
        fill(
            &world,
            rows,
            |_| json!({"adx_expirydate": "2020-02-29T22:00:00Z"}),
        );
        let before = peak_memory(&world);
        let tally = world.sweep().await.body["tally"].clone();
        assert_eq!(
            (&tally["closed"], &tally["more"]),
            (&json!(rows), &json!(false))
        );
        let (requests, _) = traffic(&world);
        let grown = peak_memory(&world) - before;
        println!("{rows} rows: {requests} requests, {grown} KiB");
        assert!(
            requests <= requests_for(rows),
            "{requests} requests for {rows} rows"
        );
        peaks.push(grown);
    }
    assert_eq!(requests_for(100_000), 121);
    assert!(peaks[2] < 24_576, "{peaks:?} KiB for a sweep");
    assert!(
        peaks[2] - peaks[1] < 8_192,
        "{peaks:?} KiB: it grows with the rows"
    );
}

#[tokio::test]
async fn a_page_of_the_list_reads_little_more_than_it_shows_however_large_the_table_is() {
    let world = world().await;
    // A hundred rows a second, a tenth of them redeemed, closed at their expiry, and revoked.
    fill(&world, 20_000, |place| {
        let created =
            jiff::Timestamp::from_second(1_790_000_000 + i64::try_from(place / 100).unwrap());
        let mut row = match place % 10 {
            0 => json!({"statuscode": 756_150_001, "adx_redemptions": 1}),
            1 => json!({"statecode": 1, "statuscode": 2, "adx_expirydate": "2020-02-29T22:00:00Z"}),
            2 => json!({"statecode": 1, "statuscode": 2, "adx_invitationcode": null}),
            _ => json!({"adx_expirydate": "2099-02-28T22:00:00Z"}),
        };
        row["createdon"] = json!(created.unwrap().to_string());
        row
    });
    for filter in [
        "",
        "&standing=pending",
        "&standing=redeemed",
        "&standing=expired",
        "&standing=revoked",
    ] {
        world.sandbox.traffic.clear();
        let answer = world
            .get(&format!("/api/invitations?top=500{filter}"))
            .await;
        assert_eq!(
            answer.json()["value"].as_array().unwrap().len(),
            500,
            "{filter}"
        );
        let (requests, bytes) = traffic(&world);
        println!("500 of 20,000 rows {filter}: {requests} requests, {bytes} bytes");
        assert!(requests <= 4, "{requests} requests {filter}");
        assert!(bytes < 2_000_000, "{bytes} bytes {filter}");
    }
}

#[tokio::test]
async fn a_page_of_results_reads_the_links_that_it_shows_and_no_other_rows() {
    let world = world().await;
    let contacts = world.contacts(2_000);
    let body = json!({"contactIds": contacts, "sendEmail": false});
    let number = world.invite(&body).await.batch();
    world.dispatch_until_idle().await;
    let page = async |query: &str| {
        world.sandbox.traffic.clear();
        let answer = world.get(&format!("/api/batches/{number}?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let results = answer.json()["results"].as_array().unwrap().clone();
        let linked = results
            .iter()
            .filter(|entry| entry["redeemUrl"].is_string());
        assert_eq!(linked.count(), results.len(), "every one has its link");
        (
            results.len(),
            answer.json()["nextCursor"].clone(),
            traffic(&world),
        )
    };
    let (shown, next, (requests, bytes)) = page("top=100&cursor=1850").await;
    assert_eq!((shown, next, requests), (100, json!("1950"), 1));
    assert!(bytes < 100_000, "{bytes} bytes for a hundred rows");
    let (shown, next, (requests, _)) = page("top=100&cursor=1950").await;
    assert_eq!((shown, next, requests), (50, Value::Null, 1));
    let (shown, _, (requests, _)) = page("outcome=failed").await;
    assert_eq!((shown, requests), (0, 0), "nothing to read");
    let (shown, _, (requests, _)) = page("top=5000").await;
    assert_eq!((shown, requests), (2_000, 1), "a page of the whole batch");
}
