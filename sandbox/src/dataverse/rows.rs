//! The rows of one table by their keys, and which of them hold an identifier in a column.
//!
//! Callers ask for the invitations of twenty contacts at a time. Without an index, a benchmark of thousands of contacts would
//! mostly measure how long they are looked for here.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::store::Row;

#[derive(Debug, Default)]
pub(crate) struct Rows {
    rows: BTreeMap<Uuid, Row>,
    /// The keys of the rows that hold an identifier in a column.
    holders: BTreeMap<(&'static str, Uuid), BTreeSet<Uuid>>,
}

impl Rows {
    pub(crate) fn get(&self, id: Uuid) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// In the order of their keys.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// Those that hold an identifier in a column, in the order of their keys.
    pub(crate) fn holding(&self, column: &'static str, id: Uuid) -> impl Iterator<Item = &Row> {
        let keys = self.holders.get(&(column, id)).into_iter().flatten();
        keys.filter_map(|key| self.rows.get(key))
    }

    /// Puts a row in, and gives the one that was there.
    pub(crate) fn insert(&mut self, row: Row) -> Option<Row> {
        let before = self.remove(row.id);
        for holder in held(&row) {
            self.holders.entry(holder).or_default().insert(row.id);
        }
        self.rows.insert(row.id, row);
        before
    }

    pub(crate) fn remove(&mut self, id: Uuid) -> Option<Row> {
        let row = self.rows.remove(&id)?;
        for holder in held(&row) {
            if let Some(keys) = self.holders.get_mut(&holder) {
                keys.remove(&id);
                if keys.is_empty() {
                    self.holders.remove(&holder);
                }
            }
        }
        Some(row)
    }

    /// Changes rows in what is no identifier.
    pub(crate) fn change(&mut self, change: impl FnMut(&mut Row)) {
        self.rows.values_mut().for_each(change);
    }
}

/// The identifiers that a row holds, and their columns.
fn held(row: &Row) -> impl Iterator<Item = (&'static str, Uuid)> {
    let cells = row.cells.iter();
    cells.filter_map(|(column, cell)| Some((*column, cell.id()?)))
}
