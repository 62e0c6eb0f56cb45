//! A filter made ready for one table: columns found, types checked, and tested against rows.
//!
//! Both `$filter` and FetchXML end here. Text compares without case, and "not equal" holds for null.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows>

use std::cmp::Ordering;
use std::collections::BTreeSet;

use uuid::Uuid;

use super::cell::Cell;
use super::errors::{QUERY, Refusal};
use super::filter::{Expression, Literal, Operator};
use super::pattern::Pattern;
use super::privileges::Verb;
use super::schema::{Column, Entity, Kind};
use super::state::State;
use super::store::Row;

/// A condition on the rows of one table.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Null(&'static str),
    Compare(&'static str, Operator, Cell),
    /// The text in the column matches this pattern.
    Like(&'static str, Pattern),
    /// The identifier in the column is one of these.
    Among(&'static str, BTreeSet<Uuid>),
}

impl Condition {
    /// The condition that every row meets.
    pub(crate) const TRUE: Self = Self::All(Vec::new());

    /// The condition that a row meets any of these. Long lists of identifiers, as callers write them, become one set.
    fn any(conditions: Vec<Self>) -> Self {
        let equals = |condition: &Self| match condition {
            Self::Compare(column, Operator::Equal, Cell::Guid(id)) => Some((*column, *id)),
            _ => None,
        };
        let ids: Option<Vec<_>> = conditions.iter().map(equals).collect();
        match ids.as_deref() {
            Some([(first, _), others @ ..]) if others.iter().all(|(column, _)| column == first) => {
                let ids = ids.iter().flatten().map(|(_, id)| *id).collect();
                Self::Among(first, ids)
            }
            _ => Self::Any(conditions),
        }
    }

    /// A column and identifiers, of which each row that meets this condition holds one there; none where it names none.
    pub(crate) fn named(&self) -> Option<(&'static str, &BTreeSet<Uuid>)> {
        match self {
            Self::All(conditions) => conditions.iter().find_map(Self::named),
            Self::Among(column, ids) => Some((column, ids)),
            _ => None,
        }
    }

    pub(crate) fn holds(&self, row: &Row) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(row)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(row)),
            Self::Not(condition) => !condition.holds(row),
            Self::Null(column) => !row.cells.contains_key(column),
            Self::Compare(column, operator, cell) => {
                compares(row.cells.get(column), *operator, cell)
            }
            Self::Like(column, pattern) => {
                row.text(column).is_some_and(|text| pattern.matches(text))
            }
            Self::Among(column, ids) => row.id_in(column).is_some_and(|id| ids.contains(&id)),
        }
    }
}

fn compares(stored: Option<&Cell>, operator: Operator, cell: &Cell) -> bool {
    let Some(order) = stored.map(|stored| stored.compare(cell)) else {
        return operator == Operator::NotEqual;
    };
    match operator {
        Operator::Equal => order == Ordering::Equal,
        Operator::NotEqual => order != Ordering::Equal,
        Operator::Greater => order == Ordering::Greater,
        Operator::GreaterOrEqual => order != Ordering::Less,
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
    }
}

/// Finds the columns of a filter and checks the types of its constants.
///
/// Conditions on a row that a lookup leads to need the state of the environment.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows#filter-using-lookup-property-values>
pub(crate) fn resolve(
    state: Option<&State>,
    entity: Entity,
    expression: Expression,
) -> Result<Condition, Refusal> {
    let all = |terms: Vec<Expression>| {
        let terms = terms.into_iter().map(|term| resolve(state, entity, term));
        terms.collect::<Result<Vec<_>, _>>()
    };
    match expression {
        Expression::All(terms) => Ok(Condition::All(all(terms)?)),
        Expression::Any(terms) => Ok(Condition::any(all(terms)?)),
        Expression::Not(inner) => Ok(Condition::Not(Box::new(resolve(state, entity, *inner)?))),
        Expression::Compare(name, operator, literal) => match (state, name.split_once('/')) {
            (Some(state), Some((lookup, rest))) => {
                let inner = Expression::Compare(rest.to_owned(), operator, literal);
                through(state, entity, lookup, inner)
            }
            _ => comparison(property(entity, &name)?, operator, &literal),
        },
        Expression::Matches(function, name, literal) => {
            let column = property(entity, &name)?;
            let (Kind::Text(_) | Kind::Memo(_), Literal::Text(text)) = (column.kind, &literal)
            else {
                let message = format!("No function signature matches the arguments for '{name}'.");
                return Err(Refusal::bad(QUERY, message));
            };
            Ok(Condition::Like(
                column.name,
                Pattern::function(function, text),
            ))
        }
        Expression::Function(name, arguments) => function(entity, &name, &arguments),
    }
}

/// A condition on the row that a lookup leads to: the lookup holds one of the rows that meet it.
fn through(
    state: &State,
    entity: Entity,
    lookup: &str,
    inner: Expression,
) -> Result<Condition, Refusal> {
    let found = entity.navigation(lookup);
    let (column, targets) = found.ok_or_else(|| Refusal::no_property(lookup, entity))?;
    let other = match targets.as_slice() {
        [target] => state.entity(target.table),
        _ => None,
    };
    let unsupported = || Refusal::unsupported(format!("a condition through '{lookup}'"));
    let other = other.ok_or_else(unsupported)?;
    state.allow(other, Verb::Read)?;
    let condition = resolve(Some(state), other, inner)?;
    let rows = state.store.rows(other.table.logical);
    let rows = rows.filter(|row| condition.holds(row));
    Ok(Condition::Among(
        column.name,
        rows.map(|row| row.id).collect(),
    ))
}

/// A column by the name that a query uses.
pub(crate) fn property(entity: Entity, name: &str) -> Result<&'static Column, Refusal> {
    if name.contains('/') {
        return Err(Refusal::unsupported(format!(
            "the path '{name}' in a query"
        )));
    }
    entity
        .property(name)
        .ok_or_else(|| Refusal::no_property(name, entity))
}

fn comparison(
    column: &'static Column,
    operator: Operator,
    literal: &Literal,
) -> Result<Condition, Refusal> {
    let name = column.name;
    let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    match (constant(column.kind, operator, literal)?, operator) {
        (None, Operator::Equal) => Ok(Condition::Null(name)),
        (None, Operator::NotEqual) => Ok(Condition::Not(Box::new(Condition::Null(name)))),
        // Nothing is greater or less than null.
        (None, _) => Ok(Condition::Any(Vec::new())),
        (Some(cell), _) if equality || ordered(column.kind) => {
            Ok(Condition::Compare(name, operator, cell))
        }
        _ => Err(incompatible(column.kind, operator, literal)),
    }
}

fn ordered(kind: Kind) -> bool {
    !matches!(kind, Kind::Boolean | Kind::Guid | Kind::Lookup(_))
}

/// The constant as a value of this kind; null is `None`.
fn constant(kind: Kind, operator: Operator, literal: &Literal) -> Result<Option<Cell>, Refusal> {
    let cell = match (kind, literal) {
        (_, Literal::Null) => return Ok(None),
        (Kind::Text(_) | Kind::Memo(_) | Kind::TableName, Literal::Text(text)) => {
            Cell::Text(text.clone())
        }
        (
            Kind::Integer(..) | Kind::Version | Kind::Choice(_) | Kind::State | Kind::Status,
            Literal::Integer(number),
        ) => Cell::Integer(*number),
        (Kind::Boolean, Literal::Boolean(flag)) => Cell::Boolean(*flag),
        (Kind::Moment, Literal::Moment(moment)) => Cell::Moment(*moment),
        (Kind::Guid | Kind::Lookup(_), Literal::Guid(id)) => Cell::Guid(*id),
        _ => return Err(incompatible(kind, operator, literal)),
    };
    Ok(Some(cell))
}

fn incompatible(kind: Kind, operator: Operator, literal: &Literal) -> Refusal {
    let left = match kind {
        Kind::Text(_) | Kind::Memo(_) | Kind::TableName => "Edm.String",
        Kind::Integer(..) | Kind::Choice(_) | Kind::State | Kind::Status => "Edm.Int32",
        Kind::Version => "Edm.Int64",
        Kind::Boolean => "Edm.Boolean",
        Kind::Moment => "Edm.DateTimeOffset",
        Kind::Guid | Kind::Lookup(_) => "Edm.Guid",
    };
    let right = match literal {
        Literal::Null => "Edm.Null",
        Literal::Boolean(_) => "Edm.Boolean",
        Literal::Integer(_) => "Edm.Int32",
        Literal::Decimal(_) => "Edm.Double",
        Literal::Text(_) => "Edm.String",
        Literal::Guid(_) => "Edm.Guid",
        Literal::Moment(_) => "Edm.DateTimeOffset",
        Literal::Date(_) => "Edm.Date",
    };
    let message = format!(
        "A binary operator with incompatible types was detected. Found operand types '{left}' and '{right}' for operator kind '{operator:?}'."
    );
    Refusal::bad(QUERY, message)
}

/// The query function `In`, in its one documented use: a list of primary keys of contacts.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/in>
fn function(
    entity: Entity,
    name: &str,
    arguments: &[(String, Vec<String>)],
) -> Result<Condition, Refusal> {
    let unsupported = || Refusal::unsupported(format!("the query function {name} used like this"));
    let [(first, property), (second, values)] = arguments else {
        return Err(unsupported());
    };
    let known = name == "Microsoft.Dynamics.CRM.In"
        && first == "PropertyName"
        && second == "PropertyValues"
        && property.as_slice() == ["contactid"]
        && entity.table.logical == "contact";
    if !known || values.is_empty() {
        return Err(unsupported());
    }
    let id = |value: &String| {
        let message = format!("'{value}' is not a valid Guid for 'contactid'.");
        Uuid::try_parse(value).map_err(|_| Refusal::bad(QUERY, message))
    };
    let ids: Result<_, _> = values.iter().map(id).collect();
    Ok(Condition::Among("contactid", ids?))
}

#[cfg(test)]
mod tests;
