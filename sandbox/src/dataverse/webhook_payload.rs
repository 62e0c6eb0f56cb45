//! What a webhook posts: a `RemoteExecutionContext` as .NET writes it, slashes escaped and moments as `\/Date(ms)\/`.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks#json-data>

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cell::Cell;
use super::payload::Changes;
use super::render;
use super::schema::{Column, Entity, Kind};
use super::state::State;
use super::webhooks::Message;

/// What a body that is too large lacks.
const LEFT_OUT: [&str; 4] = [
    "ParentContext",
    "InputParameters",
    "PreEntityImages",
    "PostEntityImages",
];

const CONTRACTS: &str = "http://schemas.microsoft.com/xrm/2011/Contracts";

/// An event, ready to be posted.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    pub(super) id: Uuid,
    pub(super) message: Message,
    pub(super) oversized: bool,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

/// Describes a write that was just made.
pub(super) fn write(
    state: &mut State,
    entity: Entity,
    id: Uuid,
    message: Message,
    changes: &Changes,
) -> Payload {
    let correlation = state.mint();
    let mut context = context(state, entity, id, message, changes);
    context.insert("CorrelationId".to_owned(), json!(correlation));
    let mut text = escaped(&context);
    let oversized = text.len() > state.settings.webhook_bytes;
    if oversized {
        for name in LEFT_OUT {
            context.remove(name);
        }
        text = escaped(&context);
    }
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("x-ms-dynamics-organization", "sandbox.example".to_owned()),
        ("x-ms-dynamics-entity-name", entity.table.logical.to_owned()),
        ("x-ms-dynamics-request-name", format!("{message:?}")),
        ("x-ms-correlation-request-id", correlation.to_string()),
    ];
    if oversized {
        headers.push(("x-ms-dynamics-msg-size-exceeded", "true".to_owned()));
    }
    let headers = headers.into_iter();
    Payload {
        id,
        message,
        oversized,
        headers: headers
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        body: text.into(),
    }
}

/// A slash stands in JSON only inside of texts.
fn escaped(context: &Map<String, Value>) -> String {
    Value::Object(context.clone())
        .to_string()
        .replace('/', "\\/")
}

fn context(
    state: &mut State,
    entity: Entity,
    id: Uuid,
    message: Message,
    changes: &Changes,
) -> Map<String, Value> {
    let (operation, request) = (state.mint(), state.mint());
    let (user, logical) = (state.caller, entity.table.logical);
    let target = target(state, entity, id, changes);
    let image = image(state, entity, id);
    let context = json!({
        "BusinessUnitId": state.business_unit,
        "CorrelationId": null,
        "Depth": 1,
        "InitiatingUserId": user,
        "InputParameters": [{"key": "Target", "value": target}],
        "IsExecutingOffline": false,
        "IsInTransaction": false,
        "IsOfflinePlayback": false,
        "IsolationMode": 1,
        "MessageName": format!("{message:?}"),
        "Mode": 1,
        "OperationCreatedOn": format!("/Date({}+0000)/", state.now().as_millisecond()),
        "OperationId": operation,
        "OrganizationId": state.organization,
        "OrganizationName": "sandbox",
        "OutputParameters": [],
        "OwningExtension": {
            "Id": request, "KeyAttributes": [], "LogicalName": "sdkmessageprocessingstep",
            "Name": null, "RowVersion": null,
        },
        "ParentContext": null,
        "PostEntityImages": [{"key": "AsynchronousStepPrimaryName", "value": image}],
        "PreEntityImages": [],
        "PrimaryEntityId": id,
        "PrimaryEntityName": logical,
        "RequestId": request,
        "SecondaryEntityName": "none",
        "SharedVariables": [],
        "Stage": 40,
        "UserId": user,
    });
    match context {
        Value::Object(context) => context,
        _ => Map::new(),
    }
}

/// The row as the request gave it: nothing that it left alone.
fn target(state: &State, entity: Entity, id: Uuid, changes: &Changes) -> Value {
    let columns = || {
        changes.iter().filter_map(|(name, cell)| {
            let column = entity.column(name)?;
            Some((column, cell.as_ref()))
        })
    };
    let attributes: Vec<_> = columns()
        .map(|(column, cell)| {
            let value = cell.map_or(Value::Null, |cell| value(state, column, cell));
            json!({"key": column.name, "value": value})
        })
        .collect();
    let formatted: Vec<_> = columns()
        .filter_map(|(column, cell)| {
            let text = render::formatted(state, entity, column, cell?)?;
            Some(json!({"key": column.name, "value": text}))
        })
        .collect();
    row(entity, id, &attributes, &formatted)
}

/// The primary name alone, as each asynchronous step gets it.
fn image(state: &State, entity: Entity, id: Uuid) -> Value {
    let table = entity.table;
    let row_now = state.store.row(table.logical, id);
    let name = row_now.and_then(|row| row.text(table.primary_name));
    let attributes = [
        json!({"key": table.primary_name, "value": name}),
        json!({"key": table.key, "value": id}),
    ];
    row(entity, id, &attributes, &[])
}

fn row(entity: Entity, id: Uuid, attributes: &[Value], formatted: &[Value]) -> Value {
    json!({
        "__type": format!("Entity:{CONTRACTS}"),
        "Attributes": attributes,
        "EntityState": null,
        "FormattedValues": formatted,
        "Id": id,
        "KeyAttributes": [],
        "LogicalName": entity.table.logical,
        "RelatedEntities": [],
        "RowVersion": null,
    })
}

fn value(state: &State, column: &Column, cell: &Cell) -> Value {
    match (column.kind, cell) {
        (Kind::Choice(_) | Kind::State | Kind::Status, Cell::Integer(number)) => {
            json!({"__type": format!("OptionSetValue:{CONTRACTS}"), "Value": number})
        }
        (_, Cell::Moment(moment)) => Value::from(date(*moment)),
        (_, Cell::Reference(table, id)) => {
            let name = state.entity(table).and_then(|other| {
                let row = state.store.row(table, *id)?;
                row.text(other.table.primary_name).map(str::to_owned)
            });
            json!({
                "__type": format!("EntityReference:{CONTRACTS}"),
                "Id": id, "KeyAttributes": [], "LogicalName": table, "Name": name,
                "RowVersion": null,
            })
        }
        (_, cell) => cell.to_json(),
    }
}

fn date(moment: Timestamp) -> String {
    format!("/Date({})/", moment.as_millisecond())
}
