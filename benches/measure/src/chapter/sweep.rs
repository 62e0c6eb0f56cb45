//! The sweep: what closing expired invitations costs, however many there are.

use anyhow::ensure;
use serde_json::json;

use super::as_figure;
use crate::clock::{self, milliseconds};
use crate::row::{Aim, Row, Unit};
use crate::sizes::Sizes;
use crate::stage::{Requests, Setup, Stage, Subjects};
use crate::table::{Chapter, grouped};

/// Long ago.
const EXPIRED: &str = "2020-02-29T22:00:00Z";

/// Rows for which the aim is set.
const AIMED_AT: usize = 100_000;

/// What a sweep cost; memory in KiB.
#[derive(Clone, Copy, Debug)]
struct Cost {
    rows: usize,
    requests: Requests,
    processor: f64,
    peak: f64,
    seconds: f64,
}

pub(crate) async fn measure(subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<Chapter> {
    let (mut rows, mut peaks) = (Vec::new(), Vec::new());
    let (mut flow, mut parallel) = (None, None);
    for &count in &sizes.sweep {
        let ours = ours(subjects, count).await?;
        if count <= sizes.flow_bulk {
            flow = Some(theirs(subjects, count, 1).await?);
            parallel = Some(theirs(subjects, count, 50).await?);
        }
        if let (Some(flow), Some(parallel)) = (flow, parallel) {
            rows.extend(self::rows(&ours, &flow, &parallel));
        }
        peaks.push(ours);
    }
    rows.push(growth(&peaks));
    Ok(Chapter {
        title: "Sweep",
        how: "Rows that are all expired; runs of the timer until nothing is left; no latency. The flow lists the rows and closes each by a request; its figures marked ~ are worked out.".to_owned(),
        rows,
    })
}

async fn ours(subjects: &Subjects, count: usize) -> anyhow::Result<Cost> {
    let stage = Setup::unlimited(subjects, 1).ours().await?;
    stage.warm().await?;
    stage.invitations(count, EXPIRED);
    let (begun, before) = (clock::now(), stage.program.processor_time()?);
    let mut closed = 0;
    while closed < count {
        let tally = stage.fire("function-sweep").await?;
        let more = tally["closed"].as_u64().unwrap_or(0);
        ensure!(more > 0, "the sweep stands still: {tally}");
        closed += usize::try_from(more)?;
    }
    cost(&stage, count, begun, before)
}

async fn theirs(subjects: &Subjects, count: usize, parallel: usize) -> anyhow::Result<Cost> {
    let stage = Setup::unlimited(subjects, 1).flow().await?;
    stage.invitations(count, EXPIRED);
    let (begun, before) = (clock::now(), stage.program.processor_time()?);
    let answer = stage
        .program
        .post("/sweep", &json!({"parallel": parallel}))
        .await?;
    ensure!(
        answer.body["closed"] == count,
        "the flow's sweep failed: {}",
        answer.body
    );
    cost(&stage, count, begun, before)
}

fn cost(
    stage: &Stage,
    rows: usize,
    begun: std::time::Instant,
    before: std::time::Duration,
) -> anyhow::Result<Cost> {
    let processor = stage.program.processor_time()?.saturating_sub(before);
    Ok(Cost {
        rows,
        requests: stage.requests(),
        processor: milliseconds(processor),
        peak: stage.program.memory()?.peak,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

fn rows(ours: &Cost, flow: &Cost, parallel: &Cost) -> [Row; 4] {
    let times = as_figure(ours.rows) / as_figure(flow.rows);
    let row = |what: &str, unit, of: fn(&Cost) -> f64| {
        let row = Row::cost(
            format!("{} rows: {what}", grouped(ours.rows)),
            unit,
            of(ours),
        );
        if flow.rows == ours.rows {
            row.flow(of(flow)).flow_parallel(of(parallel))
        } else {
            row.scaled(of(flow) * times, of(parallel) * times)
        }
    };
    let requests = row("Dataverse requests", Unit::Requests, |it| {
        as_figure(it.requests.dataverse)
    });
    [
        if ours.rows == AIMED_AT {
            requests.aim(Aim::AtMost(130.0))
        } else {
            requests
        },
        row("processor time", Unit::Milliseconds, |it| it.processor),
        row("until all are closed", Unit::Seconds, |it| it.seconds),
        Row::cost(
            format!("{} rows: peak memory", grouped(ours.rows)),
            Unit::Megabytes,
            ours.peak * 1.024e-3,
        ),
    ]
}

/// Bytes of peak memory that each row more costs: next to none, where pages are let go.
fn growth(costs: &[Cost]) -> Row {
    let bytes = costs
        .first()
        .zip(costs.last())
        .map_or(0.0, |(small, large)| {
            (large.peak - small.peak).max(0.0) * 1_024.0 / as_figure(large.rows)
        });
    Row::cost("memory of each row more", Unit::Bytes, bytes)
}
