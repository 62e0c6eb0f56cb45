//! Cold start: from exec to the first answer and to the first invitation, and the memory of a process that waits.

use anyhow::ensure;
use sandbox::Latency;
use serde_json::json;

use super::median;
use crate::clock::{self, milliseconds};
use crate::row::{Aim, Row, Unit};
use crate::sizes::Sizes;
use crate::stage::{Setup, Stage, Subjects};
use crate::table::Chapter;

/// What a start took, in milliseconds and megabytes.
#[derive(Default)]
struct Starts {
    answers: Vec<f64>,
    idle: Vec<f64>,
    peak: Vec<f64>,
    invitations: Vec<f64>,
}

#[derive(Clone, Copy)]
enum Side {
    Ours,
    Flow,
}

pub(crate) async fn measure(subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<Chapter> {
    let quick = Setup::unlimited(subjects, 1);
    let modelled = Setup {
        latency: Latency::Realistic,
        ..quick.clone()
    };
    let ours = starts(&quick, Side::Ours, sizes.starts).await?;
    let flow = starts(&quick, Side::Flow, sizes.starts).await?;
    let ours_modelled = starts(&modelled, Side::Ours, sizes.starts.div_ceil(3)).await?;
    let flow_modelled = starts(&modelled, Side::Flow, sizes.starts.div_ceil(3)).await?;
    let row = |what, unit, ours, flow| Row::cost(what, unit, median(ours)).flow(median(flow));
    let (time, memory) = (Unit::Milliseconds, Unit::Megabytes);
    let rows = vec![
        row("exec to first answer", time, ours.answers, flow.answers).aim(Aim::AtMost(15.0)),
        row(
            "exec to first letter, no latency",
            time,
            ours.invitations,
            flow.invitations,
        ),
        row(
            "exec to first letter, with latency",
            time,
            ours_modelled.invitations,
            flow_modelled.invitations,
        ),
        row("memory when idle", memory, ours.idle, flow.idle).aim(Aim::AtMost(12.0)),
        row("peak memory after one letter", memory, ours.peak, flow.peak),
    ];
    Ok(Chapter {
        title: "Cold start",
        how: format!(
            "Medians of {} starts, without the Functions host, which asks every 25 ms and adds its own start. The flow's work is a Node.js program.",
            sizes.starts
        ),
        rows,
    })
}

async fn starts(setup: &Setup<'_>, side: Side, count: usize) -> anyhow::Result<Starts> {
    let mut starts = Starts::default();
    for _ in 0..count {
        let stage = match side {
            Side::Ours => setup.ours().await?,
            Side::Flow => setup.flow().await?,
        };
        starts
            .answers
            .push(milliseconds(stage.program.first_answer));
        starts.idle.push(stage.program.memory()?.now * 1.024e-3);
        let contact = stage.contacts(1);
        let asked = clock::now();
        invite(&stage, side, &contact).await?;
        let letter = stage.program.first_answer + asked.elapsed();
        starts.invitations.push(milliseconds(letter));
        starts.peak.push(stage.program.memory()?.peak * 1.024e-3);
    }
    Ok(starts)
}

async fn invite(stage: &Stage, side: Side, contacts: &[uuid::Uuid]) -> anyhow::Result<()> {
    match side {
        Side::Flow => stage.flow_invites(contacts, 1).await,
        Side::Ours => {
            let status = stage.invite(&json!({"contactIds": contacts})).await?;
            ensure!(status == 200, "the first invitation answered {status}");
            Ok(())
        }
    }
}
