//! Reads a value as FetchXML writes it, by the column that it is compared with.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/reference/condition>

use serde_json::Value;
use uuid::Uuid;

use super::cell::{self, Cell};
use super::errors::{ARGUMENT, Refusal};
use super::schema::{Column, Entity, Kind};

/// A value as FetchXML writes it, for a column.
pub(crate) fn cell(entity: Entity, column: &'static Column, text: &str) -> Result<Cell, Refusal> {
    let wrong = || {
        let message = format!(
            "The value '{text}' does not fit attribute '{}'.",
            column.name
        );
        Refusal::bad(ARGUMENT, message)
    };
    let value = match column.kind {
        Kind::Guid | Kind::Lookup(_) => {
            let id = Uuid::try_parse(text.trim()).map_err(|_| wrong())?;
            return Ok(Cell::Guid(id));
        }
        Kind::Text(_) | Kind::Memo(_) | Kind::TableName => return Ok(Cell::Text(text.to_owned())),
        Kind::Boolean => match text {
            "1" | "true" => Value::Bool(true),
            "0" | "false" => Value::Bool(false),
            _ => return Err(wrong()),
        },
        Kind::Moment => Value::from(text),
        _ => return Ok(Cell::Integer(text.parse().map_err(|_| wrong())?)),
    };
    let cell = cell::read(entity, column, &value).map_err(|_| wrong())?;
    cell.ok_or_else(wrong)
}
