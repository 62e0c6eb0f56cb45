//! What holds for any bytes in a journal.

use super::{format, parse, whole};
use crate::domain::batch::{Line, Plan};
use crate::domain::ids::BatchNumber;
use crate::domain::progress::{Item, Journalled, Progress, Stage};

/// Lines that are read are written and read as the same; whatever they are, they add up.
pub(crate) fn journal(input: &[u8]) -> bool {
    assert!(whole(input) <= input.len());
    let Ok(lines) = parse(BatchNumber::MIN, input) else {
        return false;
    };
    let written = format(&lines).unwrap_or_default();
    assert!(parse(BatchNumber::MIN, &written).ok().as_ref() == Some(&lines));
    let Journalled::Planned(progress) = Journalled::fold(lines.clone()) else {
        return false;
    };
    let counts = progress.counts();
    assert!(counts.requested == progress.items.len() && counts.pending == progress.open());
    let accepted = (1..=lines.len())
        .find(|end| is_planned(&lines[..*end]))
        .unwrap_or(lines.len());
    let (plan, work) = lines.split_at(accepted);
    check_results(&progress, work);
    let twice = plan.iter().chain(work.iter().flat_map(|line| [line, line]));
    let Journalled::Planned(twice) = Journalled::fold(twice.cloned()) else {
        panic!("the plan is as whole as before")
    };
    assert!(
        stages(&twice) == stages(&progress),
        "a line that repeats changes nothing"
    );
    check_accepted(plan, work);
    true
}

fn is_planned(lines: &[Line]) -> bool {
    matches!(Journalled::fold(lines.to_vec()), Journalled::Planned(_))
}

fn stages(progress: &Progress) -> Vec<&Stage> {
    progress.items.iter().map(|item| &item.stage).collect()
}

/// The first outcome of an entry stands, be it the plan's or a later line's.
fn check_results(progress: &Progress, work: &[Line]) {
    let results = || {
        work.iter().filter_map(|line| match line {
            Line::Result { outcomes } => Some(outcomes),
            _ => None,
        })
    };
    for (place, item) in progress.items.iter().enumerate() {
        let later = results().flatten().find(|(entry, _)| *entry == place);
        let first = match &item.entry.plan {
            Plan::Settled(outcome) => Some(outcome),
            _ => later.map(|(_, outcome)| outcome),
        };
        match (&item.stage, first) {
            (Stage::Settled(outcome), Some(first)) => assert!(outcome == first),
            (stage, first) => assert!(first.is_none() && !matches!(stage, Stage::Settled(_))),
        }
    }
}

/// What Exchange has accepted is never untried again, whatever lines come late.
fn check_accepted(plan: &[Line], work: &[Line]) {
    let Journalled::Planned(mut progress) = Journalled::fold(plan.to_vec()) else {
        return;
    };
    let accepted = |item: &Item| matches!(item.stage, Stage::Accepted { .. } | Stage::Settled(_));
    for line in work {
        let before: Vec<bool> = progress.items.iter().map(accepted).collect();
        progress.apply(line.clone());
        let after = progress.items.iter().map(accepted);
        assert!(
            before
                .into_iter()
                .zip(after)
                .all(|(before, after)| after || !before)
        );
    }
}
