//! Bulk: what a batch costs a contact, from a hundred contacts to as many as one request takes.

use std::time::Duration;

use sandbox::Latency;
use serde_json::json;

use super::{as_figure, each};
use crate::clock;
use crate::row::{Aim, Row, Unit};
use crate::sizes::Sizes;
use crate::stage::{Setup, Stage, Subjects};
use crate::table::{Chapter, grouped};

/// The batch that the aim for processor time is set for.
const AIMED_AT: usize = 2_000;

/// Batches from here on are bulk: chunks are full, and what a call costs once no longer counts.
const BULK: usize = 1_000;

/// What a batch cost a contact; memory in KiB of the process.
#[derive(Clone, Copy, Debug)]
struct Cost {
    contacts: usize,
    dataverse: f64,
    graph: f64,
    processor: f64,
    peak: f64,
    took: Duration,
}

pub(crate) async fn measure(subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<Chapter> {
    let (mut rows, mut largest) = (Vec::new(), None);
    let (mut flow, mut flow_parallel) = (None, None);
    for &count in &sizes.bulk {
        let setup = Setup::unlimited(subjects, count);
        let ours = typical(&setup, count).await?;
        if count <= sizes.flow_bulk {
            flow = Some(theirs(&setup, count, 1).await?);
            flow_parallel = Some(theirs(&setup, count, 50).await?);
        }
        if let (Some(flow), Some(flow_parallel)) = (flow, flow_parallel) {
            rows.extend(letter_rows(&ours, &flow, &flow_parallel));
        }
        largest = Some(ours);
        let setup = Setup::unlimited(subjects, count);
        rows.push(planning_row(&self::ours(&setup, count, false).await?));
    }
    if let Some(largest) = &largest {
        rows.push(growth(subjects, sizes, largest).await?);
    }
    rows.extend(acceptance(subjects, sizes).await?);
    Ok(Chapter {
        title: "Bulk",
        how: "A new process for each batch, tokens and names of tables read before; limits of the services lifted, so that our own cost shows; without latency but for the last rows. Dataverse requests are those of the whole life: finding, planning, creating, reading before each letter, marking. The flow's figures marked ~ are worked out from its largest batch.".to_owned(),
        rows,
    })
}

/// Of three runs the one with the middle processor time, where an aim is set for it; else one run.
async fn typical(setup: &Setup<'_>, count: usize) -> anyhow::Result<Cost> {
    let mut costs = vec![ours(setup, count, true).await?];
    while count == AIMED_AT && costs.len() < 3 {
        costs.push(ours(setup, count, true).await?);
    }
    costs.sort_by(|one, two| one.processor.total_cmp(&two.processor));
    Ok(costs[costs.len() / 2])
}

async fn ours(setup: &Setup<'_>, count: usize, letters: bool) -> anyhow::Result<Cost> {
    let stage = setup.ours().await?;
    let contacts = stage.contacts(count);
    stage.warm().await?;
    let (begun, before) = (clock::now(), stage.program.processor_time()?);
    stage
        .invite(&json!({"contactIds": contacts, "sendEmail": letters}))
        .await?;
    stage.finish().await?;
    cost(&stage, count, begun.elapsed(), before)
}

async fn theirs(setup: &Setup<'_>, count: usize, parallel: usize) -> anyhow::Result<Cost> {
    let stage = setup.flow().await?;
    let contacts = stage.contacts(count + 1);
    stage.flow_invites(&contacts[count..], 1).await?;
    stage.requests();
    let (begun, before) = (clock::now(), stage.program.processor_time()?);
    stage.flow_invites(&contacts[..count], parallel).await?;
    cost(&stage, count, begun.elapsed(), before)
}

fn cost(stage: &Stage, contacts: usize, took: Duration, before: Duration) -> anyhow::Result<Cost> {
    let processor = stage.program.processor_time()?.saturating_sub(before);
    let requests = stage.requests();
    let mean = |total| as_figure(total) / as_figure(contacts);
    Ok(Cost {
        contacts,
        dataverse: mean(requests.dataverse),
        graph: mean(requests.graph),
        processor: each(processor, contacts),
        peak: stage.program.memory()?.peak,
        took,
    })
}

fn letter_rows(ours: &Cost, flow: &Cost, parallel: &Cost) -> [Row; 5] {
    let count = ours.contacts;
    let what = |what: &str| format!("{} contacts: {what}", grouped(count));
    let row = |what, unit, of: fn(&Cost) -> f64| {
        let row = Row::cost(what, unit, of(ours));
        if flow.contacts == count {
            row.flow(of(flow)).flow_parallel(of(parallel))
        } else {
            row.scaled(of(flow), of(parallel))
        }
    };
    let aimed = |row: Row, aimed: bool, limit| {
        if aimed {
            row.aim(Aim::AtMost(limit))
        } else {
            row
        }
    };
    let times = as_figure(count) / as_figure(flow.contacts);
    let seconds = Row::cost(
        what("until the last letter"),
        Unit::Seconds,
        ours.took.as_secs_f64(),
    );
    let processor = row(what("processor time each"), Unit::Milliseconds, |it| {
        it.processor
    });
    let dataverse = row(what("Dataverse requests each"), Unit::Requests, |it| {
        it.dataverse
    });
    let graph = row(what("Graph requests each"), Unit::Requests, |it| it.graph);
    let peak = Row::cost(what("peak memory"), Unit::Megabytes, ours.peak * 1.024e-3);
    [
        aimed(processor, count == AIMED_AT, 0.25),
        aimed(dataverse, count >= BULK, 0.15),
        aimed(graph, count >= BULK, 0.15),
        if flow.contacts == count {
            peak.flow(flow.peak * 1.024e-3)
                .flow_parallel(parallel.peak * 1.024e-3)
        } else {
            peak
        },
        if flow.contacts == count {
            seconds
                .flow(flow.took.as_secs_f64())
                .flow_parallel(parallel.took.as_secs_f64())
        } else {
            seconds.scaled(
                flow.took.as_secs_f64() * times,
                parallel.took.as_secs_f64() * times,
            )
        },
    ]
}

/// Planning and creating alone, the links read for the caller; the flow reads a contact and creates a row, one by one.
fn planning_row(ours: &Cost) -> Row {
    let what = format!(
        "{} contacts, no letters: Dataverse requests each",
        grouped(ours.contacts)
    );
    let row = Row::cost(what, Unit::Requests, ours.dataverse).scaled(2.0, 2.0);
    if ours.contacts < BULK {
        return row;
    }
    row.aim(Aim::AtMost(0.04))
}

/// Bytes of peak memory that each contact more costs; the chunks in flight, which each sender adds, are the same.
async fn growth(subjects: &Subjects, sizes: &Sizes, large: &Cost) -> anyhow::Result<Row> {
    let bulk = sizes.bulk.iter().find(|count| **count >= BULK);
    let count = bulk.or(sizes.bulk.first()).copied().unwrap_or(BULK);
    let setup = Setup {
        senders: Setup::unlimited(subjects, large.contacts).senders,
        ..Setup::unlimited(subjects, count)
    };
    let small = ours(&setup, count, true).await?;
    let more = as_figure(large.contacts - count).max(1.0);
    let bytes = (large.peak - small.peak) * 1_024.0 / more;
    let what = format!(
        "memory of each contact from {} to {}, {} senders",
        grouped(count),
        grouped(large.contacts),
        setup.senders
    );
    Ok(Row::cost(what, Unit::Bytes, bytes).aim(Aim::AtMost(2_000.0)))
}

/// How long a caller waits whose batch goes on without it, with latency.
async fn acceptance(subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<Vec<Row>> {
    let setup = Setup {
        latency: Latency::Realistic,
        limits: true,
        inline_seconds: 1,
        senders: 1,
        ..Setup::unlimited(subjects, 1)
    };
    let patience = sizes.flow_patience;
    let (one_by_one, at_once) = flow_waits(&setup, patience).await?;
    let mut rows = Vec::new();
    for &count in &sizes.bulk {
        let stage = setup.ours().await?;
        let contacts = stage.contacts(count);
        let begun = clock::now();
        stage.invite(&json!({"contactIds": contacts})).await?;
        let waited = begun.elapsed().as_secs_f64();
        let times = as_figure(count) / as_figure(patience);
        let what = format!(
            "{} contacts, with latency: caller has its answer",
            grouped(count)
        );
        let row = Row::cost(what, Unit::Seconds, waited);
        rows.push(row.scaled(one_by_one * times, at_once * times));
    }
    Ok(rows)
}

/// Seconds that the flow takes for so many contacts, one by one and fifty at once.
async fn flow_waits(setup: &Setup<'_>, count: usize) -> anyhow::Result<(f64, f64)> {
    let mut seconds = [0.0; 2];
    for (seconds, parallel) in seconds.iter_mut().zip([1, 50]) {
        let stage = setup.flow().await?;
        let contacts = stage.contacts(count);
        let begun = clock::now();
        stage.flow_invites(&contacts, parallel).await?;
        *seconds = begun.elapsed().as_secs_f64();
    }
    Ok(seconds.into())
}
