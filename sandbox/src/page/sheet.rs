//! Lists of the page that show a table of Dataverse: only rows that changed are made anew, a few at a time, so that a large
//! environment is not kept waiting for its page.

use std::collections::{BTreeMap, HashMap};

use parking_lot::MutexGuard;
use serde_json::Value;
use tokio::task::yield_now;
use uuid::Uuid;

use crate::Dataverse;
use crate::dataverse::{Row, State};

/// How many rows are made before the environment gets a turn.
const AT_ONCE: usize = 200;

/// One list of the page with a row for each row of a table.
pub(super) struct Sheet {
    /// The name of its events.
    pub(super) name: &'static str,
    /// Logical name of the table.
    pub(super) table: &'static str,
    /// Other tables that its rows tell of: where one changes, every row is made anew.
    pub(super) beside: &'static [&'static str],
    /// A row as browsers get it.
    pub(super) show: fn(&State, &Row) -> Value,
}

/// Which versions of the rows were made last.
#[derive(Default)]
pub(super) struct Marks {
    touched: Option<u64>,
    beside: u64,
    versions: HashMap<Uuid, u64>,
}

impl Sheet {
    /// Rows that may be others than the last ones, by their ids; none where a row is gone.
    pub(super) async fn news(
        &self,
        dataverse: &Dataverse,
        marks: &mut Marks,
    ) -> BTreeMap<String, Option<Value>> {
        let (changed, gone) = self.compare(&dataverse.state(), marks);
        for id in &gone {
            marks.versions.remove(id);
        }
        let mut news: BTreeMap<_, _> = gone.iter().map(|id| (id.to_string(), None)).collect();
        for some in changed.chunks(AT_ONCE) {
            news.extend(self.make(dataverse, marks, some));
            yield_now().await;
        }
        news
    }

    /// These rows as they are now. One that is gone meanwhile is found missing at the next look.
    fn make(
        &self,
        dataverse: &Dataverse,
        marks: &mut Marks,
        ids: &[Uuid],
    ) -> Vec<(String, Option<Value>)> {
        let state = dataverse.state();
        let mut made = Vec::new();
        for row in (ids.iter()).filter_map(|id| state.store.row(self.table, *id)) {
            marks.versions.insert(row.id, row.version);
            made.push((row.id.to_string(), Some((self.show)(&state, row))));
        }
        // Whoever waits for the environment comes before the next rows.
        MutexGuard::unlock_fair(state);
        made
    }

    /// The ids of rows that changed, and of those that are gone.
    fn compare(&self, state: &State, marks: &mut Marks) -> (Vec<Uuid>, Vec<Uuid>) {
        let store = &state.store;
        let beside = store.touched_in(self.beside);
        let touched = store.touched_in(&[self.table]) + beside;
        if marks.touched.replace(touched) == Some(touched) {
            return (Vec::new(), Vec::new());
        }
        let all = std::mem::replace(&mut marks.beside, beside) != beside;
        let (mut count, mut fresh, mut changed) = (0, 0, Vec::new());
        for row in store.rows(self.table) {
            let known = marks.versions.get(&row.id);
            count += 1;
            fresh += usize::from(known.is_none());
            if all || known != Some(&row.version) {
                changed.push(row.id);
            }
        }
        let mut gone = Vec::new();
        if marks.versions.len() + fresh > count {
            let known = marks.versions.keys().copied();
            gone.extend(known.filter(|id| store.row(self.table, *id).is_none()));
        }
        (changed, gone)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;
    use crate::{Clock, Faults};

    const SHEET: Sheet = Sheet {
        name: "people",
        table: "contact",
        beside: &["account"],
        show: |_, row| json!(row.text("fullname")),
    };

    async fn told(dataverse: &Dataverse, marks: &mut Marks) -> Vec<String> {
        let news = SHEET.news(dataverse, marks).await;
        let text = |row: Option<Value>| row.map_or("gone".to_owned(), |row| row.to_string());
        let mut told: Vec<String> = news.into_values().map(text).collect();
        told.sort();
        told
    }

    #[tokio::test]
    async fn only_rows_that_changed_are_made_anew() {
        let dataverse = Dataverse::new(Clock::system(), 1, Faults::default());
        let add = |name: &str| dataverse.insert("contacts", &json!({"lastname": name}));
        let (ann, _ben) = (add("Ann"), add("Ben"));
        let marks = &mut Marks::default();
        assert_eq!(told(&dataverse, marks).await, ["\"Ann\"", "\"Ben\""]);
        dataverse.insert("systemusers", &json!({"fullname": "Sam"}));
        assert!(told(&dataverse, marks).await.is_empty());
        dataverse.change("contacts", ann, &json!({"lastname": "Anna"}));
        add("Cleo");
        assert_eq!(told(&dataverse, marks).await, ["\"Anna\"", "\"Cleo\""]);
        dataverse.delete("contacts", ann);
        assert_eq!(told(&dataverse, marks).await, ["gone"]);
        assert!(told(&dataverse, marks).await.is_empty());
        dataverse.insert("accounts", &json!({"name": "Fabrikam"}));
        assert_eq!(told(&dataverse, marks).await, ["\"Ben\"", "\"Cleo\""]);
        dataverse.age(SignedDuration::from_hours(1));
        assert_eq!(told(&dataverse, marks).await, ["\"Ben\"", "\"Cleo\""]);
    }

    #[tokio::test]
    async fn a_large_table_is_shown_whole() {
        let dataverse = Dataverse::new(Clock::system(), 1, Faults::default());
        for number in 0..=AT_ONCE * 2 {
            dataverse.insert("contacts", &json!({"lastname": number.to_string()}));
        }
        let marks = &mut Marks::default();
        assert_eq!(told(&dataverse, marks).await.len(), AT_ONCE * 2 + 1);
        assert!(told(&dataverse, marks).await.is_empty());
    }
}
