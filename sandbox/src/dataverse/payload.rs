//! Reads the JSON of a row that a caller writes: properties, bound lookups, and what is not allowed.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-entity-web-api>

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::cell::{self, Cell};
use super::errors::{PAYLOAD, Refusal};
use super::execution::Execution;
use super::privileges::Verb;
use super::schema::{Access, Column, Entity, Target};

/// What a write sets, by column; `None` empties it.
pub(crate) type Changes = BTreeMap<&'static str, Option<Cell>>;

/// Who writes, and so what they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A caller of the Web API who makes a row.
    Creates,
    /// A caller of the Web API who changes a row.
    Updates,
    /// A person or process inside the environment, who may set every column.
    Inside,
}

/// A property that is neither a column nor a navigation property of the table.
fn undeclared(entity: Entity, name: &str) -> Refusal {
    let (set, kind) = (entity.table.set, entity.type_name());
    Refusal::bad(
        PAYLOAD,
        format!(
            "Error identified in Payload provided by the user for Entity :'{set}'. An undeclared property '{name}' was found; '{kind}' has no such property (names are case-sensitive)."
        ),
    )
}

/// Reads a body as the JSON object it has to be.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Refusal::bad(
            PAYLOAD,
            "The body of the request is not a JSON object.",
        )),
    }
}

impl Execution<'_> {
    /// Reads a row. Lookups are checked to lead to a row that exists.
    pub(crate) fn read_payload(
        &self,
        entity: Entity,
        body: &Map<String, Value>,
        writer: Writer,
    ) -> Result<Changes, Refusal> {
        let mut changes = Changes::new();
        for (name, value) in body {
            if let Some((column, cell)) = self.read_property(entity, name, value, writer)? {
                changes.insert(column.name, cell);
            }
        }
        Ok(changes)
    }

    fn read_property(
        &self,
        entity: Entity,
        name: &str,
        value: &Value,
        writer: Writer,
    ) -> Result<Option<(&'static Column, Option<Cell>)>, Refusal> {
        if let Some(navigation) = name.strip_suffix("@odata.bind") {
            return self
                .read_binding(entity, navigation, value, writer)
                .map(Some);
        }
        if name.contains('@') {
            return read_annotation(entity, name, value).map(|()| None);
        }
        if let Some((column, _)) = entity.navigation(name) {
            writable(entity, column, writer)?;
            return match value {
                Value::Null => Ok(Some((column, None))),
                Value::Object(_) => Err(Refusal::unsupported(format!("a nested row in '{name}'"))),
                _ => Err(undeclared(entity, name)),
            };
        }
        let column = entity
            .property(name)
            .ok_or_else(|| undeclared(entity, name))?;
        if let [target, ..] = column.targets() {
            return match (writer, value.as_str().map(Uuid::try_parse)) {
                (Writer::Inside, Some(Ok(id))) => {
                    Ok(Some((column, Some(Cell::Reference(target.table, id)))))
                }
                (Writer::Inside, None) if value.is_null() => Ok(Some((column, None))),
                _ => Err(undeclared(entity, name)),
            };
        }
        writable(entity, column, writer)?;
        Ok(Some((column, cell::read(entity, column, value)?)))
    }

    fn read_binding(
        &self,
        entity: Entity,
        navigation: &str,
        value: &Value,
        writer: Writer,
    ) -> Result<(&'static Column, Option<Cell>), Refusal> {
        if self.state.collection(entity, navigation).is_some() {
            return Err(Refusal::unsupported(format!(
                "a bound collection '{navigation}'"
            )));
        }
        let Some((column, targets)) = entity.navigation(navigation) else {
            return Err(undeclared(entity, &format!("{navigation}@odata.bind")));
        };
        writable(entity, column, writer)?;
        let cell = match value {
            Value::Null => None,
            Value::String(uri) => Some(self.read_reference(entity, &targets, uri, writer)?),
            _ => return Err(undeclared(entity, navigation)),
        };
        Ok((column, cell))
    }

    /// The row that a lookup is set to, once it is known to exist and the caller may refer to it.
    pub(crate) fn read_reference(
        &self,
        entity: Entity,
        targets: &[Target],
        uri: &str,
        writer: Writer,
    ) -> Result<Cell, Refusal> {
        let (other, id) = self.reference(uri)?;
        let logical = other.table.logical;
        let Some(target) = targets.iter().find(|target| target.table == logical) else {
            let message = format!("'{uri}' is a {logical}, which this property cannot hold.");
            return Err(Refusal::bad(PAYLOAD, message));
        };
        // An owner is assigned to; nothing is appended.
        if writer != Writer::Inside && target.navigation != "ownerid" {
            self.state.allow(entity, Verb::Append)?;
            self.state.allow(other, Verb::AppendTo)?;
        }
        let row = self.state.store.row(logical, id);
        row.ok_or_else(|| Refusal::no_row(logical, id))?;
        Ok(Cell::Reference(target.table, id))
    }
}

/// Annotations do not write anything; the type, where given, must be that of the table.
fn read_annotation(entity: Entity, name: &str, value: &Value) -> Result<(), Refusal> {
    let given = value.as_str().unwrap_or_default();
    if name == "@odata.type" && given.trim_start_matches('#') != entity.type_name() {
        let message = format!("The type '{given}' is not that of '{}'.", entity.table.set);
        return Err(Refusal::bad(PAYLOAD, message));
    }
    Ok(())
}

fn writable(entity: Entity, column: &Column, writer: Writer) -> Result<(), Refusal> {
    let allowed = match (column.access, writer) {
        (Access::Write, _) | (_, Writer::Inside) | (Access::Create, Writer::Creates) => true,
        // The key names the row, so it may stand in an update as well; it is compared there.
        (Access::Create, Writer::Updates) => column.name == entity.table.key,
        (Access::Read, _) => false,
    };
    if allowed {
        return Ok(());
    }
    let (table, name) = (entity.table.logical, column.name);
    let message = format!("The property '{name}' of '{table}' cannot be set by this request.");
    Err(Refusal::bad(PAYLOAD, message))
}
