//! Tests of folding: which line wins, and what a cut-off journal means.

use super::*;
use crate::domain::batch::{Bound, LetterTerms};
use crate::domain::ids::{BatchNumber, ContactId};
use crate::domain::outcome::ReasonCode;
use proptest::prelude::*;

fn terms() -> Terms {
    Terms {
        number: BatchNumber::MIN,
        created: Timestamp::UNIX_EPOCH,
        expires: Timestamp::MAX,
        send_email: true,
        include_registered: false,
        senders: vec!["a@example.com".to_owned()],
        letter: LetterTerms {
            language: Some("en".to_owned()),
            template: Some("invitation".to_owned()),
            subject: None,
            message: None,
            return_path: None,
            inviter_name: None,
        },
        bound: Bound::default(),
        requested_by: None,
    }
}

fn entry(number: u128) -> Entry {
    Entry {
        contact: ContactId::new(Uuid::from_u128(number)),
        name: None,
        plan: Plan::Create(InvitationId::new(Uuid::from_u128(number))),
    }
}

fn planned(by: u128, entries: Vec<Entry>) -> Vec<Line> {
    let by = Uuid::from_u128(by);
    let count = entries.len();
    let terms = Box::new(terms());
    vec![
        Line::Terms { by, terms },
        Line::Plan { by, entries },
        Line::Planned { by, count },
    ]
}

fn fold(lines: Vec<Line>) -> Progress {
    match Journalled::fold(lines) {
        Journalled::Planned(progress) => *progress,
        Journalled::Unplanned => panic!("the plan is whole"),
    }
}

#[test]
fn a_plan_without_its_last_line_was_never_accepted() {
    let mut lines = planned(1, vec![entry(1)]);
    lines.pop();
    assert!(matches!(Journalled::fold(lines), Journalled::Unplanned));
}

#[test]
fn a_plan_with_a_line_missing_was_never_accepted() {
    let mut lines = planned(1, vec![entry(1), entry(2)]);
    lines[1] = Line::Plan {
        by: Uuid::from_u128(1),
        entries: vec![entry(1)],
    };
    assert!(matches!(Journalled::fold(lines), Journalled::Unplanned));
}

#[test]
fn the_first_whole_plan_wins_over_a_dead_planners_half() {
    let mut lines = planned(1, vec![entry(1), entry(2)]);
    lines.truncate(2);
    lines.extend(planned(2, vec![entry(3)]));
    lines.extend(planned(4, vec![entry(9)]));
    let progress = fold(lines);
    assert_eq!(progress.items.len(), 1);
    assert_eq!(progress.items[0].entry, entry(3));
}

#[test]
fn the_first_outcome_wins_and_a_late_line_changes_nothing() {
    let sent = Outcome::about(OutcomeKind::Sent, InvitationId::new(Uuid::nil()), None);
    let failed = Outcome::without(OutcomeKind::Failed, ReasonCode::Conflict);
    let mut lines = planned(1, vec![entry(1)]);
    lines.push(Line::Result {
        outcomes: vec![(0, sent.clone())],
    });
    lines.push(Line::Released { entries: vec![0] });
    lines.push(Line::Result {
        outcomes: vec![(0, failed)],
    });
    assert_eq!(fold(lines).items[0].stage, Stage::Settled(sent));
}

#[test]
fn a_released_letter_may_be_tried_again_and_its_row_never_made_again() {
    let attempt = Attempt {
        entry: 0,
        message: Some("m".to_owned()),
        code_hash: None,
    };
    let mut lines = planned(1, vec![entry(1)]);
    lines.push(Line::Attempting {
        at: Timestamp::UNIX_EPOCH,
        letters: vec![attempt],
    });
    lines.push(Line::Released { entries: vec![0] });
    let progress = fold(lines);
    assert_eq!(progress.items[0].stage, Stage::Untried);
    assert!(progress.items[0].attempted);
}

#[test]
fn rows_are_all_there_once_a_line_says_so() {
    let mut lines = vec![Line::Created];
    lines.extend(planned(1, vec![entry(1)]));
    assert!(
        !fold(lines.clone()).created,
        "that was no line of this plan"
    );
    lines.push(Line::Created);
    assert!(fold(lines).created);
}

#[test]
fn an_accepted_letter_keeps_its_message_id() {
    let attempt = Attempt {
        entry: 0,
        message: Some("m".to_owned()),
        code_hash: None,
    };
    let mut lines = planned(1, vec![entry(1)]);
    lines.push(Line::Attempting {
        at: Timestamp::UNIX_EPOCH,
        letters: vec![attempt],
    });
    lines.push(Line::Accepted { entries: vec![0] });
    assert_eq!(
        fold(lines).items[0].stage,
        Stage::Accepted {
            message: Some("m".to_owned())
        }
    );
}

#[test]
fn an_accepted_letter_stays_accepted_whatever_line_comes_late() {
    let attempt = |message: &str| Line::Attempting {
        at: Timestamp::UNIX_EPOCH,
        letters: vec![Attempt {
            entry: 0,
            message: Some(message.to_owned()),
            code_hash: None,
        }],
    };
    let accepted = Line::Accepted { entries: vec![0] };
    let mut lines = planned(1, vec![entry(1)]);
    lines.extend([attempt("m"), accepted.clone()]);
    lines.extend([attempt("n"), Line::Released { entries: vec![0] }, accepted]);
    let message = Some("m".to_owned());
    assert_eq!(fold(lines).items[0].stage, Stage::Accepted { message });
}

#[test]
fn a_refusal_that_goes_on_is_counted_from_its_beginning() {
    let hour = |hours| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
    let resting = |at| Line::Resting {
        mailbox: "a@example.com".to_owned(),
        at: hour(at),
        until: hour(at + 1),
        cause: RestCause::Refused,
    };
    let mut lines = planned(1, vec![entry(1)]);
    lines.extend([resting(0), resting(1), resting(3)]);
    assert_eq!(fold(lines.clone()).resting["a@example.com"].since, hour(0));
    lines.push(resting(9));
    assert_eq!(fold(lines).resting["a@example.com"].since, hour(9));
}

proptest! {
    #[test]
    fn folding_survives_any_entry_numbers(numbers in proptest::collection::vec(any::<usize>(), 0..20)) {
        let mut lines = planned(1, vec![entry(1), entry(2)]);
        for number in numbers {
            let attempt = Attempt { entry: number, message: None, code_hash: None };
            lines.push(Line::Attempting { at: Timestamp::UNIX_EPOCH, letters: vec![attempt] });
            lines.push(Line::Accepted { entries: vec![number] });
            lines.push(Line::Released { entries: vec![number, number % 3] });
        }
        let progress = fold(lines);
        prop_assert_eq!(progress.counts().requested, 2);
    }
}
