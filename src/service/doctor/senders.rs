//! Owns the checks of competing senders: workflows, flows and plug-ins that mail invitations too, or change their codes.
//!
//! They never fail: somebody may want them. <https://learn.microsoft.com/power-pages/security/invite-contacts>

use super::Check;
use super::answers::{some_of, unanswered};
use crate::remote::budget::Budget;
use crate::remote::dataverse::processes::{
    Flow, Flows, Listener, PluginStep, Processes, Subject, Workflow,
};
use crate::remote::error::RemoteError;
use crate::service::Parts;
use crate::service::legacy::LegacyWorkflow;

const WORKFLOWS: &str = "senders.workflows";
const CONTACT_WORKFLOWS: &str = "senders.contactWorkflows";
const FLOWS: &str = "senders.flows";
const LISTENERS: &str = "senders.listeners";
const PLUGINS: &str = "senders.plugins";

pub(super) async fn checks(parts: &Parts, budget: &Budget) -> Vec<Check> {
    match parts.dataverse.processes(budget).await {
        Ok(processes) => judge(&processes),
        Err(error) => [WORKFLOWS, CONTACT_WORKFLOWS, FLOWS, LISTENERS, PLUGINS]
            .map(|id| unanswered(id, &error, "prvReadWorkflow"))
            .into(),
    }
}

fn judge(processes: &Processes) -> Vec<Check> {
    let flows = processes.flows.as_ref();
    vec![
        look(
            WORKFLOWS,
            "prvReadWorkflow",
            &processes.workflows,
            |found| workflows(found),
        ),
        look(
            CONTACT_WORKFLOWS,
            "prvReadWorkflow",
            &processes.workflows,
            |found| contact_workflows(found),
        ),
        look(FLOWS, "prvReadWorkflow", &processes.flows, flows_that_mail),
        look(
            LISTENERS,
            "prvReadCallbackRegistration",
            &processes.listeners,
            |found| listeners(found, flows.map_or(&[], |flows| &flows.flows)),
        ),
        look(
            PLUGINS,
            "prvReadSdkMessageProcessingStep, prvReadSdkMessage and prvReadPluginType",
            &processes.steps,
            |found| plugins(found),
        ),
    ]
}

fn look<T>(
    id: &'static str,
    privileges: &str,
    found: &Result<T, RemoteError>,
    judge: impl Fn(&T) -> Check,
) -> Check {
    match found {
        Ok(found) => judge(found),
        Err(error) => unanswered(id, error, privileges),
    }
}

fn owned(name: &str, owner: Option<&str>) -> String {
    format!("\"{name}\" of {}", owner.unwrap_or("an unknown owner"))
}

fn workflows(found: &[Workflow]) -> Check {
    let on_invitations = found.iter().filter(|it| it.subject == Subject::Invitation);
    let mailing: Vec<_> = on_invitations.filter(|it| it.sends_mail).collect();
    if mailing.is_empty() {
        return Check::pass(WORKFLOWS, "No active workflow on invitations sends mail.");
    }
    let listed = mailing
        .iter()
        .filter_map(|it| LegacyWorkflow::of(it))
        .count();
    let told = mailing.iter().map(|it| {
        let name = owned(&it.name, it.owner.as_deref());
        format!("{name}, started {}", it.started)
    });
    let seen = format!("{} send mail: {}.", mailing.len(), some_of(told));
    let advice = format!(
        "Contacts may get a second letter, or one with a link that does not work. Turn them off: `portal-invite doctor \
         --deactivate-legacy` turns off {listed} of them after showing them; or make.powerapps.com > Solutions > Default \
         Solution > Processes. https://learn.microsoft.com/power-pages/security/invite-contacts"
    );
    Check::warn(WORKFLOWS, seen, advice)
}

/// Most processes on contacts that mail are about something else, such as passwords, and run when they are asked to.
fn contact_workflows(found: &[Workflow]) -> Check {
    let competes = |it: &&Workflow| {
        let sends = it.subject == Subject::Contact && it.sends_mail;
        sends && (it.started.by_itself() || it.names_invitations)
    };
    let competing: Vec<_> = found.iter().filter(competes).collect();
    if competing.is_empty() {
        return Check::pass(
            CONTACT_WORKFLOWS,
            "No active workflow mails contacts by itself, or in the name of an invitation.",
        );
    }
    let told = competing.iter().map(|it| {
        let name = owned(&it.name, it.owner.as_deref());
        format!("{name}, started {}", it.started)
    });
    Check::warn(
        CONTACT_WORKFLOWS,
        format!("{} mail contacts: {}.", competing.len(), some_of(told)),
        "Open each in make.powerapps.com > Solutions > Default Solution > Processes, and see whether its letter invites \
         to the site; if it does, deactivate it. https://learn.microsoft.com/power-automate/workflow-processes",
    )
}

fn flows_that_mail(found: &Flows) -> Check {
    let competing: Vec<_> = (found.flows.iter())
        .filter(|flow| flow.sends_mail && flow.names_invitations)
        .collect();
    let among = if found.more {
        format!("the first {} active flows", found.flows.len())
    } else {
        format!("{} active flows", found.flows.len())
    };
    if competing.is_empty() && found.more {
        return Check::not_checked(
            FLOWS,
            format!("None of {among} mails invitations; the others were not read."),
            "Look through the rest in make.powerautomate.com > Solutions.",
        );
    }
    if competing.is_empty() {
        return Check::pass(
            FLOWS,
            format!("None of {among} in solutions mails invitations."),
        );
    }
    let told = competing
        .iter()
        .map(|it| owned(&it.name, it.owner.as_deref()));
    Check::warn(
        FLOWS,
        format!(
            "Of {among}, {} mail and work with invitations: {}.",
            competing.len(),
            some_of(told)
        ),
        "If one mails links, turn it off, or let it call this service instead: make.powerautomate.com > Solutions > the \
         flow > Turn off. https://learn.microsoft.com/power-automate/disable-flow",
    )
}

/// A flow that could be read is judged by what it does; one outside every solution only by what it listens to.
fn listeners(found: &[Listener], flows: &[Flow]) -> Check {
    let is_known = |listener: &Listener| {
        let mut flows = flows.iter();
        flows.any(|flow| listener.flow.eq_ignore_ascii_case(&flow.id.to_string()))
    };
    let unknown: Vec<_> = found
        .iter()
        .filter(|listener| !is_known(listener))
        .collect();
    if unknown.is_empty() {
        return Check::pass(
            LISTENERS,
            "No flow whose steps cannot be read listens to invitations or contacts.",
        );
    }
    let told = unknown.iter().map(|it| {
        let rows = match it.subject {
            Subject::Invitation => "invitations",
            Subject::Contact => "contacts",
        };
        let owner = it.owner.as_deref().unwrap_or("an unknown owner");
        format!("flow {} of {owner}, on {rows} ({})", it.flow, it.message)
    });
    Check::warn(
        LISTENERS,
        format!(
            "{} flows listen, and what they do cannot be read: {}.",
            unknown.len(),
            some_of(told)
        ),
        "Ask the owners whether the flow mails an invitation, and to turn it off if so: make.powerautomate.com > My \
         flows. https://learn.microsoft.com/power-automate/disable-flow",
    )
}

fn plugins(found: &[PluginStep]) -> Check {
    let (stock, others): (Vec<_>, Vec<_>) = found.iter().partition(|step| is_stock(step));
    if others.is_empty() {
        let seen = match stock.len() {
            0 => "No plug-in runs on invitations.".to_owned(),
            count => format!("Nothing but {count} steps of Microsoft's own runs on invitations."),
        };
        return Check::pass(PLUGINS, seen);
    }
    let told = others.iter().map(|step| {
        let target = step.assembly.as_deref().unwrap_or("a web address");
        format!("\"{}\" ({}, {target})", step.name, step.message)
    });
    Check::warn(
        PLUGINS,
        format!(
            "{} run when an invitation is made or changed: {}.",
            others.len(),
            some_of(told)
        ),
        "A plug-in may give an invitation another code or mail it too. Ask who made it; the code that a letter carries \
         is written back to the row in any case. \
         https://learn.microsoft.com/power-apps/developer/data-platform/register-plug-in",
    )
}

/// Microsoft's own come in managed solutions, in assemblies that bear its name or that of the product's first maker.
fn is_stock(step: &PluginStep) -> bool {
    let assembly = step.assembly.as_deref().unwrap_or_default();
    step.managed && (assembly.starts_with("Microsoft.") || assembly.starts_with("Adxstudio."))
}
