//! How a table is described: its columns, lookups, states and relationships.
//!
//! Tables are data (see `tables`), so that one set of rules serves all of them. Names are kept exactly
//! as Dataverse spells them: logical names are lower case, navigation properties are case-sensitive.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/web-api-service-documents>

use super::customization::{Customization, PLAIN};
use super::tables;

/// The data type of a column, with the limits that a value must keep.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Text of at most this many characters.
    Text(usize),
    /// A longer text, which cannot be sorted by.
    Memo(usize),
    /// A whole number within these bounds.
    Integer(i64, i64),
    /// The row version as a number.
    Version,
    /// Yes or no.
    Boolean,
    /// One of the listed option values, with their labels.
    Choice(&'static [(i64, &'static str)]),
    /// Active or inactive; the values stand in [`Table::states`].
    State,
    /// The reason for the state; the values stand in [`Table::states`].
    Status,
    /// A moment, stored in UTC to the second.
    Moment,
    /// A unique identifier.
    Guid,
    /// The logical name of a table.
    TableName,
    /// A reference to a row of one of these tables.
    Lookup(&'static [Target]),
}

/// Where a lookup may point, and by which name it is bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// The single-valued navigation property, case-sensitive.
    pub(crate) navigation: &'static str,
    /// Logical name of the table.
    pub(crate) table: &'static str,
    /// Whether the row goes when the row it refers to goes; otherwise the reference is emptied.
    pub(crate) cascade_delete: bool,
}

/// Who may set a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Callers, at any time.
    Write,
    /// Callers, but only when the row is made.
    Create,
    /// The platform alone.
    Read,
}

/// Whether a row needs a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// Not at all.
    None,
    /// The business says so.
    Application,
    /// The platform says so, and fills it in.
    System,
}

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) schema_name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) access: Access,
    pub(crate) requirement: Requirement,
    /// Value of a new row where none is given (booleans as 0 and 1).
    pub(crate) default: Option<i64>,
    /// Part of the portal solutions, so not present in every environment.
    pub(crate) portal: bool,
    /// Which data model brings it.
    pub(crate) model: Model,
}

impl Column {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        let (access, requirement) = (Access::Write, Requirement::None);
        Self {
            name,
            schema_name: name,
            kind,
            access,
            requirement,
            default: None,
            portal: false,
            model: Model::Any,
        }
    }

    pub(crate) const fn schema(mut self, schema_name: &'static str) -> Self {
        self.schema_name = schema_name;
        self
    }

    pub(crate) const fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    pub(crate) const fn required(mut self, requirement: Requirement) -> Self {
        self.requirement = requirement;
        self
    }

    pub(crate) const fn or(mut self, default: i64) -> Self {
        self.default = Some(default);
        self
    }

    pub(crate) const fn portal(mut self) -> Self {
        self.portal = true;
        self
    }

    pub(crate) const fn of(mut self, model: Model) -> Self {
        self.model = model;
        self
    }

    /// The name under which the Web API shows the column.
    pub(crate) fn property(&self) -> String {
        match self.kind {
            Kind::Lookup(_) => format!("_{}_value", self.name),
            _ => self.name.to_owned(),
        }
    }

    /// The tables that a lookup may point to; none for other kinds.
    pub(crate) fn targets(&self) -> &'static [Target] {
        match self.kind {
            Kind::Lookup(targets) => targets,
            _ => &[],
        }
    }
}

/// A state of a row and the status reasons that belong to it, the default one first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    pub(crate) value: i64,
    pub(crate) label: &'static str,
    pub(crate) statuses: &'static [(i64, &'static str)],
}

/// Who owns the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    User,
    Organization,
}

/// Which portal data model a table or relationship belongs to.
/// <https://learn.microsoft.com/power-pages/admin/enhanced-data-model>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    Any,
    Enhanced,
    Standard,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) logical: &'static str,
    pub(crate) schema_name: &'static str,
    pub(crate) set: &'static str,
    pub(crate) key: &'static str,
    pub(crate) primary_name: &'static str,
    pub(crate) columns: &'static [Column],
    pub(crate) states: &'static [State],
    pub(crate) ownership: Ownership,
    pub(crate) model: Model,
}

impl Table {
    /// Every column: the table's own, then those that the platform adds.
    pub(crate) fn all_columns(&self) -> impl Iterator<Item = &'static Column> {
        let owner: &[Column] = if self.ownership == Ownership::User {
            tables::OWNER_COLUMNS
        } else {
            &[]
        };
        let state: &[Column] = if self.states.is_empty() {
            &[]
        } else {
            tables::STATE_COLUMNS
        };
        [self.columns, state, owner, tables::SYSTEM_COLUMNS]
            .into_iter()
            .flatten()
    }

    /// The state that a status reason belongs to.
    pub(crate) fn state_of(&self, status: i64) -> Option<i64> {
        let holds = |state: &&State| state.statuses.iter().any(|(value, _)| *value == status);
        self.states.iter().find(holds).map(|state| state.value)
    }

    /// The status reason that a row gets with a state when none is named.
    pub(crate) fn default_status(&self, state: i64) -> Option<i64> {
        let state = self.states.iter().find(|known| known.value == state)?;
        state.statuses.first().map(|(value, _)| *value)
    }

    /// The labels of an option column; none for other kinds.
    pub(crate) fn options(&self, column: &Column) -> Vec<(i64, &'static str)> {
        match column.kind {
            Kind::Choice(options) => options.to_vec(),
            Kind::State => self
                .states
                .iter()
                .map(|state| (state.value, state.label))
                .collect(),
            Kind::Status => self
                .states
                .iter()
                .flat_map(|state| state.statuses)
                .copied()
                .collect(),
            Kind::Boolean => vec![(0, "No"), (1, "Yes")],
            _ => Vec::new(),
        }
    }
}

/// A many-to-many relationship; its schema name is also the name of the collection.
#[derive(Debug)]
pub(crate) struct ManyToMany {
    pub(crate) schema_name: &'static str,
    pub(crate) first: &'static str,
    pub(crate) second: &'static str,
    /// Whether the collection has the same name on the second table (otherwise only the first side is known).
    pub(crate) both_sides: bool,
    pub(crate) model: Model,
}

/// A table as one environment has it: with or without the columns of the portal solutions and of either data model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entity {
    pub(crate) table: &'static Table,
    pub(crate) portal_columns: bool,
    pub(crate) enhanced: bool,
    pub(crate) standard: bool,
    pub(crate) custom: &'static Customization,
}

impl Entity {
    /// A table as the portal solutions make it.
    pub(crate) fn new(table: &'static Table) -> Self {
        Self {
            table,
            portal_columns: true,
            enhanced: true,
            standard: true,
            custom: &PLAIN,
        }
    }

    pub(crate) fn columns(self) -> impl Iterator<Item = &'static Column> {
        self.table
            .all_columns()
            .filter(move |column| self.portal_columns || !column.portal)
            .filter(move |column| match column.model {
                Model::Any => true,
                Model::Enhanced => self.enhanced,
                Model::Standard => self.standard,
            })
            .filter(move |column| self.custom.has(column))
    }

    /// A column by logical name.
    pub(crate) fn column(self, name: &str) -> Option<&'static Column> {
        self.columns().find(|column| column.name == name)
    }

    /// A column by the name it has in the Web API (`_name_value` for lookups).
    pub(crate) fn property(self, property: &str) -> Option<&'static Column> {
        let lookup = property
            .strip_prefix('_')
            .and_then(|rest| rest.strip_suffix("_value"));
        let is_lookup = |column: &&Column| matches!(column.kind, Kind::Lookup(_));
        match lookup {
            Some(name) => self.column(name).filter(is_lookup),
            None => self.column(property).filter(|column| !is_lookup(column)),
        }
    }

    /// The lookup behind a single-valued navigation property, and where that property leads.
    pub(crate) fn navigation(self, name: &str) -> Option<(&'static Column, Vec<Target>)> {
        self.columns().find_map(|column| {
            let named = |target: &&Target| self.spelling(target) == name;
            let targets: Vec<_> = column.targets().iter().filter(named).copied().collect();
            (!targets.is_empty()).then_some((column, targets))
        })
    }

    /// How a navigation property is spelled here.
    pub(crate) fn spelling(self, target: &Target) -> String {
        if self.custom.lower_case {
            target.navigation.to_lowercase()
        } else {
            target.navigation.to_owned()
        }
    }

    /// The type as OData names it.
    pub(crate) fn type_name(self) -> String {
        format!("Microsoft.Dynamics.CRM.{}", self.table.logical)
    }
}
