//! The rows and links of the sandbox, their versions, and the changes that a failed changeset takes back.
//!
//! Knows tables and cells, no HTTP. Every map is ordered, so that the same calls give the same answers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::cell::Cell;
use super::relationships::RELATIONSHIPS;
use super::rows::Rows;
use super::schema::Table;
use super::tables::TABLES;

/// The values of a row by logical column name; null is absence.
pub(crate) type Cells = BTreeMap<&'static str, Cell>;

/// A row, with the version that every change renews.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) version: u64,
    pub(crate) cells: Cells,
}

impl Row {
    pub(crate) fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }

    /// The option or number in a column.
    pub(crate) fn integer(&self, column: &str) -> Option<i64> {
        match self.cells.get(column)? {
            Cell::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The text in a column.
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        match self.cells.get(column)? {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The moment in a column.
    pub(crate) fn moment(&self, column: &str) -> Option<Timestamp> {
        match self.cells.get(column)? {
            Cell::Moment(moment) => Some(*moment),
            _ => None,
        }
    }

    /// The row that a lookup points to, or the identifier in a column.
    pub(crate) fn id_in(&self, column: &str) -> Option<Uuid> {
        self.cells.get(column)?.id()
    }
}

/// What a change replaced.
#[derive(Debug)]
enum Undo {
    Row(&'static str, Uuid, Option<Row>),
    Link(&'static str, (Uuid, Uuid), bool),
}

/// All data of an environment.
#[derive(Debug, Default)]
pub(crate) struct Store {
    tables: BTreeMap<&'static str, Rows>,
    links: BTreeMap<&'static str, BTreeSet<(Uuid, Uuid)>>,
    version: u64,
    /// Grows whenever a row, a link or a moment may have become another.
    pub(crate) touched: u64,
    /// The same for the rows of each table.
    changes: BTreeMap<&'static str, u64>,
    /// How often everything was made older.
    ages: u64,
    /// Successful changes by callers of the Web API.
    pub(crate) writes: u64,
    undo: Option<(u64, Vec<Undo>)>,
}

impl Store {
    pub(crate) fn row(&self, table: &str, id: Uuid) -> Option<&Row> {
        self.tables.get(table)?.get(id)
    }

    /// The rows of a table in the order of their keys.
    pub(crate) fn rows(&self, table: &str) -> impl Iterator<Item = &Row> {
        self.tables.get(table).into_iter().flat_map(Rows::all)
    }

    /// The rows of a table that hold an identifier in a column, in the order of their keys.
    pub(crate) fn holding(
        &self,
        table: &str,
        column: &'static str,
        id: Uuid,
    ) -> impl Iterator<Item = &Row> {
        let rows = self.tables.get(table).into_iter();
        rows.flat_map(move |rows| rows.holding(column, id))
    }

    /// Grows whenever a row of one of these tables may have become another.
    pub(crate) fn touched_in(&self, tables: &[&str]) -> u64 {
        let changes = tables.iter().filter_map(|table| self.changes.get(table));
        changes.sum::<u64>() + self.ages
    }

    fn touch(&mut self, table: &'static str) {
        self.touched += 1;
        *self.changes.entry(table).or_default() += 1;
    }

    /// Writes a whole row and gives it a new version.
    pub(crate) fn put(&mut self, table: &'static str, id: Uuid, cells: Cells) {
        self.version += 1;
        self.touch(table);
        let row = Row {
            id,
            version: self.version,
            cells,
        };
        let before = self.tables.entry(table).or_default().insert(row);
        self.remember(Undo::Row(table, id, before));
    }

    /// Removes a row; references to it are emptied or go with it, links to it go.
    pub(crate) fn remove(&mut self, table: &'static str, id: Uuid) -> bool {
        let Some(row) = self.tables.get_mut(table).and_then(|rows| rows.remove(id)) else {
            return false;
        };
        self.touch(table);
        self.remember(Undo::Row(table, id, Some(row)));
        self.remove_references(table, id);
        self.remove_links(table, id);
        true
    }

    fn remove_references(&mut self, table: &'static str, id: Uuid) {
        for other in TABLES {
            for (referring, column, cascade) in self.references(other, table, id) {
                if cascade {
                    self.remove(other.logical, referring);
                } else if let Some(mut row) = self.row(other.logical, referring).cloned() {
                    row.cells.remove(column);
                    self.put(other.logical, referring, row.cells);
                }
            }
        }
    }

    /// The rows of `other` that refer to a row: their ids, the column, and whether they go with it.
    fn references(
        &self,
        other: &Table,
        table: &'static str,
        id: Uuid,
    ) -> Vec<(Uuid, &'static str, bool)> {
        let aimed = Cell::Reference(table, id);
        let lookups = other.all_columns().flat_map(|column| {
            let targets = column.targets().iter();
            targets.map(move |target| (column.name, target))
        });
        lookups
            .filter(|(_, target)| target.table == table)
            .flat_map(|(column, target)| {
                let rows = self.holding(other.logical, column, id);
                rows.map(move |row| (row, column, target.cascade_delete))
            })
            .filter(|(row, column, _)| row.cells.get(column) == Some(&aimed))
            .map(|(row, column, cascade)| (row.id, column, cascade))
            .collect()
    }

    fn remove_links(&mut self, table: &str, id: Uuid) {
        for relationship in RELATIONSHIPS {
            let gone: Vec<_> = self
                .links(relationship.schema_name)
                .filter(|(first, second)| {
                    (relationship.first == table && *first == id)
                        || (relationship.second == table && *second == id)
                })
                .collect();
            for pair in gone {
                self.unlink(relationship.schema_name, pair);
            }
        }
    }

    /// The pairs of a many-to-many relationship.
    pub(crate) fn links(&self, relationship: &str) -> impl Iterator<Item = (Uuid, Uuid)> {
        self.links.get(relationship).into_iter().flatten().copied()
    }

    /// Links two rows; false when they already were.
    pub(crate) fn link(&mut self, relationship: &'static str, pair: (Uuid, Uuid)) -> bool {
        let added = self.links.entry(relationship).or_default().insert(pair);
        if added {
            self.remember(Undo::Link(relationship, pair, false));
        }
        added
    }

    /// Unlinks two rows; false when they were not linked.
    pub(crate) fn unlink(&mut self, relationship: &'static str, pair: (Uuid, Uuid)) -> bool {
        let removed = self.links.entry(relationship).or_default().remove(&pair);
        if removed {
            self.remember(Undo::Link(relationship, pair, true));
        }
        removed
    }

    fn remember(&mut self, undo: Undo) {
        if let Some((_, changes)) = &mut self.undo {
            changes.push(undo);
        }
    }

    /// Starts a transaction: from here on every change can be taken back.
    pub(crate) fn begin(&mut self) {
        self.undo = Some((self.writes, Vec::new()));
    }

    pub(crate) fn commit(&mut self) {
        self.undo = None;
    }

    /// Takes back every change since [`Store::begin`]; versions are not used again.
    pub(crate) fn roll_back(&mut self) {
        let Some((writes, changes)) = self.undo.take() else {
            return;
        };
        self.writes = writes;
        self.touched += 1;
        for change in changes.into_iter().rev() {
            if let Undo::Row(table, ..) = change {
                self.touch(table);
            }
            match change {
                Undo::Row(table, _, Some(row)) => {
                    self.tables.entry(table).or_default().insert(row);
                }
                Undo::Row(table, id, None) => {
                    self.tables.entry(table).or_default().remove(id);
                }
                Undo::Link(relationship, pair, true) => {
                    self.links.entry(relationship).or_default().insert(pair);
                }
                Undo::Link(relationship, pair, false) => {
                    self.links.entry(relationship).or_default().remove(&pair);
                }
            }
        }
    }

    /// Makes every stored moment this much older; versions stay, as nobody wrote anything.
    pub(crate) fn age(&mut self, by: SignedDuration) {
        self.touched += 1;
        self.ages += 1;
        let grow_older = |cell: &mut Cell| {
            if let Cell::Moment(moment) = cell {
                *moment = moment.checked_sub(by).unwrap_or(*moment);
            }
        };
        for rows in self.tables.values_mut() {
            rows.change(|row| row.cells.values_mut().for_each(grow_older));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(column: &'static str, cell: Cell) -> Cells {
        Cells::from([(column, cell)])
    }

    fn two_rows() -> (Store, Uuid, Uuid) {
        let (contact, invitation) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut store = Store::default();
        store.put("contact", contact, Cells::new());
        let reference = Cell::Reference("contact", contact);
        store.put(
            "adx_invitation",
            invitation,
            cells("adx_invitecontact", reference),
        );
        store.link("adx_invitation_invitecontacts", (invitation, contact));
        (store, contact, invitation)
    }

    #[test]
    fn a_deleted_contact_leaves_an_orphan_invitation() {
        let (mut store, contact, invitation) = two_rows();
        let before = store.row("adx_invitation", invitation).unwrap().version;
        assert!(store.remove("contact", contact));
        let row = store.row("adx_invitation", invitation).unwrap();
        assert_eq!(row.id_in("adx_invitecontact"), None);
        assert!(row.version > before);
        assert_eq!(store.links("adx_invitation_invitecontacts").count(), 0);
    }

    #[test]
    fn a_deleted_contact_takes_its_external_identities_along() {
        let (mut store, contact, _) = two_rows();
        let identity = Uuid::from_u128(3);
        let reference = Cell::Reference("contact", contact);
        store.put(
            "adx_externalidentity",
            identity,
            cells("adx_contactid", reference),
        );
        store.remove("contact", contact);
        assert!(store.row("adx_externalidentity", identity).is_none());
    }

    #[test]
    fn rows_are_found_by_what_they_hold_now() {
        let (mut store, contact, invitation) = two_rows();
        let found = |store: &Store, id| {
            let rows = store.holding("adx_invitation", "adx_invitecontact", id);
            rows.map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(found(&store, contact), [invitation]);
        let other = Uuid::from_u128(7);
        store.begin();
        let reference = Cell::Reference("contact", other);
        store.put(
            "adx_invitation",
            invitation,
            cells("adx_invitecontact", reference),
        );
        assert_eq!(
            (found(&store, contact), found(&store, other)),
            (vec![], vec![invitation])
        );
        store.roll_back();
        assert_eq!(
            (found(&store, contact), found(&store, other)),
            (vec![invitation], vec![])
        );
        store.remove("adx_invitation", invitation);
        assert!(found(&store, contact).is_empty());
    }

    #[test]
    fn a_rolled_back_transaction_leaves_no_trace() {
        let (mut store, contact, invitation) = two_rows();
        let before = store.row("adx_invitation", invitation).unwrap().version;
        store.begin();
        store.writes += 1;
        store.remove("contact", contact);
        store.put("account", Uuid::from_u128(9), Cells::new());
        store.roll_back();
        let row = store.row("adx_invitation", invitation).unwrap();
        assert_eq!(row.version, before);
        assert_eq!(row.id_in("adx_invitecontact"), Some(contact));
        assert!(store.row("contact", contact).is_some());
        assert_eq!(store.rows("account").count(), 0);
        assert_eq!(store.links("adx_invitation_invitecontacts").count(), 1);
        assert_eq!(store.writes, 0);
    }

    #[test]
    fn ageing_moves_moments_and_keeps_versions() {
        let (mut store, contact, _) = two_rows();
        let moment: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        store.put("contact", contact, cells("createdon", Cell::Moment(moment)));
        let version = store.row("contact", contact).unwrap().version;
        store.age(SignedDuration::from_hours(24));
        let row = store.row("contact", contact).unwrap();
        assert_eq!(
            row.moment("createdon").unwrap().to_string(),
            "2026-11-21T10:00:00Z"
        );
        assert_eq!(row.version, version);
    }
}
