//! Owns turning off the classic workflows that mail invitations beside this service, such as the stock Send
//! Invitation.
//!
//! Only those that a person was shown are turned off, and only as they were shown. Processes on contacts are never
//! touched: resetting a password is one of them.
//! <https://learn.microsoft.com/power-pages/security/invite-contacts>

use std::time::Duration;

use serde::Serialize;

use super::Service;
use crate::domain::ids::WorkflowId;
use crate::domain::invitation::Version;
use crate::remote::budget::Budget;
use crate::remote::dataverse::invitations::Written;
pub use crate::remote::dataverse::processes::Started;
use crate::remote::dataverse::processes::{Subject, Workflow};
use crate::remote::error::RemoteError;

/// Longest time for the list, and for the turning off.
const TIME: Duration = Duration::from_mins(2);

/// How to undo [`Service::deactivate`], for a person.
pub const REACTIVATION: &str = "To turn a workflow on again, open https://make.powerapps.com, choose the environment, \
    then Solutions > Default Solution > Processes, open the workflow and choose Activate. By the Web API: PATCH \
    workflows(<id>) with {\"statecode\": 1, \"statuscode\": 2}.";

/// A workflow that mails invitations beside this service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LegacyWorkflow {
    /// Its definition.
    pub id: WorkflowId,
    /// Its name.
    pub name: String,
    /// Its owner's name, where Dataverse gave it.
    pub owner: Option<String>,
    /// What starts it.
    pub started: Started,
    /// Whether a managed solution brought it.
    pub managed: bool,
    #[serde(skip)]
    version: Version,
}

/// What became of a workflow that was to be turned off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Deactivation {
    /// It is off.
    Off,
    /// Somebody changed it after it was shown; it was left alone.
    Changed,
    /// It does not exist any more.
    Gone,
    /// Dataverse would not, or could not be asked.
    Failed {
        /// Why.
        reason: String,
    },
}

impl LegacyWorkflow {
    /// A workflow, if it mails invitations by itself or on demand.
    pub(super) fn of(workflow: &Workflow) -> Option<Self> {
        let started = &workflow.started;
        let competes = workflow.subject == Subject::Invitation
            && workflow.sends_mail
            && (started.on_demand || started.by_itself());
        competes.then(|| Self {
            id: workflow.id,
            name: workflow.name.clone(),
            owner: workflow.owner.clone(),
            started: started.clone(),
            managed: workflow.managed,
            version: workflow.version.clone(),
        })
    }
}

impl Service {
    /// The active classic workflows on invitations that send mail by themselves or on demand; changes nothing.
    pub async fn legacy_workflows(&self) -> Result<Vec<LegacyWorkflow>, RemoteError> {
        let budget = Budget::within(&self.0.clock, TIME);
        let workflows = self.0.dataverse.active_workflows(&budget).await?;
        Ok(workflows.iter().filter_map(LegacyWorkflow::of).collect())
    }

    /// Turns off these workflows and no others, each only as it was listed; one result each, in their order.
    ///
    /// It takes the privilege `prvWriteWorkflow`, which nothing else here needs.
    pub async fn deactivate(&self, listed: &[LegacyWorkflow]) -> Vec<Deactivation> {
        let budget = Budget::within(&self.0.clock, TIME);
        let mut outcomes = Vec::with_capacity(listed.len());
        for workflow in listed {
            let (id, version) = (workflow.id, &workflow.version);
            let written = self.0.dataverse.turn_off(id, version, &budget).await;
            outcomes.push(match written {
                Ok(Written::Done) => Deactivation::Off,
                Ok(Written::Refused) => Deactivation::Changed,
                Ok(Written::Gone) => Deactivation::Gone,
                Err(error) => Deactivation::Failed {
                    reason: error.to_string(),
                },
            });
        }
        self.look_again(listed, &mut outcomes, &budget).await;
        outcomes
    }

    /// A repeated request meets what the first one did, if only its answer was lost: what is off by now is off.
    async fn look_again(
        &self,
        listed: &[LegacyWorkflow],
        outcomes: &mut [Deactivation],
        budget: &Budget,
    ) {
        if !outcomes.contains(&Deactivation::Changed) {
            return;
        }
        let Ok(active) = self.0.dataverse.active_workflows(budget).await else {
            return;
        };
        for (workflow, outcome) in listed.iter().zip(outcomes) {
            let on = active.iter().any(|active| active.id == workflow.id);
            if *outcome == Deactivation::Changed && !on {
                *outcome = Deactivation::Off;
            }
        }
    }
}
