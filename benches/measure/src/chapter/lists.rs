//! Reading: the list of invitations and the status of a large batch, in a table of many rows.

use jiff::SignedDuration;
use serde_json::json;

use super::{as_figure, each, median};
use crate::clock::{self, milliseconds};
use crate::row::{Row, Unit};
use crate::sizes::Sizes;
use crate::stage::{Setup, Stage, Subjects};
use crate::table::{Chapter, grouped};

/// Far ahead.
const OPEN: &str = "2099-12-31T22:00:00Z";

const ROWS_A_SECOND: usize = 100;

/// Questions of one kind, for a mean.
const QUESTIONS: usize = 20;

/// What an answer cost: a median of milliseconds, means of the rest.
struct Cost {
    wait: f64,
    processor: f64,
    requests: f64,
}

pub(crate) async fn measure(subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<Chapter> {
    let stage = Setup::unlimited(subjects, sizes.batch).ours().await?;
    let contacts = stage.contacts(sizes.batch);
    stage
        .invite(&json!({"contactIds": contacts, "sendEmail": false}))
        .await?;
    stage.finish().await?;
    stage.invitations(sizes.table - sizes.batch, OPEN);
    spread(&stage)?;
    let number = batch(&stage)?;
    let first = ask(&stage, "/api/invitations").await?;
    let pending = ask(&stage, "/api/invitations?standing=pending").await?;
    let status = ask(&stage, &format!("/api/batches/{number}")).await?;
    let walk = walk(&stage).await?;
    let flow = flow(subjects, sizes).await?;
    let of = |what: &str| format!("{what} of {} rows", grouped(sizes.table));
    let mut rows = Vec::new();
    for (what, cost) in [
        (of("first page"), first),
        (of("first page of pending ones"), pending),
        (of("walk"), walk),
        (
            format!("status of a batch of {}", grouped(sizes.batch)),
            status,
        ),
    ] {
        let row = |figure: &str, unit, of: fn(&Cost) -> f64| {
            Row::cost(format!("{what}: {figure}"), unit, of(&cost)).flow(of(&flow))
        };
        rows.push(row("caller waits", Unit::Milliseconds, |it| it.wait));
        rows.push(row("processor time", Unit::Milliseconds, |it| it.processor));
        rows.push(row("Dataverse requests", Unit::Requests, |it| it.requests));
    }
    let peak = stage.program.memory()?.peak * 1.024e-3;
    rows.push(Row::cost(
        "peak memory after all of these",
        Unit::Megabytes,
        peak,
    ));
    Ok(Chapter {
        title: "Reading",
        how: "No latency; rows that were created a hundred a second. A page is the first 100 rows; a walk reads all pages of 1,000, by the flow of 5,000. A flow that wants to know how its invitations stand has nothing but that walk: each row is held against it.".to_owned(),
        rows,
    })
}

/// Makes the table one that took its time: a hundred rows a second, the most that Dataverse takes from one caller.
fn spread(stage: &Stage) -> anyhow::Result<()> {
    let dataverse = &stage.sandbox.dataverse;
    let now = stage.sandbox.clock.now();
    for (place, row) in dataverse.rows("adx_invitations").iter().enumerate() {
        let id = row["adx_invitationid"].as_str().unwrap_or_default();
        let seconds = i64::try_from(place / ROWS_A_SECOND)?;
        let created = (now - SignedDuration::from_secs(seconds)).strftime("%Y-%m-%dT%H:%M:%SZ");
        let created = json!({"createdon": created.to_string()});
        dataverse.change("adx_invitations", id.parse()?, &created);
    }
    Ok(())
}

/// The number of the one batch.
fn batch(stage: &Stage) -> anyhow::Result<u64> {
    let rows = stage.sandbox.dataverse.rows("adx_invitations");
    let number = rows
        .iter()
        .find_map(|row| row["importsequencenumber"].as_u64());
    number.ok_or_else(|| anyhow::anyhow!("no row tells its batch"))
}

async fn ask(stage: &Stage, path: &str) -> anyhow::Result<Cost> {
    stage.program.get(path).await?;
    stage.requests();
    let before = stage.program.processor_time()?;
    let mut waits = Vec::new();
    for _ in 0..QUESTIONS {
        let begun = clock::now();
        stage.program.get(path).await?;
        waits.push(milliseconds(begun.elapsed()));
    }
    let processor = stage.program.processor_time()?.saturating_sub(before);
    Ok(Cost {
        wait: median(waits),
        processor: each(processor, QUESTIONS),
        requests: as_figure(stage.requests().dataverse) / as_figure(QUESTIONS),
    })
}

/// Reads every page.
async fn walk(stage: &Stage) -> anyhow::Result<Cost> {
    let (begun, before) = (clock::now(), stage.program.processor_time()?);
    let mut path = "/api/invitations?top=1000".to_owned();
    loop {
        let page = stage.program.get(&path).await?.body;
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/invitations?top=1000&cursor={cursor}"),
            None => break,
        }
    }
    cost(stage, begun, before)
}

async fn flow(subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<Cost> {
    let stage = Setup::unlimited(subjects, 1).flow().await?;
    stage.invitations(sizes.table, OPEN);
    let (begun, before) = (clock::now(), stage.program.processor_time()?);
    let answer = stage.program.post("/list", &json!({})).await?;
    anyhow::ensure!(
        answer.body["rows"] == sizes.table,
        "the flow's walk failed: {}",
        answer.body
    );
    cost(&stage, begun, before)
}

fn cost(
    stage: &Stage,
    begun: std::time::Instant,
    before: std::time::Duration,
) -> anyhow::Result<Cost> {
    let wait = milliseconds(begun.elapsed());
    let processor = stage.program.processor_time()?.saturating_sub(before);
    Ok(Cost {
        wait,
        processor: milliseconds(processor),
        requests: as_figure(stage.requests().dataverse),
    })
}
