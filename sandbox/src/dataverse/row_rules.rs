//! What the platform sees to in every row: states, defaults, owners, names and moments.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::cell::Cell;
use super::errors::{ARGUMENT, Refusal, STATUS};
use super::payload::{Changes, Writer};
use super::schema::{Entity, Kind, Ownership, Requirement};
use super::state::State;
use super::store::{Cells, Row};

/// Keeps state and status reason in step: a state alone brings its default status, a status has to
/// belong to the state.
pub(crate) fn settle_state(
    entity: Entity,
    row: Option<&Row>,
    changes: &mut Changes,
    writer: Writer,
) -> Result<(), Refusal> {
    if entity.table.states.is_empty() {
        return Ok(());
    }
    let given = |column| match changes.get(column) {
        Some(Some(Cell::Integer(value))) => Ok(Some(*value)),
        None => Ok(None),
        _ => Err(Refusal::bad(
            ARGUMENT,
            format!("'{column}' cannot be set to null."),
        )),
    };
    let (state, status) = (given("statecode")?, given("statuscode")?);
    if row.is_none() && writer == Writer::Creates && state.is_some_and(|state| state != 0) {
        return Err(Refusal::unsupported("making a row that is not active"));
    }
    if row.is_some() && state.is_none() && status.is_none() {
        return Ok(());
    }
    let current = || row.and_then(|row| row.integer("statecode")).unwrap_or(0);
    let state = state.unwrap_or_else(current);
    let status = status.or_else(|| entity.table.default_status(state));
    if status.and_then(|status| entity.table.state_of(status)) != Some(state) {
        let message = format!(
            "{} is not a valid status code for state code {state} on {}.",
            status.unwrap_or_default(),
            entity.table.logical
        );
        return Err(Refusal::bad(STATUS, message));
    }
    changes.insert("statecode", Some(Cell::Integer(state)));
    changes.insert("statuscode", status.map(Cell::Integer));
    Ok(())
}

/// The values that a new row has where none are given.
pub(crate) fn defaults(entity: Entity) -> Cells {
    let default = |column: &super::schema::Column| {
        let value = column.default?;
        let cell = match column.kind {
            Kind::Boolean => Cell::Boolean(value != 0),
            _ => Cell::Integer(value),
        };
        Some((column.name, cell))
    };
    entity.columns().filter_map(default).collect()
}

/// Fills in what follows from other values: owner, moments, a person's full name.
pub(crate) fn complete(state: &State, entity: Entity, cells: &mut Cells) {
    let caller = Cell::Reference("systemuser", state.caller);
    let now = Cell::Moment(state.now());
    if !cells.contains_key("createdon") {
        cells.insert("createdon", now.clone());
        cells.insert("createdby", caller.clone());
    }
    cells.entry("modifiedon").or_insert(now);
    cells.entry("modifiedby").or_insert_with(|| caller.clone());
    if entity.table.ownership == Ownership::User {
        complete_owner(state, cells, caller);
    }
    if entity.table.logical == "contact" {
        complete_name(cells);
    }
}

fn complete_owner(state: &State, cells: &mut Cells, caller: Cell) {
    let owner = cells.entry("ownerid").or_insert(caller).clone();
    let Cell::Reference(table, _) = owner else {
        return;
    };
    let unit = Cell::Reference("businessunit", state.business_unit);
    cells.insert("owningbusinessunit", unit);
    cells.insert("owneridtype", Cell::Text(table.to_owned()));
    cells.remove("owninguser");
    cells.remove("owningteam");
    cells.insert(
        if table == "team" {
            "owningteam"
        } else {
            "owninguser"
        },
        owner,
    );
}

fn complete_name(cells: &mut Cells) {
    let part = |column| match cells.get(column) {
        Some(Cell::Text(text)) => text.trim().to_owned(),
        _ => String::new(),
    };
    let (first, last) = (part("firstname"), part("lastname"));
    let full = format!("{first} {last}").trim().to_owned();
    if full.is_empty() {
        cells.remove("fullname");
    } else {
        cells.insert("fullname", Cell::Text(full));
    }
}

/// Refuses a new row that lacks a value it has to have.
pub(crate) fn check_required(state: &State, entity: Entity, cells: &Cells) -> Result<(), Refusal> {
    let needed = |requirement| match requirement {
        Requirement::System => true,
        Requirement::Application => state.settings.enforce_required,
        Requirement::None => false,
    };
    let missing = entity
        .columns()
        .find(|column| needed(column.requirement) && !cells.contains_key(column.name));
    let Some(column) = missing else {
        return Ok(());
    };
    let (table, name) = (entity.table.logical, column.name);
    Err(Refusal::bad(
        ARGUMENT,
        format!("The attribute '{name}' of '{table}' is required."),
    ))
}

/// A code as the stock process makes them: 128 bytes as Base64 with `+`, `/` and `=` turned into `-`.
/// <https://github.com/Adoxio/xRM-Portals-Community-Edition>
pub(crate) fn stock_code(state: &mut State) -> String {
    let bytes: Vec<u8> = (0..8).flat_map(|_| state.mint().into_bytes()).collect();
    STANDARD.encode(bytes).replace(['+', '/', '='], "-")
}
