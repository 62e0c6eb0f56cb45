//! Load: callers that never pause, each inviting one contact after another, against a program with one core.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use uuid::Uuid;

use super::{as_figure, quantile};
use crate::clock::{self, milliseconds};
use crate::machine::{stay_on, stay_on_any};
use crate::row::{Row, Unit};
use crate::sizes::Sizes;
use crate::stage::{Setup, Stage, Subjects};
use crate::table::Chapter;

/// Callers at once.
const CALLERS: usize = 8;

/// Contacts at hand, more than anybody invites in the time.
const CONTACTS: usize = 20_000;

/// What callers saw; times in milliseconds.
struct Seen {
    a_second: f64,
    half: f64,
    most: f64,
}

pub(crate) async fn measure(subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<Chapter> {
    let setup = Setup {
        core: Some(0),
        ..Setup::unlimited(subjects, CONTACTS)
    };
    stay_on(1)?;
    let ours = load(&setup.ours().await?, sizes, false).await?;
    let flow = load(&setup.flow().await?, sizes, true).await?;
    stay_on_any()?;
    let rows = vec![
        Row::yielding("invitations with letters", Unit::APerSecond, ours.a_second)
            .flow(flow.a_second),
        Row::cost("a caller waits, median", Unit::Milliseconds, ours.half).flow(flow.half),
        Row::cost("a caller waits, 99th of 100", Unit::Milliseconds, ours.most).flow(flow.most),
    ];
    Ok(Chapter {
        title: "Load",
        how: format!(
            "{CALLERS} callers for {} s, each inviting one contact after another; no latency, limits lifted. The program has one core, the callers and the services share the other: the time of both is in what callers wait.",
            sizes.load.as_secs_f64()
        ),
        rows,
    })
}

async fn load(stage: &Stage, sizes: &Sizes, flow: bool) -> anyhow::Result<Seen> {
    let contacts = stage.contacts(CONTACTS.min(sizes.table * 2));
    invite(stage, contacts[0], flow).await?;
    let next = AtomicUsize::new(1);
    let begun = clock::now();
    let callers = (0..CALLERS).map(|_| async {
        let mut waits = Vec::new();
        while begun.elapsed() < sizes.load {
            let Some(contact) = contacts.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            let asked = clock::now();
            invite(stage, *contact, flow).await?;
            waits.push(milliseconds(asked.elapsed()));
        }
        anyhow::Ok(waits)
    });
    let waits = futures::future::try_join_all(callers).await?;
    let took = begun.elapsed().as_secs_f64();
    let mut waits: Vec<f64> = waits.into_iter().flatten().collect();
    Ok(Seen {
        a_second: as_figure(waits.len()) / took,
        half: quantile(&mut waits, 50),
        most: quantile(&mut waits, 99),
    })
}

async fn invite(stage: &Stage, contact: Uuid, flow: bool) -> anyhow::Result<()> {
    if flow {
        return stage.flow_invites(&[contact], 1).await;
    }
    let status = stage.invite(&json!({"contactIds": [contact]})).await?;
    anyhow::ensure!(status == 200, "an invitation answered {status}");
    Ok(())
}
