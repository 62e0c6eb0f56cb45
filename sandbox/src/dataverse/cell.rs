//! The value of one column of one row: how it is read from JSON, checked, shown and compared.

use std::cmp::Ordering;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;
use uuid::Uuid;

use super::errors::{PAYLOAD, Refusal, VALIDATION};
use super::schema::{Column, Entity, Kind};

/// A value that is not null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Moment(Timestamp),
    Guid(Uuid),
    /// A row of another table.
    Reference(&'static str, Uuid),
}

impl Cell {
    /// The value as the Web API shows it.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Integer(number) => Value::from(*number),
            Self::Boolean(flag) => Value::from(*flag),
            Self::Moment(moment) => Value::from(moment.to_string()),
            Self::Guid(id) | Self::Reference(_, id) => Value::from(id.to_string()),
        }
    }

    /// The identifier in it, if it is one.
    pub(crate) fn id(&self) -> Option<Uuid> {
        match self {
            Self::Guid(id) | Self::Reference(_, id) => Some(*id),
            _ => None,
        }
    }

    /// Order as the database has it: text without case, identifiers whatever they point to.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows>
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(one), Self::Text(two)) => one.to_lowercase().cmp(&two.to_lowercase()),
            (Self::Integer(one), Self::Integer(two)) => one.cmp(two),
            (Self::Boolean(one), Self::Boolean(two)) => one.cmp(two),
            (Self::Moment(one), Self::Moment(two)) => one.cmp(two),
            _ => self
                .id()
                .map(in_database_order)
                .cmp(&other.id().map(in_database_order)),
        }
    }
}

/// An identifier as the database sorts it: its last group first, the first three with their bytes turned round.
/// <https://learn.microsoft.com/dotnet/framework/data/adonet/sql/comparing-guid-and-uniqueidentifier-values>
pub(crate) fn in_database_order(id: Uuid) -> [u8; 16] {
    const PLACES: [usize; 16] = [10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3];
    let bytes = id.to_bytes_le();
    PLACES.map(|place| bytes[place])
}

/// Cuts a moment to the whole second that the database keeps.
pub(crate) fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// Reads a moment as a payload may give it: without an offset it is taken as UTC.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/behavior-format-date-time-attribute>
fn read_moment(text: &str) -> Option<Timestamp> {
    let naive = || {
        let local: DateTime = text.parse().ok()?;
        Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(naive).map(whole_seconds)
}

fn wrong_type(entity: Entity, column: &Column, value: &Value) -> Refusal {
    let name = column.name;
    Refusal::bad(
        PAYLOAD,
        format!(
            "Error identified in Payload provided by the user for Entity :'{}'. Cannot convert the value '{value}' of '{name}' to the type of the property.",
            entity.table.set
        ),
    )
}

fn too_long(entity: Entity, column: &Column, max: usize) -> Refusal {
    let (table, name) = (entity.table.logical, column.name);
    Refusal::bad(
        VALIDATION,
        format!(
            "A validation error occurred. The length of the '{name}' attribute of the '{table}' entity exceeded the maximum allowed length of '{max}'."
        ),
    )
}

fn out_of_range(entity: Entity, column: &Column, value: i64, accepted: &str) -> Refusal {
    let (table, name) = (entity.table.logical, column.name);
    Refusal::bad(
        VALIDATION,
        format!(
            "A validation error occurred. The value {value} of '{name}' on record of type '{table}' is outside the valid range. Accepted Values: {accepted}"
        ),
    )
}

/// Reads a value for a column out of a payload; null is `None`.
pub(crate) fn read(
    entity: Entity,
    column: &Column,
    value: &Value,
) -> Result<Option<Cell>, Refusal> {
    let wrong = || wrong_type(entity, column, value);
    if value.is_null() {
        return Ok(None);
    }
    let cell = match column.kind {
        Kind::Text(max) | Kind::Memo(max) => {
            text(entity, column, value, entity.custom.length(column, max))?
        }
        Kind::TableName => Cell::Text(value.as_str().ok_or_else(wrong)?.to_owned()),
        Kind::Integer(min, max) => {
            let number = value.as_i64().ok_or_else(wrong)?;
            let accepted = format!("{min} to {max}");
            let refused = || out_of_range(entity, column, number, &accepted);
            Cell::Integer(
                (min..=max)
                    .contains(&number)
                    .then_some(number)
                    .ok_or_else(refused)?,
            )
        }
        Kind::Version => Cell::Integer(value.as_i64().ok_or_else(wrong)?),
        Kind::Boolean => Cell::Boolean(value.as_bool().ok_or_else(wrong)?),
        Kind::Choice(_) | Kind::State | Kind::Status => {
            option(entity, column, value.as_i64().ok_or_else(wrong)?)?
        }
        Kind::Moment => Cell::Moment(value.as_str().and_then(read_moment).ok_or_else(wrong)?),
        Kind::Guid => {
            let id = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
            Cell::Guid(id.ok_or_else(wrong)?)
        }
        Kind::Lookup(_) => return Err(wrong()),
    };
    Ok(Some(cell))
}

fn text(entity: Entity, column: &Column, value: &Value, max: usize) -> Result<Cell, Refusal> {
    let text = value
        .as_str()
        .ok_or_else(|| wrong_type(entity, column, value))?;
    if text.encode_utf16().count() > max {
        return Err(too_long(entity, column, max));
    }
    Ok(Cell::Text(text.to_owned()))
}

fn option(entity: Entity, column: &Column, value: i64) -> Result<Cell, Refusal> {
    let options = entity.table.options(column);
    if options.iter().any(|(known, _)| *known == value) {
        return Ok(Cell::Integer(value));
    }
    let known: Vec<_> = options.iter().map(|(known, _)| known.to_string()).collect();
    Err(out_of_range(entity, column, value, &known.join(",")))
}

#[cfg(test)]
mod tests {
    use super::super::tables::TABLES;
    use super::*;
    use serde_json::json;

    fn read_one(name: &str, value: &Value) -> Result<Option<Cell>, Refusal> {
        let table = TABLES
            .iter()
            .find(|table| table.logical == "adx_invitation")
            .unwrap();
        let entity = Entity::new(table);
        read(entity, entity.column(name).unwrap(), value)
    }

    #[test]
    fn values_outside_the_limits_are_refused() {
        for (column, value) in [
            ("adx_name", json!("x".repeat(201))),
            ("adx_invitationcode", json!(7)),
            ("adx_type", json!(1)),
            ("adx_type", json!("756150000")),
            ("adx_maximumredemptions", json!(0)),
            ("adx_maximumredemptions", json!(1.5)),
            ("adx_redemptions", json!(-1)),
            ("statuscode", json!(3)),
            ("adx_expirydate", json!("tomorrow")),
            ("adx_invitationid", json!("not-a-guid")),
        ] {
            assert_eq!(
                read_one(column, &value).unwrap_err().status,
                400,
                "{column} {value}"
            );
        }
    }

    #[test]
    fn a_moment_without_an_offset_is_utc() {
        for given in [
            "2026-12-06",
            "2026-12-06T00:00:00",
            "2026-12-06T02:00:00.9+02:00",
        ] {
            let cell = read_one("adx_expirydate", &json!(given)).unwrap().unwrap();
            assert_eq!(cell.to_json(), json!("2026-12-06T00:00:00Z"), "{given}");
        }
    }

    #[test]
    fn text_compares_without_case() {
        let cell = |text: &str| Cell::Text(text.to_owned());
        assert_eq!(cell("Anna").compare(&cell("aNNA")), Ordering::Equal);
        assert_eq!(cell("anna").compare(&cell("BEN")), Ordering::Less);
    }
}
