//! One invitation: what a call for a single contact costs, its letter included.

use std::fs;

use anyhow::{Context as _, ensure};
use sandbox::Latency;
use serde_json::json;
use uuid::Uuid;

use super::{as_figure, each, median};
use crate::clock::{self, milliseconds};
use crate::row::{Row, Unit};
use crate::sizes::Sizes;
use crate::stage::{Setup, Stage, Subjects};
use crate::table::Chapter;

/// What an invitation cost, on average.
struct Cost {
    dataverse: f64,
    graph: f64,
    bytes: f64,
    processor: f64,
}

pub(crate) async fn measure(subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<Chapter> {
    let quick = Setup::unlimited(subjects, sizes.singles);
    let ours = cost(&quick.ours().await?, sizes.singles, false).await?;
    let flow = cost(&quick.flow().await?, sizes.singles, true).await?;
    let modelled = Setup {
        latency: Latency::Realistic,
        ..quick.clone()
    };
    let few = sizes.singles.div_ceil(10);
    let ours_waits = waits(&modelled.ours().await?, few, false).await?;
    let flow_waits = waits(&modelled.flow().await?, few, true).await?;
    let row = |what, unit, ours, flow| Row::cost(what, unit, ours).flow(flow);
    let mut rows = vec![
        row(
            "Dataverse requests",
            Unit::Requests,
            ours.dataverse,
            flow.dataverse,
        ),
        row("Graph requests", Unit::Requests, ours.graph, flow.graph),
        row(
            "bytes of bodies, both ways",
            Unit::Bytes,
            ours.bytes,
            flow.bytes,
        ),
        row(
            "processor time",
            Unit::Milliseconds,
            ours.processor,
            flow.processor,
        ),
        row(
            "caller waits, with latency (median)",
            Unit::Milliseconds,
            ours_waits,
            flow_waits,
        ),
    ];
    if let Some((count, bytes)) = allocations(&quick, sizes.singles).await? {
        rows.push(Row::cost("allocations", Unit::Allocations, count));
        rows.push(Row::cost("bytes allocated", Unit::Bytes, bytes));
    }
    Ok(Chapter {
        title: "One invitation",
        how: format!(
            "Means of {} calls for one contact each, one after another, letters sent, in a process that has answered before. For its requests ours looks for what stands already, keeps a journal, reads the row again, sends by a draft and marks the row; the flow does none of it.",
            sizes.singles
        ),
        rows,
    })
}

async fn invite(stage: &Stage, contact: Uuid, flow: bool) -> anyhow::Result<()> {
    if flow {
        return stage.flow_invites(&[contact], 1).await;
    }
    let status = stage.invite(&json!({"contactIds": [contact]})).await?;
    ensure!(status == 200, "an invitation answered {status}");
    Ok(())
}

async fn cost(stage: &Stage, count: usize, flow: bool) -> anyhow::Result<Cost> {
    let contacts = stage.contacts(count + 1);
    invite(stage, contacts[count], flow).await?;
    stage.requests();
    let before = stage.program.processor_time()?;
    for contact in &contacts[..count] {
        invite(stage, *contact, flow).await?;
    }
    let processor = stage.program.processor_time()?.saturating_sub(before);
    let requests = stage.requests();
    let mean = |total| as_figure(total) / as_figure(count);
    Ok(Cost {
        dataverse: mean(requests.dataverse),
        graph: mean(requests.graph),
        bytes: mean(requests.bytes),
        processor: each(processor, count),
    })
}

/// How long callers wait for their answers, in milliseconds.
async fn waits(stage: &Stage, count: usize, flow: bool) -> anyhow::Result<f64> {
    let contacts = stage.contacts(count + 1);
    invite(stage, contacts[count], flow).await?;
    let mut waits = Vec::new();
    for contact in &contacts[..count] {
        let begun = clock::now();
        invite(stage, *contact, flow).await?;
        waits.push(milliseconds(begun.elapsed()));
    }
    Ok(median(waits))
}

/// Allocations an invitation and their bytes, where the library that counts them is at hand.
async fn allocations(setup: &Setup<'_>, count: usize) -> anyhow::Result<Option<(f64, f64)>> {
    let Some(counter) = &setup.subjects.counter else {
        return Ok(None);
    };
    let file = tempfile::NamedTempFile::new()?;
    let environment = [
        ("LD_PRELOAD", counter.display().to_string()),
        ("ALLOCATIONS_FILE", file.path().display().to_string()),
    ];
    let watched = Setup {
        environment: environment
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        ..setup.clone()
    };
    let stage = watched.ours().await?;
    let contacts = stage.contacts(count + 1);
    invite(&stage, contacts[count], false).await?;
    let before = counts(file.path())?;
    for contact in &contacts[..count] {
        invite(&stage, *contact, false).await?;
    }
    let after = counts(file.path())?;
    let mean = |place: usize| as_figure(after[place] - before[place]) / as_figure(count);
    Ok(Some((mean(0), mean(1))))
}

/// The two counters: allocations and bytes.
fn counts(file: &std::path::Path) -> anyhow::Result<[usize; 2]> {
    let bytes = fs::read(file)?;
    let number = |place: usize| -> anyhow::Result<usize> {
        let bytes = bytes.get(place * 8..place * 8 + 8);
        let bytes = bytes.context("nothing was counted: is the library the right one?")?;
        Ok(usize::from_ne_bytes(bytes.try_into()?))
    };
    Ok([number(0)?, number(1)?])
}
