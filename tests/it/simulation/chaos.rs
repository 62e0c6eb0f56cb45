//! Thousands of seeded runs: trouble of every kind, then peace; then the promises are checked.
//!
//! A failing seed is printed with the way to repeat it. `SIMULATION_SEEDS=from..to` runs others than those of every
//! test run, `SIMULATION_TRACE=1` tells what happened in one that fails.

mod checks;
mod episode;
mod meddlers;
mod progress;
mod run;
mod single;
mod trouble;

use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::diary::Totals;
use run::{Run, Told};

/// Seeds of an ordinary test run.
const USUAL: Range<u64> = 0..5_000;

/// Failing seeds after which no more are run.
const ENOUGH: usize = 10;

/// What must have happened in the usual seeds, or they prove little.
const KINDS: [&str; 38] = [
    "batches accepted",
    "codes overwritten",
    "contacts deactivated",
    "contacts without address",
    "crashes",
    "fault: Dataverse 429",
    "fault: Dataverse answer after",
    "fault: Dataverse answer before",
    "fault: Dataverse delay",
    "fault: Dataverse drop after",
    "fault: Dataverse drop before",
    "fault: Graph 429",
    "fault: Graph answer after",
    "fault: Graph answer before",
    "fault: Graph delay",
    "fault: Graph drop after",
    "fault: Graph drop before",
    "fault: Storage answer after",
    "fault: Storage delay",
    "fault: Storage drop after",
    "fault: Storage drop before",
    "freezes",
    "invitations revoked",
    "jumps of a clock",
    "letters sent again",
    "links handed out",
    "mailboxes at their daily limit",
    "redeemed",
    "reminders",
    "revocations too late",
    "rows closed",
    "rows deleted",
    "rows extended",
    "rows opened again",
    "rows prepared by hand",
    "rows replaced",
    "rows swept",
    "takeovers",
];

#[test]
fn promises_hold_whatever_breaks() {
    let (seeds, usual) = match variable("SIMULATION_SEEDS") {
        Some(text) => (range(&text), false),
        None => (USUAL, true),
    };
    let totals = run_all(seeds);
    let mut told = String::from("simulation:");
    for (what, times) in &totals {
        let _ = write!(told, "\n  {times:>9} {what}");
    }
    say(&told);
    let missing: Vec<_> = KINDS
        .iter()
        .filter(|kind| !totals.contains_key(**kind))
        .collect();
    assert!(!usual || missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn a_seed_repeats_itself_request_by_request() {
    for seed in 0..40 {
        let [first, second] = [0, 1].map(|_| run(seed, true));
        if first.traffic != second.traffic {
            let (first, second) = (first.story, second.story);
            let lines = first.lines().zip(second.lines());
            let other = lines.enumerate().find(|(_, (one, two))| one != two);
            panic!("seed {seed} did not repeat itself: {other:?}");
        }
    }
}

fn run_all(seeds: Range<u64>) -> Totals {
    let (next, failed) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let totals = Mutex::new(Totals::new());
    let detailed = variable("SIMULATION_TRACE").is_some();
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || failed.lock().unwrap().len() >= ENOUGH {
                        return;
                    }
                    let Some(told) = run_reported(seed, detailed) else {
                        failed.lock().unwrap().push(seed);
                        continue;
                    };
                    let mut totals = totals.lock().unwrap();
                    for (what, times) in told.totals {
                        *totals.entry(what).or_default() += times;
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "seeds {failed:?} break a promise");
    totals.into_inner().unwrap()
}

/// Runs a seed; where it fails, says how to repeat that, and gives nothing.
fn run_reported(seed: u64, detailed: bool) -> Option<Told> {
    let told = catch_unwind(AssertUnwindSafe(|| run(seed, detailed)));
    if told.is_err() {
        let command = "cargo test -p portal-invite --test it promises_hold";
        let end = seed + 1;
        let line = format!("repeat: SIMULATION_TRACE=1 SIMULATION_SEEDS={seed}..{end} {command}");
        say(&format!("simulation: seed {seed} fails\n{line}"));
    }
    told.ok()
}

fn run(seed: u64, detailed: bool) -> Told {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    let runtime = runtime.unwrap();
    let told = runtime.block_on(Run::of(seed, detailed));
    runtime.shutdown_timeout(Duration::ZERO);
    told
}

/// Past the test harness, which shows nothing of a test that passes.
fn say(text: &str) {
    let text = format!("{text}\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person chooses the seeds of a long run"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn range(text: &str) -> Range<u64> {
    let bounds = text.split_once("..").expect("it looks like 0..5000");
    bounds.0.parse().unwrap()..bounds.1.parse().unwrap()
}
