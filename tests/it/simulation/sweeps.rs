//! Sweeps of a Dataverse that is slow, or that throttles: what a run manages, and that the next one goes on.

use std::time::Duration;

use http::Method;
use portal_invite::service::sweep::SweepTally;
use sandbox::{Fault, Rule, Service as Remote};
use serde_json::json;

use super::Simulation;

/// A stage with so many expired invitations.
fn expired(count: usize) -> Simulation {
    let simulation = Simulation::start(&["a@contoso.example"]);
    for place in 0..count {
        let row = json!({
            "adx_name": "Expired",
            "adx_type": 756_150_000,
            "adx_invitationcode": format!("code {place}"),
            "adx_expirydate": "2026-11-01T22:00:00Z",
            "statuscode": 756_150_000,
        });
        simulation.sandbox.dataverse.insert("adx_invitations", &row);
    }
    simulation
}

impl Simulation {
    /// One run, which ends in time.
    async fn sweep(&self) -> SweepTally {
        let start = self.clock.now();
        let tally = self.service.sweep().await.unwrap();
        let took = self.clock.now().duration_since(start);
        assert!(took.as_secs() <= 50, "{took:?}");
        tally
    }

    fn open_rows(&self) -> usize {
        let rows = self.sandbox.dataverse.rows("adx_invitations");
        rows.iter().filter(|row| row["statecode"] == 0).count()
    }

    fn dataverse_requests(&self) -> usize {
        self.sandbox.traffic.count(Remote::Dataverse)
    }
}

#[tokio::test(start_paused = true)]
async fn a_sweep_stops_at_its_deadline_and_the_next_one_goes_on() {
    let simulation = expired(1_000);
    let slow = Fault::Delay(Duration::from_secs(10));
    (simulation.sandbox.faults).add(Rule::on(Remote::Dataverse, slow));
    let (mut closed, mut runs) = (0, 0);
    loop {
        let tally = simulation.sweep().await;
        (closed, runs) = (closed + tally.closed, runs + 1);
        assert_eq!((tally.changed, tally.failed), (0, 0));
        if !tally.more {
            break;
        }
    }
    assert_eq!(closed, 1_000, "no call was cut off");
    assert!(
        runs > 1,
        "a thousand rows take more than one run at this speed"
    );
    assert_eq!(simulation.open_rows(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_closes_as_many_rows_as_time_allows_however_long_a_write_takes() {
    for (milliseconds, rows, least_a_run, most_requests) in [
        (1, 20_000, 20_000, 30),
        (25, 12_000, 6_000, 40),
        (50, 6_000, 3_000, 40),
        (400, 600, 80, 40),
    ] {
        let simulation = expired(rows);
        let each = Duration::from_millis(milliseconds);
        (simulation.sandbox.dataverse).configure(|rules| rules.times.row_written = each);
        let mut left = rows;
        while left > 0 {
            simulation.sandbox.traffic.clear();
            let tally = simulation.sweep().await;
            // What a cut off call had closed would look changed to the next one.
            assert_eq!((tally.changed, tally.failed), (0, 0), "{each:?}");
            assert!(tally.closed >= left.min(least_a_run), "{each:?} {tally:?}");
            left -= tally.closed;
            assert_eq!(simulation.open_rows(), left);
            assert_eq!(tally.more, left > 0, "{each:?} {tally:?}");
            let requests = simulation.dataverse_requests();
            println!(
                "{each:?}: {} of {rows} rows by {requests} requests",
                tally.closed
            );
            assert!(requests <= most_requests, "{requests} requests in a run");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_dataverse_throttles_are_left_to_the_next_run_and_count_as_no_failure() {
    let simulation = expired(3_000);
    let throttled = Fault::Answer {
        status: 429,
        retry_after_seconds: Some(600),
        code: "0x80072321".to_owned(),
        effect: false,
    };
    let rule = Rule::on(Remote::Dataverse, throttled).method(Method::PATCH);
    let rule = rule.inside_batch().skip(1_000).times(500);
    simulation.sandbox.faults.add(rule);
    let tally = simulation.sweep().await;
    assert_eq!((tally.changed, tally.failed, tally.more), (0, 0, true));
    assert_eq!(tally.closed, 2_500, "those that were carried out");
    assert_eq!(simulation.open_rows(), 500);
    let requests = simulation.dataverse_requests();
    let early = simulation.sweep().await;
    assert_eq!((early.closed, early.more), (0, true));
    let asked = simulation.dataverse_requests() - requests;
    assert_eq!(asked, 0, "whoever asks before the time only waits longer");
    tokio::time::sleep(Duration::from_mins(10)).await;
    let next = simulation.sweep().await;
    assert_eq!((next.examined, next.closed, next.more), (500, 500, false));
}
