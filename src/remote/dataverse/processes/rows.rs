//! Owns how rows of processes on the wire become what is known of them; their definitions are dropped at once.

use serde::Deserialize;
use uuid::Uuid;

use super::{Flow, Listener, PluginStep, Started, Subject, Workflow};
use crate::domain::ids::WorkflowId;
use crate::domain::invitation::Version;
use crate::remote::error::redact;

#[derive(Deserialize)]
pub(super) struct WorkflowRow {
    #[serde(rename = "@odata.etag")]
    etag: String,
    workflowid: Uuid,
    name: Option<String>,
    #[serde(rename = "_ownerid_value@OData.Community.Display.V1.FormattedValue")]
    owner: Option<String>,
    primaryentity: Subject,
    ondemand: Option<bool>,
    triggeroncreate: Option<bool>,
    triggeronupdateattributelist: Option<String>,
    ismanaged: Option<bool>,
    xaml: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct FlowRow {
    workflowid: Uuid,
    name: Option<String>,
    #[serde(rename = "_ownerid_value@OData.Community.Display.V1.FormattedValue")]
    owner: Option<String>,
    clientdata: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ListenerRow {
    name: Option<String>,
    #[serde(rename = "_ownerid_value@OData.Community.Display.V1.FormattedValue")]
    owner: Option<String>,
    entityname: Subject,
    #[serde(rename = "message@OData.Community.Display.V1.FormattedValue")]
    message: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct StepRow {
    name: Option<String>,
    ismanaged: Option<bool>,
    sdkmessageid: Option<MessageRow>,
    plugintypeid: Option<PluginRow>,
}

#[derive(Deserialize)]
struct MessageRow {
    name: Option<String>,
}

#[derive(Deserialize)]
struct PluginRow {
    assemblyname: Option<String>,
}

impl From<WorkflowRow> for Workflow {
    fn from(row: WorkflowRow) -> Self {
        Self {
            id: WorkflowId::new(row.workflowid),
            name: shown(row.name),
            owner: row.owner.as_deref().map(redact),
            subject: row.primaryentity,
            started: Started {
                on_demand: row.ondemand == Some(true),
                on_create: row.triggeroncreate == Some(true),
                on_update_of: listed(row.triggeronupdateattributelist.as_deref()),
            },
            managed: row.ismanaged == Some(true),
            sends_mail: row.xaml.as_deref().is_some_and(sends_mail),
            names_invitations: row.xaml.as_deref().is_some_and(names_invitations),
            version: Version::new(row.etag),
        }
    }
}

impl From<FlowRow> for Flow {
    fn from(row: FlowRow) -> Self {
        Self {
            id: row.workflowid,
            name: shown(row.name),
            owner: row.owner.as_deref().map(redact),
            sends_mail: row.clientdata.as_deref().is_some_and(sends_mail),
            names_invitations: row.clientdata.as_deref().is_some_and(names_invitations),
        }
    }
}

impl From<ListenerRow> for Listener {
    fn from(row: ListenerRow) -> Self {
        Self {
            flow: shown(row.name),
            owner: row.owner.as_deref().map(redact),
            subject: row.entityname,
            message: row.message.unwrap_or_default(),
        }
    }
}

impl From<StepRow> for PluginStep {
    fn from(row: StepRow) -> Self {
        Self {
            name: shown(row.name),
            message: row.sdkmessageid.and_then(|it| it.name).unwrap_or_default(),
            assembly: row.plugintypeid.and_then(|it| it.assemblyname),
            managed: row.ismanaged == Some(true),
        }
    }
}

/// Whether a definition has a step that mails. Workflows and connectors call it alike: `SendEmail`, `SendEmailV2`,
/// `SendEmailFromTemplate`, `SharedMailboxSendEmailV2`.
fn sends_mail(definition: &str) -> bool {
    definition.contains("SendEmail")
}

fn names_invitations(definition: &str) -> bool {
    definition.contains("adx_invitation")
}

/// A name as it may be shown: people put addresses into the names of processes.
fn shown(name: Option<String>) -> String {
    redact(&name.unwrap_or_default())
}

fn listed(columns: Option<&str>) -> Vec<String> {
    let columns = columns.unwrap_or_default().split(',').map(str::trim);
    let named = columns.filter(|column| !column.is_empty());
    named.map(str::to_owned).collect()
}
