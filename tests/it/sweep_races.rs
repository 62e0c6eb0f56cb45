//! The sweep among others: rows that change under it, other sweeps, many pages, and answers that get lost.

use std::sync::Arc;

use http::Method;
use sandbox::faults::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::process::run;
use crate::world::World;

const PAST: &str = "2020-02-29T22:00:00Z";
const REDEEMED: i32 = 756_150_001;

fn expired(world: &World, count: usize) -> Vec<Uuid> {
    let row = |place| {
        json!({
            "adx_name": format!("Expired {place}"),
            "adx_type": 756_150_000,
            "adx_invitationcode": format!("code-{place}"),
            "adx_expirydate": PAST,
            "statuscode": 756_150_000,
        })
    };
    let rows = (0..count).map(|place| {
        world
            .sandbox
            .dataverse
            .insert("adx_invitations", &row(place))
    });
    rows.collect()
}

fn row(world: &World, id: Uuid) -> Value {
    world.sandbox.dataverse.row("adx_invitations", id).unwrap()
}

fn open(world: &World) -> usize {
    let rows = world.sandbox.dataverse.rows("adx_invitations");
    rows.iter().filter(|row| row["statecode"] == 0).count()
}

/// The first write of a sweep meets this.
fn first_write(fault: Fault) -> Rule {
    Rule::on(Service::Dataverse, fault)
        .method(Method::PATCH)
        .inside_batch()
        .times(1)
}

#[tokio::test]
async fn a_row_that_changes_between_reading_and_closing_is_left_alone() {
    let world = World::start().await;
    let [redeemed, resent, deleted, renamed, expired] = expired(&world, 5)[..] else {
        unreachable!()
    };
    let dataverse = world.sandbox.dataverse.clone();
    let meanwhile = move || {
        let change = |id, values| dataverse.change("adx_invitations", id, &values);
        change(
            redeemed,
            json!({"statuscode": REDEEMED, "adx_redemptions": 1}),
        );
        change(resent, json!({"adx_expirydate": "2099-12-31T22:00:00Z"}));
        change(renamed, json!({"adx_name": "Renamed"}));
        dataverse.delete("adx_invitations", deleted);
    };
    world
        .sandbox
        .faults
        .add(first_write(Fault::Call(Arc::new(meanwhile))));
    let tally = world.sweep().await.body["tally"].clone();
    assert_eq!(
        (&tally["closed"], &tally["changed"]),
        (&json!(1), &json!(4))
    );
    assert_eq!(tally["failed"], 0);
    assert_eq!(row(&world, expired)["statecode"], 1);
    assert_eq!(row(&world, redeemed)["statuscode"], REDEEMED);
    assert_eq!(row(&world, resent)["statecode"], 0);
    assert_eq!(row(&world, renamed)["statecode"], 0, "left to the next run");
    assert_eq!(world.sandbox.dataverse.writes(), 1);
    let next = world.sweep().await.body["tally"].clone();
    assert_eq!((&next["examined"], &next["closed"]), (&json!(1), &json!(1)));
    assert_eq!(row(&world, renamed)["statecode"], 1);
    assert_eq!(row(&world, redeemed)["statuscode"], REDEEMED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_whole_sweep_of_another_process_between_reading_and_closing_harms_nothing() {
    let world = World::start().await;
    let rows = expired(&world, 120);
    let world = Arc::new(world);
    let (other, stage) = (tokio::runtime::Handle::current(), Arc::downgrade(&world));
    let sweep_elsewhere = move || {
        let world = stage.upgrade().unwrap();
        let output = tokio::task::block_in_place(|| other.block_on(run(&world, &["sweep"], &[])));
        assert!(output.status.success());
    };
    world
        .sandbox
        .faults
        .add(first_write(Fault::Call(Arc::new(sweep_elsewhere))));
    let tally = world.sweep().await.body["tally"].clone();
    assert_eq!(
        (&tally["closed"], &tally["changed"]),
        (&json!(0), &json!(120))
    );
    assert_eq!(open(&world), 0);
    assert_eq!(
        world.sandbox.dataverse.writes(),
        120,
        "no row is written twice"
    );
    assert!(
        rows.iter()
            .all(|id| row(&world, *id)["adx_invitationcode"].is_string())
    );
}

#[tokio::test]
async fn overlapping_and_late_runs_close_each_row_once() {
    let world = World::start().await;
    expired(&world, 250);
    let handler = world.handler("/function-sweep");
    let late = r#"{"Data":{"timer":{"ScheduleStatus":null,"IsPastDue":true}},"Metadata":{}}"#;
    let runs = futures::future::join_all((0..3).map(|_| handler.post(late))).await;
    assert!(runs.iter().all(|run| run.status == 200));
    let closed: i64 = (runs.iter())
        .map(|run| run.json()["tally"]["closed"].as_i64().unwrap())
        .sum();
    assert_eq!(closed, 250);
    assert_eq!(open(&world), 0);
    assert_eq!(world.sandbox.dataverse.writes(), 250);
}

#[tokio::test]
async fn more_rows_than_fit_on_a_page_are_all_closed() {
    let world = World::start().await;
    expired(&world, 5_010);
    world
        .sandbox
        .dataverse
        .configure(|settings| settings.requests_per_window = 100_000);
    let tally = world.sweep().await.body["tally"].clone();
    assert_eq!(tally["closed"], 5_010, "{tally}");
    assert_eq!(tally["more"], false);
    assert_eq!(open(&world), 0);
    let pages = world.sandbox.traffic.entries();
    let pages = pages
        .iter()
        .filter(|entry| entry.path.contains("adx_invitations?"));
    assert_eq!(pages.count(), 2);
}

#[tokio::test]
async fn answers_that_get_lost_neither_stop_a_sweep_nor_make_it_write_twice() {
    let refuse = |status, retry_after_seconds, effect| Fault::Answer {
        status,
        retry_after_seconds,
        code: "0x80072322".to_owned(),
        effect,
    };
    let faults = [
        Fault::DropBefore,
        Fault::DropAfter,
        refuse(429, Some(1), false),
        refuse(503, None, false),
        refuse(502, None, true),
    ];
    // The reading, the first call, and the larger ones that follow it.
    let struck = [("adx_invitations?", 0), ("$batch", 0), ("$batch", 1)];
    for fault in faults {
        let world = World::start().await;
        // A first run, so that what follows is the reading and the writing of rows only.
        world.sweep().await;
        expired(&world, 1_300);
        for (what, skipped) in struck {
            let rule = Rule::on(Service::Dataverse, fault.clone()).path(what);
            world.sandbox.faults.add(rule.skip(skipped).times(1));
        }
        let tally = world.sweep().await.body["tally"].clone();
        assert_eq!(open(&world), 0, "{fault:?}");
        assert_eq!(world.sandbox.dataverse.writes(), 1_300, "{fault:?}");
        // Rows closed by a try whose answer was lost look changed to the next try.
        let (closed, changed) = (&tally["closed"], &tally["changed"]);
        assert_eq!(closed.as_i64().unwrap() + changed.as_i64().unwrap(), 1_300);
        assert_eq!(tally["failed"], 0, "{fault:?}");
    }
}

#[tokio::test]
async fn operations_throttled_inside_a_large_call_are_repeated_and_no_others() {
    let world = World::start().await;
    expired(&world, 1_000);
    let throttled = Fault::Answer {
        status: 429,
        retry_after_seconds: Some(1),
        code: "0x80072321".to_owned(),
        effect: false,
    };
    let rule = Rule::on(Service::Dataverse, throttled).method(Method::PATCH);
    let rule = rule.inside_batch().skip(400).times(300);
    world.sandbox.faults.add(rule);
    let tally = world.sweep().await.body["tally"].clone();
    assert_eq!(tally["closed"], 1_000, "{tally}");
    assert_eq!(
        (&tally["changed"], &tally["more"]),
        (&json!(0), &json!(false))
    );
    let operations = world.sandbox.traffic.entries();
    let operations: Vec<_> = (operations.iter())
        .map(|entry| entry.operations)
        .filter(|operations| *operations >= 100)
        .collect();
    assert_eq!(operations, [100, 900, 300]);
}

#[tokio::test]
async fn a_row_that_dataverse_will_not_close_does_not_stop_the_others() {
    let world = World::start().await;
    let rows = expired(&world, 3);
    let refused = Fault::Answer {
        status: 400,
        retry_after_seconds: None,
        code: "0x80040265".to_owned(),
        effect: false,
    };
    let one = Rule::on(Service::Dataverse, refused).path(&rows[1].to_string());
    world.sandbox.faults.add(one.inside_batch().times(1));
    let body = world.sweep().await.body;
    assert_eq!(body["tally"]["closed"], 2);
    assert_eq!(body["tally"]["failed"], 1);
    assert_eq!(open(&world), 1);
    assert_eq!(world.sweep().await.body["tally"]["closed"], 1);
}

#[tokio::test]
async fn a_sweep_that_cannot_read_fails_the_timer_and_closes_nothing() {
    let world = World::start().await;
    expired(&world, 3);
    world
        .sandbox
        .dataverse
        .deny("adx_invitations", sandbox::dataverse::Verb::Read);
    let failed = world.host.fire("function-sweep").await.unwrap_err();
    let text = failed.to_string();
    assert!(text.contains("status"), "{text}");
    assert_eq!(world.sandbox.dataverse.writes(), 0);
}
