//! A long walk through the list, while rows are added, redeemed, revoked and closed.

use std::collections::BTreeMap;

use http::Method;
use sandbox::Service;
use serde_json::{Value, json};
use uuid::Uuid;

use super::insert;
use crate::world::World;

const ROWS: usize = 10_000;

/// Rows of one second: an import, as a page of the list cannot hold it.
const IMPORT: usize = 3_000;

/// What a page may cost, whatever its rows are like.
const REQUESTS_A_PAGE: usize = 5;

fn second(place: usize) -> Value {
    let (minute, second) = (place / 60, place % 60);
    json!(format!(
        "2026-05-01T{:02}:{:02}:{second:02}Z",
        minute / 60,
        minute % 60
    ))
}

/// Ten thousand rows: some seconds hold one, most a dozen, one of them three thousand.
fn stage(world: &World) -> Vec<Uuid> {
    let place = |index: usize| match index {
        0..IMPORT => 400,
        _ => index / 12 + index % 3,
    };
    let row = |index: usize| json!({"createdon": second(place(index)), "adx_invitationcode": format!("code-{index}")});
    (0..ROWS).map(|index| insert(world, &row(index))).collect()
}

/// What others do between two pages; every row stays where it is.
fn meanwhile(world: &World, rows: &[Uuid], page: usize, touched: &mut Vec<Uuid>) -> Vec<Uuid> {
    let dataverse = &world.sandbox.dataverse;
    let change = |id: Uuid, to: &Value| dataverse.change("adx_invitations", id, to);
    for (turn, id) in rows.iter().skip(page * 7).step_by(97).enumerate() {
        touched.push(*id);
        match turn % 3 {
            0 => change(
                *id,
                &json!({"statuscode": 756_150_001, "adx_redemptions": 1}),
            ),
            1 => change(
                *id,
                &json!({"statecode": 1, "statuscode": 2, "adx_invitationcode": null}),
            ),
            _ => change(*id, &json!({"statecode": 1, "statuscode": 2})),
        }
    }
    // New ones, also into seconds that are full, and by a clock that is behind.
    let moments = [
        json!(null),
        second(400),
        second(page * 60),
        second(30 + page),
    ];
    let moments = moments.iter().flat_map(|moment| [moment; 5]);
    moments
        .map(|moment| match moment {
            Value::Null => insert(world, &json!({})),
            moment => insert(world, &json!({"createdon": moment})),
        })
        .collect()
}

struct Walk {
    /// How often each row was met.
    met: BTreeMap<Uuid, usize>,
    added: Vec<Uuid>,
    touched: Vec<Uuid>,
    pages: usize,
}

async fn walk(world: &World, rows: &[Uuid], filter: &str) -> Walk {
    let mut walk = Walk {
        met: BTreeMap::new(),
        added: Vec::new(),
        touched: Vec::new(),
        pages: 0,
    };
    let mut cursor = String::new();
    loop {
        world.sandbox.traffic.clear();
        let answer = world.list(&format!("?top=1000{filter}{cursor}")).await;
        let cost = world.sandbox.traffic.count(Service::Dataverse);
        assert!(
            cost <= REQUESTS_A_PAGE,
            "page {} took {cost} requests",
            walk.pages
        );
        for id in answer.ids() {
            *walk.met.entry(id).or_default() += 1;
        }
        walk.pages += 1;
        let json = answer.json();
        let Some(next) = json["nextCursor"].as_str() else {
            return walk;
        };
        cursor = format!("&cursor={next}");
        let added = meanwhile(world, rows, walk.pages, &mut walk.touched);
        walk.added.extend(added);
    }
}

#[tokio::test]
async fn a_walk_over_ten_thousand_meets_each_exactly_once_while_rows_are_added_and_redeemed() {
    let world = World::start().await;
    // The first page also reads what the environment has.
    world.list("?top=1").await;
    let rows = stage(&world);
    let walk = walk(&world, &rows, "").await;
    for id in &rows {
        assert_eq!(walk.met.get(id), Some(&1), "{id} was there all the time");
    }
    for id in &walk.added {
        assert!(walk.met.get(id).is_none_or(|times| *times == 1), "{id}");
    }
    assert!(walk.pages >= 10 && walk.added.len() > 100 && walk.touched.len() > 500);
    let methods = world.sandbox.traffic.entries();
    assert!(methods.iter().all(|entry| entry.method == Method::POST));
}

#[tokio::test]
async fn a_filtered_walk_meets_what_matched_all_the_time_once_and_nothing_twice() {
    let world = World::start().await;
    world.list("?top=1").await;
    let rows = stage(&world);
    let walk = walk(&world, &rows, "&standing=pending").await;
    assert!(walk.met.values().all(|times| *times == 1));
    for id in rows.iter().filter(|id| !walk.touched.contains(id)) {
        assert!(walk.met.contains_key(id), "{id} was pending all the time");
    }
    assert!(walk.pages >= 9 && walk.touched.len() > 500);
}
