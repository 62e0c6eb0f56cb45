//! Shows rows as the Web API does: chosen columns, annotations, the rows that lookups lead to.

use serde_json::{Map, Value};

use super::cell::Cell;
use super::condition;
use super::errors::Refusal;
use super::options;
use super::privileges::Verb;
use super::reply::Preferences;
use super::schema::{Column, Entity, Kind, Target};
use super::state::State;
use super::store::Row;

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";

/// How rows are shown.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// The columns to show; none means all.
    pub(crate) columns: Option<Vec<&'static Column>>,
    /// Lookups whose rows are shown within.
    pub(crate) expand: Vec<Expansion>,
    /// FetchXML leaves columns without a value out; OData shows null.
    pub(crate) omit_null: bool,
}

/// A lookup to follow, and what to show of the row there.
#[derive(Debug)]
pub(crate) struct Expansion {
    navigation: String,
    column: &'static Column,
    targets: Vec<Target>,
    select: Option<String>,
}

/// Reads `$expand`: single-valued navigation properties, each with a `$select` at most.
pub(crate) fn expansions(
    state: &State,
    entity: Entity,
    text: &str,
) -> Result<Vec<Expansion>, Refusal> {
    split_top(text)
        .into_iter()
        .map(|part| expansion(state, entity, part.trim()))
        .collect()
}

fn expansion(state: &State, entity: Entity, part: &str) -> Result<Expansion, Refusal> {
    let (name, rest) = part.split_once('(').unwrap_or((part, ""));
    let inside = rest.strip_suffix(')').unwrap_or(rest);
    let select = inside.strip_prefix("$select=");
    if select.is_none() && !inside.is_empty() {
        return Err(Refusal::unsupported(format!("'{inside}' inside $expand")));
    }
    if state.collection(entity, name).is_some() {
        return Err(Refusal::unsupported(format!(
            "the collection '{name}' in $expand"
        )));
    }
    let (column, targets) = entity
        .navigation(name)
        .ok_or_else(|| Refusal::no_property(name, entity))?;
    for target in &targets {
        let other = state.entity(target.table);
        let other = other.ok_or_else(|| Refusal::unsupported(format!("$expand of '{name}'")))?;
        state.allow(other, Verb::Read)?;
        // A name that is wrong is refused even where no row would show it.
        select
            .map(|select| options::columns(other, select))
            .transpose()?;
    }
    let (navigation, select) = (name.to_owned(), select.map(str::to_owned));
    Ok(Expansion {
        navigation,
        column,
        targets,
        select,
    })
}

/// Splits at commas outside parentheses.
fn split_top(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    text.split(move |character| {
        depth += i32::from(character == '(') - i32::from(character == ')');
        character == ',' && depth == 0
    })
    .collect()
}

/// Shows a row.
pub(crate) fn row(
    state: &State,
    entity: Entity,
    row: &Row,
    shape: &Shape,
    preferences: &Preferences,
) -> Map<String, Value> {
    let mut shown = Map::from_iter([("@odata.etag".to_owned(), Value::from(row.etag()))]);
    let key = entity.column(entity.table.key);
    match &shape.columns {
        Some(columns) => {
            let others = columns
                .iter()
                .copied()
                .filter(|column| column.name != entity.table.key);
            for column in others.chain(key) {
                show(state, entity, row, column, shape, preferences, &mut shown);
            }
        }
        None => {
            for column in entity.columns() {
                show(state, entity, row, column, shape, preferences, &mut shown);
            }
        }
    }
    for expansion in &shape.expand {
        let inner = follow(state, row, expansion, preferences);
        shown.insert(
            expansion.navigation.clone(),
            inner.map_or(Value::Null, Value::Object),
        );
    }
    shown
}

fn show(
    state: &State,
    entity: Entity,
    row: &Row,
    column: &'static Column,
    shape: &Shape,
    preferences: &Preferences,
    shown: &mut Map<String, Value>,
) {
    let property = column.property();
    let cell = match column.kind {
        Kind::Version => i64::try_from(row.version).ok().map(Cell::Integer),
        _ => row.cells.get(column.name).cloned(),
    };
    let Some(cell) = cell else {
        if !shape.omit_null {
            shown.insert(property, Value::Null);
        }
        return;
    };
    let mut annotate = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|_| preferences.wants(name)) {
            shown.insert(format!("{property}@{name}"), Value::from(text));
        }
    };
    if let Cell::Reference(table, _) = cell {
        let target = column.targets().iter().find(|target| target.table == table);
        annotate(
            NAVIGATION,
            target.map(|target| target.navigation.to_owned()),
        );
        annotate(LOGICAL_NAME, Some(table.to_owned()));
    }
    annotate(FORMATTED, formatted(state, entity, column, &cell));
    shown.insert(property, cell.to_json());
}

/// What a person would read: the label of an option, the name of the row that a lookup leads to.
pub(super) fn formatted(
    state: &State,
    entity: Entity,
    column: &Column,
    cell: &Cell,
) -> Option<String> {
    let number = match cell {
        Cell::Reference(table, id) => {
            let name = state.entity(table)?.table.primary_name;
            return state.store.row(table, *id)?.text(name).map(str::to_owned);
        }
        Cell::Integer(number) => *number,
        Cell::Boolean(flag) => i64::from(*flag),
        _ => return None,
    };
    let options = entity.table.options(column);
    options
        .iter()
        .find(|(value, _)| *value == number)
        .map(|(_, label)| (*label).to_owned())
}

fn follow(
    state: &State,
    row: &Row,
    expansion: &Expansion,
    preferences: &Preferences,
) -> Option<Map<String, Value>> {
    let Cell::Reference(table, id) = row.cells.get(expansion.column.name)? else {
        return None;
    };
    // A navigation property leads to one table; the same lookup may hold a row of another.
    expansion
        .targets
        .iter()
        .find(|target| target.table == *table)?;
    let entity = state.entity(table)?;
    let select = expansion.select.as_deref();
    let columns = select.map(|select| columns(entity, select));
    let shape = Shape {
        columns,
        ..Shape::default()
    };
    Some(self::row(
        state,
        entity,
        state.store.row(table, *id)?,
        &shape,
        preferences,
    ))
}

/// The columns that a `$select` names; names were checked when it was read.
fn columns(entity: Entity, select: &str) -> Vec<&'static Column> {
    let names = select.split(',').map(str::trim);
    names
        .filter_map(|name| condition::property(entity, name).ok())
        .collect()
}
