//! Owns reading what else may mail invitations or change their codes: classic workflows, cloud flows and plug-ins;
//! and turning a workflow off.
//!
//! Only definitions are read and changed: the copies that run are made from them.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/workflow>

use std::fmt;

use http::header::{HeaderName, IF_MATCH};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::invitations::Written;
use super::multipart::{Operation, Part, Step};
use super::{Dataverse, Page};
use crate::domain::ids::WorkflowId;
use crate::domain::invitation::Version;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

mod rows;

use rows::{FlowRow, ListenerRow, StepRow, WorkflowRow};

/// Flows read at most: each holds its whole definition.
const MOST_FLOWS: usize = 500;

/// Rows on a page, where a row may be large.
const PAGE: usize = 25;

/// Which rows a process is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Subject {
    /// `adx_invitation`.
    #[serde(rename = "adx_invitation")]
    Invitation,
    /// `contact`.
    #[serde(rename = "contact")]
    Contact,
}

/// What starts a classic workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// Whether people can start it.
    pub on_demand: bool,
    /// Whether a new row starts it.
    pub on_create: bool,
    /// The columns whose change starts it.
    pub on_update_of: Vec<String>,
}

impl Started {
    /// Whether it starts without anybody asking.
    pub fn by_itself(&self) -> bool {
        self.on_create || !self.on_update_of.is_empty()
    }
}

impl fmt::Display for Started {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on_update = match self.on_update_of.as_slice() {
            [] => None,
            columns => Some(format!("when {} changes", columns.join(" or "))),
        };
        let ways = [
            self.on_create.then(|| "when a row is made".to_owned()),
            on_update,
            self.on_demand.then(|| "on demand".to_owned()),
        ];
        let ways: Vec<_> = ways.into_iter().flatten().collect();
        if ways.is_empty() {
            return formatter.write_str("by another process");
        }
        formatter.write_str(&ways.join(", "))
    }
}

/// An active classic workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// Its definition.
    pub id: WorkflowId,
    /// Its name.
    pub name: String,
    /// Its owner's name.
    pub owner: Option<String>,
    /// The rows it is about.
    pub subject: Subject,
    /// What starts it.
    pub started: Started,
    /// Whether a managed solution brought it.
    pub managed: bool,
    /// Whether one of its steps sends mail.
    pub sends_mail: bool,
    /// Whether a step names invitations.
    pub names_invitations: bool,
    /// As it was read.
    pub version: Version,
}

/// An active cloud flow of a solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its row.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its owner's name.
    pub owner: Option<String>,
    /// Whether an action sends mail.
    pub sends_mail: bool,
    /// Whether a trigger or an action names invitations.
    pub names_invitations: bool,
}

/// The cloud flows of solutions; flows that people keep for themselves are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flows {
    /// Those read.
    pub flows: Vec<Flow>,
    /// Whether there are more.
    pub more: bool,
}

/// What a cloud flow listens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The flow's id.
    pub flow: String,
    /// The owner's name.
    pub owner: Option<String>,
    /// The rows it is about.
    pub subject: Subject,
    /// What happens to them, in Dataverse's words: Added, Modified, ...
    pub message: String,
}

/// An enabled step of a plug-in on invitations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginStep {
    /// Its name.
    pub name: String,
    /// The message: Create, Update, ...
    pub message: String,
    /// The assembly, where a plug-in and not a web address is called.
    pub assembly: Option<String>,
    /// Whether a managed solution brought it.
    pub managed: bool,
}

/// What else acts on invitations; each part alone, as each takes a privilege of its own.
#[derive(Debug)]
pub struct Processes {
    /// Active classic workflows on invitations and contacts.
    pub workflows: Result<Vec<Workflow>, RemoteError>,
    /// Active cloud flows.
    pub flows: Result<Flows, RemoteError>,
    /// What cloud flows listen to, flows outside solutions included.
    pub listeners: Result<Vec<Listener>, RemoteError>,
    /// Plug-ins that run when an invitation is made or changed.
    pub steps: Result<Vec<PluginStep>, RemoteError>,
}

const READ: &str = "read what else acts on invitations";

const WORKFLOWS: &str = "workflows?$select=name,primaryentity,ondemand,triggeroncreate,\
    triggeronupdateattributelist,ismanaged,xaml,_ownerid_value\
    &$filter=category%20eq%200%20and%20type%20eq%201%20and%20statecode%20eq%201\
    %20and%20(primaryentity%20eq%20'adx_invitation'%20or%20primaryentity%20eq%20'contact')";

/// <https://learn.microsoft.com/power-automate/manage-flows-with-code>
const FLOWS: &str = "workflows?$select=name,clientdata,_ownerid_value\
    &$filter=category%20eq%205%20and%20statecode%20eq%201";

/// <https://learn.microsoft.com/power-apps/developer/data-platform/bypass-power-automate-flows>
const LISTENERS: &str = "callbackregistrations?$select=name,entityname,message,_ownerid_value\
    &$filter=softdeletestatus%20eq%200%20and%20\
    (entityname%20eq%20'adx_invitation'%20or%20entityname%20eq%20'contact')";

/// <https://learn.microsoft.com/power-apps/developer/data-platform/bypass-custom-business-logic>
const STEPS: &str = "sdkmessageprocessingsteps?$select=name,ismanaged\
    &$expand=sdkmessageid($select=name),plugintypeid($select=assemblyname)\
    &$filter=statecode%20eq%200%20and%20\
    sdkmessagefilterid/primaryobjecttypecode%20eq%20'adx_invitation'%20and%20\
    (sdkmessageid/name%20eq%20'Create'%20or%20sdkmessageid/name%20eq%20'Update')";

impl Dataverse {
    /// Reads what else acts on invitations and contacts.
    pub async fn processes(&self, budget: &Budget) -> Result<Processes, RemoteError> {
        let steps: Vec<_> = [WORKFLOWS, FLOWS, LISTENERS, STEPS].map(page_of).into();
        let parts = self.batch(READ, &steps, false, budget).await?;
        let [workflows, flows, listeners, steps] = parts.as_slice() else {
            return Err(self
                .endpoint
                .unreadable(READ, "fewer answers than questions"));
        };
        Ok(Processes {
            workflows: self.workflows(workflows, budget).await,
            flows: self.flows(flows, budget).await,
            listeners: self.listeners(listeners, budget).await,
            steps: self.plugin_steps(steps, budget).await,
        })
    }

    /// The active classic workflows on invitations and contacts.
    pub async fn active_workflows(&self, budget: &Budget) -> Result<Vec<Workflow>, RemoteError> {
        let steps = [page_of(WORKFLOWS)];
        let parts = self.batch(READ, &steps, false, budget).await?;
        match parts.as_slice() {
            [part] => self.workflows(part, budget).await,
            _ => Err(self.endpoint.unreadable(READ, "no answer")),
        }
    }

    /// Turns a workflow off, if it still is as it was read.
    pub async fn turn_off(
        &self,
        workflow: WorkflowId,
        version: &Version,
        budget: &Budget,
    ) -> Result<Written, RemoteError> {
        const ACTION: &str = "turn a workflow off";
        let condition = (IF_MATCH, version.as_str().to_owned());
        let draft = json!({"statecode": 0, "statuscode": 1});
        let operation = Operation::patch(format!("workflows({workflow})"), condition, draft);
        let written = self
            .write(ACTION, &[Step::of(vec![operation])], budget)
            .await?;
        let none = || Err(self.endpoint.unreadable(ACTION, "no answer"));
        written.into_iter().next().unwrap_or_else(none)
    }

    async fn workflows(&self, part: &Part, budget: &Budget) -> Result<Vec<Workflow>, RemoteError> {
        let (rows, _) = self
            .read_on::<WorkflowRow, _>(part, usize::MAX, budget)
            .await?;
        Ok(rows)
    }

    async fn flows(&self, part: &Part, budget: &Budget) -> Result<Flows, RemoteError> {
        let (flows, more) = self.read_on::<FlowRow, _>(part, MOST_FLOWS, budget).await?;
        Ok(Flows { flows, more })
    }

    async fn listeners(&self, part: &Part, budget: &Budget) -> Result<Vec<Listener>, RemoteError> {
        let (rows, _) = self
            .read_on::<ListenerRow, _>(part, usize::MAX, budget)
            .await?;
        Ok(rows)
    }

    async fn plugin_steps(
        &self,
        part: &Part,
        budget: &Budget,
    ) -> Result<Vec<PluginStep>, RemoteError> {
        let (rows, _) = self.read_on::<StepRow, _>(part, usize::MAX, budget).await?;
        Ok(rows)
    }

    /// The rows of a part and of the pages after it, up to about `most`; whether there are more.
    async fn read_on<R: DeserializeOwned, T: From<R>>(
        &self,
        first: &Part,
        most: usize,
        budget: &Budget,
    ) -> Result<(Vec<T>, bool), RemoteError> {
        let Page { value, mut next } = self.page::<R>(READ, first)?;
        let mut rows: Vec<T> = value.into_iter().map(T::from).collect();
        while let Some(link) = next.as_ref().filter(|_| rows.len() < most) {
            // The token goes to our own environment only.
            let path = link.as_str().strip_prefix(self.root.as_str());
            let elsewhere = || self.endpoint.unreadable(READ, "the next page is elsewhere");
            let steps = [page_of(path.ok_or_else(elsewhere)?)];
            let parts = self.batch(READ, &steps, false, budget).await?;
            let no_answer = || self.endpoint.unreadable(READ, "no answer");
            let page: Page<R> = self.page(READ, parts.first().ok_or_else(no_answer)?)?;
            rows.extend(page.value.into_iter().map(T::from));
            next = page.next;
        }
        Ok((rows, next.is_some()))
    }
}

/// A page of rows, with the names of what they refer to.
fn page_of(path: &str) -> Step {
    let preferences = format!(
        "odata.maxpagesize={PAGE},odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\""
    );
    Step::Single(Operation {
        condition: Some((HeaderName::from_static("prefer"), preferences)),
        ..Operation::get(path.to_owned())
    })
}
