//! The tables of processes, saved views and subscriptions.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/workflow>

use super::schema::{Column, Kind, Model, Ownership, Requirement, State, Table};
use super::tables::{ACTIVE_INACTIVE, boolean, choice, key, lookup, memo, text, to};

const CATEGORIES: &[(i64, &str)] = &[
    (0, "Workflow"),
    (1, "Dialog"),
    (2, "Business Rule"),
    (3, "Action"),
    (4, "Business Process Flow"),
    (5, "Modern Flow"),
    (6, "Desktop Flow"),
    (7, "AI Flow"),
];
const SCOPES: &[(i64, &str)] = &[
    (1, "User"),
    (2, "Business Unit"),
    (3, "Parent: Child Business Units"),
    (4, "Organization"),
];
const STAGES: &[(i64, &str)] = &[(20, "Pre-operation"), (40, "Post-operation")];

pub(super) static WORKFLOW: Table = Table {
    logical: "workflow",
    schema_name: "Workflow",
    set: "workflows",
    key: "workflowid",
    primary_name: "name",
    columns: &[
        key("workflowid").schema("WorkflowId"),
        text("name", 256)
            .schema("Name")
            .required(Requirement::Application),
        choice("category", CATEGORIES).schema("Category").or(0),
        choice(
            "type",
            &[(1, "Definition"), (2, "Activation"), (3, "Template")],
        )
        .schema("Type")
        .or(1),
        choice("mode", &[(0, "Background"), (1, "Real-time")])
            .schema("Mode")
            .or(0),
        choice("scope", SCOPES).schema("Scope").or(1),
        choice("runas", &[(0, "Owner"), (1, "Calling User")])
            .schema("RunAs")
            .or(1),
        choice(
            "modernflowtype",
            &[
                (0, "PowerAutomateFlow"),
                (1, "CopilotStudioFlow"),
                (2, "M365CopilotAgentFlow"),
            ],
        )
        .schema("ModernFlowType"),
        choice("createstage", STAGES).schema("CreateStage"),
        choice("updatestage", STAGES).schema("UpdateStage"),
        boolean("ondemand").schema("OnDemand").or(0),
        boolean("subprocess").schema("Subprocess").or(0),
        boolean("triggeroncreate").schema("TriggerOnCreate").or(0),
        boolean("triggerondelete").schema("TriggerOnDelete").or(0),
        boolean("ismanaged").schema("IsManaged").or(0),
        memo("triggeronupdateattributelist").schema("TriggerOnUpdateAttributeList"),
        Column::new("primaryentity", Kind::TableName).schema("PrimaryEntity"),
        memo("xaml").schema("Xaml"),
        memo("clientdata").schema("ClientData"),
        memo("connectionreferences").schema("ConnectionReferences"),
        lookup("activeworkflowid", &[to("activeworkflowid", "workflow")])
            .schema("ActiveWorkflowId"),
        lookup("parentworkflowid", &[to("parentworkflowid", "workflow")])
            .schema("ParentWorkflowId"),
    ],
    states: &[
        State {
            value: 0,
            label: "Draft",
            statuses: &[(1, "Draft")],
        },
        State {
            value: 1,
            label: "Activated",
            statuses: &[(2, "Activated")],
        },
        State {
            value: 2,
            label: "Suspended",
            statuses: &[(3, "CompanyDLPViolation")],
        },
    ],
    ownership: Ownership::User,
    model: Model::Any,
};

/// System views.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/savedquery>
pub(super) static SAVED_QUERY: Table = Table {
    logical: "savedquery",
    schema_name: "SavedQuery",
    set: "savedqueries",
    key: "savedqueryid",
    primary_name: "name",
    columns: &[
        key("savedqueryid").schema("SavedQueryId"),
        text("name", 200)
            .schema("Name")
            .required(Requirement::System),
        Column::new("returnedtypecode", Kind::TableName).schema("ReturnedTypeCode"),
        memo("fetchxml").schema("FetchXml"),
        Column::new("querytype", Kind::Integer(0, 1_000_000_000))
            .schema("QueryType")
            .or(0),
        boolean("isdefault").schema("IsDefault").or(0),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::Organization,
    model: Model::Any,
};

/// Personal views; a row here counts as shared with the caller unless it is kept private.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/userquery>
pub(super) static USER_QUERY: Table = Table {
    logical: "userquery",
    schema_name: "UserQuery",
    set: "userqueries",
    key: "userqueryid",
    primary_name: "name",
    columns: &[
        key("userqueryid").schema("UserQueryId"),
        text("name", 200)
            .schema("Name")
            .required(Requirement::System),
        Column::new("returnedtypecode", Kind::TableName).schema("ReturnedTypeCode"),
        memo("fetchxml").schema("FetchXml"),
        Column::new("querytype", Kind::Integer(0, 1_000_000_000))
            .schema("QueryType")
            .or(0),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::User,
    model: Model::Any,
};

/// What automated cloud flows listen to.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/bypass-power-automate-flows>
pub(super) static CALLBACK_REGISTRATION: Table = Table {
    logical: "callbackregistration",
    schema_name: "CallbackRegistration",
    set: "callbackregistrations",
    key: "callbackregistrationid",
    primary_name: "name",
    columns: &[
        key("callbackregistrationid").schema("CallbackRegistrationId"),
        text("name", 300).schema("Name"),
        Column::new("entityname", Kind::TableName).schema("EntityName"),
        choice(
            "message",
            &[
                (1, "Added"),
                (2, "Deleted"),
                (3, "Modified"),
                (4, "Added or Modified"),
                (5, "Added or Deleted"),
                (6, "Modified or Deleted"),
                (7, "Added or Modified or Deleted"),
            ],
        )
        .schema("Message"),
        text("sdkmessagename", 100).schema("SdkMessageName"),
        text("filteringattributes", 100_000).schema("FilteringAttributes"),
        text("filterexpression", 100_000).schema("FilterExpression"),
        choice("scope", SCOPES).schema("Scope"),
        choice("softdeletestatus", &[(0, "Active"), (1, "Deleted")])
            .schema("SoftDeleteStatus")
            .or(0),
    ],
    states: &[],
    ownership: Ownership::User,
    model: Model::Any,
};
