//! The tables of what runs inside Dataverse when something happens to a row: messages, plug-ins and their steps.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/sdkmessageprocessingstep>

use super::schema::{Column, Kind, Requirement, State, Table};
use super::tables::{boolean, choice, key, lookup, memo, organization_table, text, to};

pub(super) static MESSAGE: Table = organization_table(
    ("sdkmessage", "SdkMessage", "sdkmessages"),
    ("sdkmessageid", "name"),
    &[
        key("sdkmessageid").schema("SdkMessageId"),
        text("name", 256).schema("Name"),
    ],
    &[],
);

/// Which messages a table knows.
pub(super) static MESSAGE_FILTER: Table = organization_table(
    ("sdkmessagefilter", "SdkMessageFilter", "sdkmessagefilters"),
    ("sdkmessagefilterid", "name"),
    &[
        key("sdkmessagefilterid").schema("SdkMessageFilterId"),
        text("name", 256).schema("Name"),
        Column::new("primaryobjecttypecode", Kind::TableName).schema("PrimaryObjectTypeCode"),
        lookup("sdkmessageid", &[to("sdkmessageid", "sdkmessage")]).schema("SdkMessageId"),
    ],
    &[],
);

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/plugintype>
pub(super) static PLUGIN_TYPE: Table = organization_table(
    ("plugintype", "PluginType", "plugintypes"),
    ("plugintypeid", "name"),
    &[
        key("plugintypeid").schema("PluginTypeId"),
        text("name", 256).schema("Name"),
        text("typename", 256).schema("TypeName"),
        text("assemblyname", 100).schema("AssemblyName"),
        boolean("ismanaged").schema("IsManaged").or(0),
    ],
    &[],
);

pub(super) static STEP: Table = organization_table(
    (
        "sdkmessageprocessingstep",
        "SdkMessageProcessingStep",
        "sdkmessageprocessingsteps",
    ),
    ("sdkmessageprocessingstepid", "name"),
    &[
        key("sdkmessageprocessingstepid").schema("SdkMessageProcessingStepId"),
        text("name", 256)
            .schema("Name")
            .required(Requirement::Application),
        choice(
            "stage",
            &[
                (10, "Pre-validation"),
                (20, "Pre-operation"),
                (40, "Post-operation"),
            ],
        )
        .schema("Stage"),
        choice("mode", &[(0, "Synchronous"), (1, "Asynchronous")])
            .schema("Mode")
            .or(0),
        boolean("ismanaged").schema("IsManaged").or(0),
        memo("filteringattributes").schema("FilteringAttributes"),
        lookup("sdkmessageid", &[to("sdkmessageid", "sdkmessage")]).schema("SdkMessageId"),
        lookup(
            "sdkmessagefilterid",
            &[to("sdkmessagefilterid", "sdkmessagefilter")],
        )
        .schema("SdkMessageFilterId"),
        lookup("plugintypeid", &[to("plugintypeid", "plugintype")]).schema("PluginTypeId"),
    ],
    &[
        State {
            value: 0,
            label: "Enabled",
            statuses: &[(1, "Enabled")],
        },
        State {
            value: 1,
            label: "Disabled",
            statuses: &[(2, "Disabled")],
        },
    ],
);
