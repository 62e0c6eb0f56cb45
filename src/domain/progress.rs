//! Owns what a journal's lines add up to: how far each entry of a batch is.
//!
//! Folding is the only way to learn a batch's state, for the worker that takes it over and for the reader that
//! reports it, so both see the same. Lines may repeat and lag: the first plan and the first outcome win.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::batch::{Attempt, Entry, Line, Plan, RestCause, Terms};
use super::ids::InvitationId;
use super::outcome::{Counts, Outcome, OutcomeKind};

/// How far one entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No letter was ever handed over.
    Untried,
    /// A letter may be on its way.
    Attempting {
        /// When it was first handed over.
        since: Timestamp,
        /// When it was last handed over.
        at: Timestamp,
        /// The draft it was made as.
        message: Option<String>,
    },
    /// Exchange has the letter; the row may not say so yet.
    Accepted {
        /// The draft it was made as.
        message: Option<String>,
    },
    /// Done.
    Settled(Outcome),
}

/// A mailbox that takes nothing for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// When to try again.
    pub until: Timestamp,
    /// Why.
    pub cause: RestCause,
    /// Since when it refuses without a break.
    pub since: Timestamp,
}

/// One entry and how far it is.
#[derive(Clone, Debug)]
pub struct Item {
    /// The plan.
    pub entry: Entry,
    /// How far.
    pub stage: Stage,
    /// Whether an attempt was ever journalled: the row is never created again then.
    pub attempted: bool,
}

/// A batch as its journal tells it.
#[derive(Debug)]
pub struct Progress {
    /// What holds for every entry.
    pub terms: Terms,
    /// The entries, in request order.
    pub items: Vec<Item>,
    /// Whether each row that the batch creates is known to be there, or was once.
    pub created: bool,
    /// Mailboxes that rest.
    pub resting: BTreeMap<String, Rest>,
    /// When the last entry got its outcome, once the end is journalled.
    pub ended: Option<Timestamp>,
}

/// What a journal holds so far.
#[derive(Debug)]
pub enum Journalled {
    /// No whole plan: nothing was accepted.
    Unplanned,
    /// Accepted work.
    Planned(Box<Progress>),
}

/// A draft plan, until its `planned` line.
#[derive(Default)]
struct Drafts(BTreeMap<Uuid, (Option<Box<Terms>>, Vec<Entry>)>);

impl Drafts {
    fn absorb(&mut self, line: Line) -> Option<Progress> {
        match line {
            Line::Terms { by, terms } => self.0.entry(by).or_default().0 = Some(terms),
            Line::Plan { by, entries } => self.0.entry(by).or_default().1.extend(entries),
            Line::Planned { by, count } => {
                let (terms, entries) = self.0.remove(&by)?;
                return (entries.len() == count).then_some(Progress::new(*terms?, entries));
            }
            _ => {}
        }
        None
    }
}

impl Journalled {
    /// Adds up the lines of a journal.
    pub fn fold(lines: impl IntoIterator<Item = Line>) -> Self {
        let mut drafts = Drafts::default();
        let mut progress: Option<Progress> = None;
        for line in lines {
            match &mut progress {
                Some(progress) => progress.apply(line),
                None => progress = drafts.absorb(line),
            }
        }
        progress.map_or(Self::Unplanned, |progress| {
            Self::Planned(Box::new(progress))
        })
    }
}

impl Progress {
    /// A batch that was just planned.
    pub fn new(terms: Terms, entries: Vec<Entry>) -> Self {
        let items = entries.into_iter().map(Item::new).collect();
        Self {
            terms,
            items,
            created: false,
            resting: BTreeMap::new(),
            ended: None,
        }
    }

    /// Takes in one more line.
    pub fn apply(&mut self, line: Line) {
        match line {
            Line::Created => self.created = true,
            Line::Attempting { at, letters } => letters
                .into_iter()
                .for_each(|letter| self.attempt(at, letter)),
            Line::Accepted { entries } => self.each(entries, Item::accept),
            Line::Released { entries } => self.each(entries, Item::release),
            Line::Resting {
                mailbox,
                at,
                until,
                cause,
            } => self.rest(mailbox, at, until, cause),
            Line::Result { outcomes } => outcomes.into_iter().for_each(|(entry, outcome)| {
                if let Some(item) = self.items.get_mut(entry) {
                    item.settle(outcome);
                }
            }),
            Line::End { at } => self.ended = Some(at),
            Line::Terms { .. } | Line::Plan { .. } | Line::Planned { .. } => {}
        }
    }

    fn attempt(&mut self, at: Timestamp, letter: Attempt) {
        if let Some(item) = self.items.get_mut(letter.entry) {
            item.attempted = true;
            let since = match item.stage {
                Stage::Attempting { since, .. } => since,
                _ => at,
            };
            item.advance(Stage::Attempting {
                since,
                at,
                message: letter.message,
            });
        }
    }

    fn each(&mut self, entries: Vec<usize>, change: impl Fn(&mut Item)) {
        for entry in entries {
            self.items.get_mut(entry).map(&change);
        }
    }

    fn rest(&mut self, mailbox: String, at: Timestamp, until: Timestamp, cause: RestCause) {
        // A refusal is the same one for as long as the next try refuses again: an hour, and some slack.
        let since = match self.resting.get(&mailbox) {
            Some(rest)
                if rest.cause == cause && at <= rest.until + SignedDuration::from_hours(2) =>
            {
                rest.since
            }
            _ => at,
        };
        self.resting.insert(
            mailbox,
            Rest {
                until,
                cause,
                since,
            },
        );
    }

    /// How many entries ended how; those that have not are pending.
    pub fn counts(&self) -> Counts {
        self.items.iter().map(Item::outcome_kind).collect()
    }

    /// How many entries have no outcome yet.
    pub fn open(&self) -> usize {
        self.items.iter().filter(|item| item.is_open()).count()
    }
}

impl Item {
    fn new(entry: Entry) -> Self {
        let stage = match &entry.plan {
            Plan::Settled(outcome) => Stage::Settled(outcome.clone()),
            _ => Stage::Untried,
        };
        Self {
            entry,
            stage,
            attempted: false,
        }
    }

    /// Whether there is still something to do.
    pub fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Settled(_))
    }

    /// The invitation that the plan is about.
    pub fn invitation(&self) -> Option<InvitationId> {
        self.entry.plan.invitation()
    }

    /// What a report shows for it now.
    pub fn outcome_kind(&self) -> OutcomeKind {
        match &self.stage {
            Stage::Settled(outcome) => outcome.kind,
            _ => OutcomeKind::Pending,
        }
    }

    fn accept(&mut self) {
        let message = match &mut self.stage {
            Stage::Attempting { message, .. } => message.take(),
            _ => None,
        };
        self.advance(Stage::Accepted { message });
    }

    fn release(&mut self) {
        self.advance(Stage::Untried);
    }

    fn settle(&mut self, outcome: Outcome) {
        self.advance(Stage::Settled(outcome));
    }

    fn advance(&mut self, stage: Stage) {
        let ends = matches!(stage, Stage::Settled(_));
        // What Exchange has accepted is never tried again, whatever line comes late.
        if self.is_open() && (ends || !matches!(self.stage, Stage::Accepted { .. })) {
            self.stage = stage;
        }
    }
}

#[cfg(test)]
mod tests;
