//! Plants what competes with the service: workflows, flows, what they listen to, and plug-ins.

use sandbox::Dataverse;
use sandbox::dataverse::process_xaml;
use serde_json::{Value, json};
use uuid::Uuid;

/// An active classic workflow that sends mail, unless the columns say otherwise.
pub(super) fn workflow(dataverse: &Dataverse, name: &str, table: &str, columns: &Value) -> Uuid {
    let row = json!({
        "name": name,
        "primaryentity": table,
        "xaml": process_xaml(table, true),
        "statecode": 1,
        "statuscode": 2,
    });
    dataverse.insert("workflows", &with(row, columns))
}

pub(super) fn with(mut row: Value, columns: &Value) -> Value {
    for (column, value) in columns.as_object().unwrap() {
        row[column] = value.clone();
    }
    row
}

/// An active cloud flow with one action; `operation` is what the action calls.
pub(super) fn flow(dataverse: &Dataverse, name: &str, table: &str, operation: &str) -> Uuid {
    let trigger = json!({
        "type": "OpenApiConnectionWebhook",
        "inputs": {
            "host": {
                "apiId": "/providers/Microsoft.PowerApps/apis/shared_commondataserviceforapps",
                "operationId": "SubscribeWebhookTrigger",
            },
            "parameters": {
                "subscriptionRequest/message": 1,
                "subscriptionRequest/entityname": table,
                "subscriptionRequest/scope": 4,
            },
        },
    });
    let action = json!({
        "type": "OpenApiConnection",
        "inputs": {
            "host": {
                "apiId": "/providers/Microsoft.PowerApps/apis/shared_office365",
                "operationId": operation,
            },
            "parameters": {"emailMessage/To": "@triggerOutputs()?['body/emailaddress1']"},
        },
    });
    let definition =
        json!({"triggers": {"When_a_row_is_added": trigger}, "actions": {"Act": action}});
    let row = json!({
        "name": name,
        "category": 5,
        "primaryentity": "none",
        "clientdata": json!({"properties": {"definition": definition}}).to_string(),
        "statecode": 1,
        "statuscode": 2,
    });
    dataverse.insert("workflows", &row)
}

pub(super) fn listener(dataverse: &Dataverse, flow: &str, table: &str, columns: &Value) -> Uuid {
    let row = json!({"name": flow, "entityname": table, "message": 1, "scope": 4});
    dataverse.insert("callbackregistrations", &with(row, columns))
}

/// An enabled step of a plug-in.
pub(super) fn step(
    dataverse: &Dataverse,
    (message, table): (&str, &str),
    (assembly, managed): (&str, bool),
    columns: &Value,
) {
    let id = dataverse.insert("sdkmessages", &json!({"name": message}));
    let filter = json!({"primaryobjecttypecode": table, "_sdkmessageid_value": id});
    let filter = dataverse.insert("sdkmessagefilters", &filter);
    let plugin = json!({"name": "Plugin", "typename": "Plugin", "assemblyname": assembly});
    let plugin = dataverse.insert("plugintypes", &plugin);
    let row = json!({
        "name": format!("{assembly}: {message} of {table}"),
        "stage": 20,
        "ismanaged": managed,
        "_sdkmessageid_value": id,
        "_sdkmessagefilterid_value": filter,
        "_plugintypeid_value": plugin,
    });
    dataverse.insert("sdkmessageprocessingsteps", &with(row, columns));
}
