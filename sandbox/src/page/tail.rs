//! Lists that only grow: logs. A browser is told what was added, and keeps as many of the last rows as the list does.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::Page;

/// One list of the page to which rows are only added.
pub(super) struct Tail {
    /// The name of its events.
    pub(super) name: &'static str,
    /// How many rows are kept, here and in browsers.
    pub(super) kept: usize,
    /// The rows behind a place in the list, at most so many, and the place behind the last of them.
    pub(super) after: fn(&Page, u64, usize) -> (Vec<Value>, u64),
}

/// The last rows of one list, each with the revision in which it came.
#[derive(Default)]
pub(super) struct Kept {
    place: u64,
    rows: VecDeque<(u64, Value)>,
}

impl Kept {
    /// Takes over what was added; whether anything was.
    pub(super) fn update(&mut self, revision: u64, tail: &Tail, page: &Page) -> bool {
        let (rows, place) = (tail.after)(page, self.place, tail.kept);
        self.place = place;
        self.add(revision, tail.kept, rows)
    }

    fn add(&mut self, revision: u64, most: usize, rows: Vec<Value>) -> bool {
        let news = !rows.is_empty();
        self.rows
            .extend(rows.into_iter().map(|row| (revision, row)));
        self.rows.drain(..self.rows.len().saturating_sub(most));
        news
    }

    /// What came after a revision; everything there is for who has seen nothing yet.
    pub(super) fn since(&self, seen: u64, most: usize) -> Option<Value> {
        let reset = seen == 0;
        let first = self.rows.partition_point(|(revision, _)| *revision <= seen);
        let rows: Vec<&Value> = self.rows.range(first..).map(|(_, row)| row).collect();
        let news = reset || !rows.is_empty();
        news.then(|| json!({"reset": reset, "rows": rows, "gone": [], "kept": most}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kept: &Kept, seen: u64) -> String {
        let told = kept.since(seen, 3);
        told.map_or("nothing".to_owned(), |told| told["rows"].to_string())
    }

    #[test]
    fn only_what_was_added_is_told_and_only_the_last_rows_are_kept() {
        let mut kept = Kept::default();
        assert!(kept.add(1, 3, vec![json!(1), json!(2)]));
        assert!(kept.add(2, 3, vec![json!(3), json!(4)]));
        assert!(!kept.add(3, 3, vec![]));
        assert_eq!(told(&kept, 0), "[2,3,4]");
        assert_eq!(told(&kept, 1), "[3,4]");
        assert_eq!(told(&kept, 2), "nothing");
        assert_eq!(kept.rows.len(), 3);
    }
}
