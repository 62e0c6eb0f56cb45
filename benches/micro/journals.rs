//! A journal of twenty thousand letters, as a takeover and every look at a batch read it.

use divan::Bencher;
use jiff::{SignedDuration, Timestamp};
use portal_invite::domain::batch::{Attempt, Bound, Entry, LetterTerms, Line, Plan, Terms};
use portal_invite::domain::ids::{BatchNumber, ContactId, InvitationId};
use portal_invite::domain::outcome::{Outcome, OutcomeKind};
use portal_invite::domain::progress::{Journalled, Progress};
use uuid::Uuid;

use super::given::START;
use super::replay::moment;

const ENTRIES: usize = 20_000;
/// What one `$batch` of letters holds, and what one line of the plan.
const CHUNK: usize = 20;
const PLAN_CHUNK: usize = 1_000;

/// Its lines from bytes.
#[divan::bench(sample_count = 20)]
fn parse_20000_entries(bencher: Bencher<'_, '_>) {
    let lines: Vec<_> = journal().iter().map(written).collect();
    bencher.bench_local(|| lines.iter().map(read).collect::<Vec<_>>());
}

/// What they add up to.
#[divan::bench(sample_count = 20)]
fn fold_20000_entries(bencher: Bencher<'_, '_>) {
    assert_eq!(folded(journal()).counts().sent, ENTRIES);
    bencher.with_inputs(journal).bench_local_values(folded);
}

fn folded(lines: Vec<Line>) -> Box<Progress> {
    match Journalled::fold(lines) {
        Journalled::Planned(progress) => progress,
        Journalled::Unplanned => panic!("the plan is whole"),
    }
}

fn written(line: &Line) -> Vec<u8> {
    serde_json::to_vec(line).unwrap()
}

#[expect(clippy::ptr_arg, reason = "it is given by reference to each element")]
fn read(line: &Vec<u8>) -> Line {
    serde_json::from_slice(line).unwrap()
}

fn journal() -> Vec<Line> {
    let by = Uuid::from_u128(1);
    let entries: Vec<_> = (0..ENTRIES).map(entry).collect();
    let terms = Box::new(terms());
    let mut lines = vec![Line::Terms { by, terms }];
    lines.extend(entries.chunks(PLAN_CHUNK).map(|entries| Line::Plan {
        by,
        entries: entries.to_vec(),
    }));
    lines.push(Line::Planned { by, count: ENTRIES });
    for first in (0..ENTRIES).step_by(CHUNK) {
        lines.extend(delivered(first..first + CHUNK));
    }
    lines.push(Line::End { at: moment(START) });
    lines
}

fn delivered(chunk: std::ops::Range<usize>) -> [Line; 3] {
    let letters = chunk.clone().map(attempt).collect();
    let outcomes = chunk.clone().map(|entry| (entry, sent(entry))).collect();
    let at = moment(START);
    [
        Line::Attempting { at, letters },
        Line::Accepted {
            entries: chunk.collect(),
        },
        Line::Result { outcomes },
    ]
}

fn invitation(entry: usize) -> InvitationId {
    InvitationId::new(Uuid::new_v5(&Uuid::nil(), &entry.to_le_bytes()))
}

fn entry(place: usize) -> Entry {
    Entry {
        contact: ContactId::new(Uuid::from_u128(place as u128)),
        name: Some("Ada Lovelace".into()),
        plan: Plan::Create(invitation(place)),
    }
}

/// Immutable ids of messages are as long as this.
fn attempt(entry: usize) -> Attempt {
    Attempt {
        entry,
        message: Some(format!("AAkALgAA{entry:0>140}")),
        code_hash: None,
    }
}

fn sent(entry: usize) -> Outcome {
    Outcome::about(OutcomeKind::Sent, invitation(entry), Some(expires()))
}

fn expires() -> Timestamp {
    moment(START) + SignedDuration::from_hours(14 * 24)
}

fn terms() -> Terms {
    Terms {
        number: BatchNumber::MIN,
        created: moment(START),
        expires: expires(),
        send_email: true,
        include_registered: false,
        senders: vec!["invitations@contoso.example".to_owned()],
        letter: LetterTerms::default(),
        bound: Bound::default(),
        requested_by: None,
    }
}
