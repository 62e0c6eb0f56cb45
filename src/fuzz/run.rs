//! Runs the targets: each input of the corpus as it is, then changed forms of it, the same ones in each run.
//!
//! `FUZZ_RUNS=1000000` tries so many changed forms a target instead of the few of an ordinary test run.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use super::mutate::mutate;
use super::{TARGETS, Target};

/// Changed forms a target in an ordinary test run.
const FEW: u64 = 5_000;

fn folder(target: Target) -> PathBuf {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    corpus.join(target.name)
}

/// The inputs of a target, in the order of their names.
fn corpus(target: Target) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(folder(target))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person chooses the length of a long run"
)]
fn runs() -> u64 {
    let runs = std::env::var("FUZZ_RUNS").ok();
    runs.map_or(FEW, |runs| runs.parse().unwrap())
}

/// Checks one input; a failure shows it, keeps it, and says what to do with it.
fn check(target: Target, input: &[u8], which: &str) -> bool {
    if let Ok(taken) = catch_unwind(|| (target.check)(input)) {
        return taken;
    }
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
    fs::create_dir_all(&kept).unwrap();
    let kept = kept.join(format!("{}-{which}", target.name));
    fs::write(&kept, input).unwrap();
    panic!(
        "{} breaks a promise about this input ({which}):\n{}\nOnce it is mended, keep the input: mv {} {}/",
        target.name,
        input.escape_ascii(),
        kept.display(),
        folder(target).display(),
    );
}

#[test]
fn promises_hold_for_every_input_of_the_corpus() {
    for target in TARGETS {
        let inputs = corpus(target);
        let numbered = inputs.iter().enumerate();
        let checked =
            numbered.map(|(number, input)| check(target, input, &format!("corpus-{number}")));
        let taken = checked.filter(|taken| *taken).count();
        assert!(taken >= 2, "{} is a corpus of refusals", target.name);
    }
}

fn promises_hold_for_changed_inputs(target: Target) {
    let inputs = corpus(target);
    let count = inputs.len() as u64;
    let mut taken = 0;
    for run in 0..runs() {
        let [one, other] =
            [run % count, run / count % count].map(|place| usize::try_from(place).unwrap());
        let input = mutate(&inputs[one], &inputs[other], run);
        taken += u64::from(check(target, &input, &format!("run-{run}")));
    }
    assert!(
        taken > runs() / 200,
        "{} takes {taken} of {} inputs: too strange ones",
        target.name,
        runs()
    );
    println!("{}: {} inputs, {taken} of them taken", target.name, runs());
}

#[test]
fn promises_hold_for_changed_forms_of_the_corpus() {
    std::thread::scope(|scope| {
        for target in TARGETS {
            // A stack that overflows ends everything and tells no more than the thread's name.
            let thread = std::thread::Builder::new().name(target.name.to_owned());
            let changed = move || promises_hold_for_changed_inputs(target);
            thread.spawn_scoped(scope, changed).unwrap();
        }
    });
}
