//! What a customer has changed in the definition of a table: columns gone, narrowed, or with another behaviour.
//!
//! A changed behaviour of a date shows in its definition alone: how values of such a column are read and shown is
//! not imitated.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/behavior-format-date-time-attribute>

use std::collections::BTreeMap;

use super::Dataverse;
use super::schema::Column;

/// A change of one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redefinition {
    /// The column does not exist.
    Missing,
    /// A text of at most this many characters.
    Length(usize),
    /// `DateTimeBehavior` of a date: `UserLocal`, `DateOnly` or `TimeZoneIndependent`.
    Behavior(&'static str),
}

/// Every change of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Customization {
    columns: BTreeMap<&'static str, Redefinition>,
    /// Whether navigation properties are spelled in lower case.
    pub(crate) lower_case: bool,
    /// Whether the table does not exist.
    pub(crate) absent: bool,
}

/// A table as it came.
pub(crate) static PLAIN: Customization = Customization {
    columns: BTreeMap::new(),
    lower_case: false,
    absent: false,
};

impl Customization {
    pub(crate) fn has(&self, column: &Column) -> bool {
        self.columns.get(column.name) != Some(&Redefinition::Missing)
    }

    /// The longest text that a column takes, where it takes `most` as it came.
    pub(crate) fn length(&self, column: &Column, most: usize) -> usize {
        match self.columns.get(column.name) {
            Some(Redefinition::Length(length)) => *length,
            _ => most,
        }
    }

    pub(crate) fn behavior(&self, column: &Column) -> &'static str {
        match self.columns.get(column.name) {
            Some(Redefinition::Behavior(behavior)) => behavior,
            _ => "UserLocal",
        }
    }
}

impl Dataverse {
    /// Changes the definition of a column, for the whole Web API.
    ///
    /// # Panics
    /// If there is no such entity set or column.
    pub fn redefine(&self, set: &str, column: &str, change: Redefinition) {
        let entity = self.known(set);
        let column = entity.column(column);
        let column = column.unwrap_or_else(|| panic!("{set} has no such column"));
        let mut custom = entity.custom.clone();
        custom.columns.insert(column.name, change);
        self.state().customize(entity.table.logical, custom);
    }

    /// Spells the navigation properties of a table in lower case.
    ///
    /// # Panics
    /// If there is no such entity set.
    pub fn lower_case_navigation(&self, set: &str) {
        let entity = self.known(set);
        let mut custom = entity.custom.clone();
        custom.lower_case = true;
        self.state().customize(entity.table.logical, custom);
    }

    /// Takes a table away.
    ///
    /// # Panics
    /// If there is no such entity set.
    pub fn remove_table(&self, set: &str) {
        let entity = self.known(set);
        let mut custom = entity.custom.clone();
        custom.absent = true;
        self.state().customize(entity.table.logical, custom);
    }
}
