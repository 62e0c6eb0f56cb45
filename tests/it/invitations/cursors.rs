//! Cursors: where they lead, and which are refused.

use serde_json::json;

use super::insert;
use crate::world::World;

#[tokio::test]
async fn pages_follow_each_other_newest_first_to_the_end() {
    let world = World::start().await;
    let mut expected = Vec::new();
    for second in 0..7 {
        let created = format!("2026-05-01T10:00:{:02}Z", 50 - second);
        expected.push(insert(&world, &json!({"createdon": created})));
    }
    let mut found = Vec::new();
    let mut query = "?top=2".to_owned();
    for entries in [2, 2, 2, 1] {
        let answer = world.list(&query).await;
        assert_eq!(answer.ids().len(), entries);
        found.extend(answer.ids());
        let cursor = answer.json()["nextCursor"].clone();
        query = format!("?top=2&cursor={}", cursor.as_str().unwrap_or("none"));
    }
    assert_eq!(found, expected);
    assert_eq!(query, "?top=2&cursor=none", "the last page has no cursor");
}

#[tokio::test]
async fn a_full_last_page_says_that_it_is_the_last() {
    let world = World::start().await;
    for _ in 0..4 {
        insert(&world, &json!({}));
    }
    let answer = world.list("?top=4").await;
    assert_eq!(answer.ids().len(), 4);
    assert!(answer.json().get("nextCursor").is_none(), "{}", answer.text);
}

#[tokio::test]
async fn a_cursor_of_another_filter_or_a_changed_one_is_refused() {
    let world = World::start().await;
    for _ in 0..4 {
        insert(&world, &json!({}));
    }
    let answer = world.list("?standing=pending&top=2").await.json();
    let cursor = answer["nextCursor"].as_str().unwrap();
    let path = format!("?standing=pending&cursor={cursor}");
    assert_eq!(
        world.list(&path).await.ids().len(),
        2,
        "it is good at first"
    );
    let other = if cursor.contains('A') {
        ('A', "B")
    } else {
        ('B', "A")
    };
    for query in [
        format!("?cursor={cursor}"),
        format!("?standing=unsent&cursor={cursor}"),
        format!("?standing=pending&batch=1000000000&cursor={cursor}"),
        format!(
            "?standing=pending&cursor={}",
            cursor.replacen(other.0, other.1, 1)
        ),
        format!("?standing=pending&cursor={}", &cursor[1..]),
        format!("?standing=pending&cursor={cursor}AAAA"),
        "?standing=pending&cursor=".to_owned(),
        "?standing=pending&cursor=2".to_owned(),
    ] {
        let answer = world.list(&query).await;
        answer.assert_problem(400, "invalidRequest");
        assert_eq!(answer.wrong_fields(), ["cursor"], "{query}");
    }
}

#[tokio::test]
async fn a_page_may_be_short_where_the_wanted_rows_are_rare_and_the_walk_still_ends() {
    let world = World::start().await;
    // Each is asked for with those that expired, and only the domain tells them apart.
    let closed = json!({
        "statecode": 1, "statuscode": 2, "adx_invitationcode": null,
        "adx_expirydate": "2020-02-29T22:00:00Z",
    });
    for place in 0..1_500 {
        let mut row = closed.clone();
        let (minute, second) = (place / 60, place % 60);
        row["createdon"] = json!(format!("2026-05-01T10:{minute:02}:{second:02}Z"));
        insert(&world, &row);
    }
    let mut expected = closed.clone();
    expected["adx_invitationcode"] = json!("secret-code");
    expected["createdon"] = json!("2026-04-01T10:00:00Z");
    let expected = insert(&world, &expected);
    let mut found = Vec::new();
    let mut cursor = String::new();
    let mut pages = 0;
    loop {
        let answer = world
            .list(&format!("?standing=expired&top=1{cursor}"))
            .await;
        found.extend(answer.ids());
        pages += 1;
        let json = answer.json();
        let Some(next) = json["nextCursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
        assert!(pages < 10, "a walk without an end");
    }
    assert_eq!(found, [expected]);
    assert!(pages > 1, "one answer does not read everything");
}
