//! The command `doctor --deactivate-legacy`: turns off the workflows that mail invitations too, once they were shown.

use std::io::{self, IsTerminal, Write as _, stdin, stdout};
use std::process::ExitCode;

use super::{EXIT_USAGE, app, say};
use crate::app::App;
use crate::config::{Config, Environment};
use crate::service::legacy::{Deactivation, LegacyWorkflow, REACTIVATION};

pub(super) async fn run(environment: &Environment, agreed: bool) -> anyhow::Result<ExitCode> {
    let app = app(Config::from_environment(environment)?)?;
    let workflows = app.service().legacy_workflows().await?;
    if workflows.is_empty() {
        say("No active workflow mails invitations beside this service. Nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    }
    say("These workflows mail invitations beside this service:\n");
    workflows.iter().map(shown).for_each(|line| say(&line));
    if !agreed && !stdin().is_terminal() {
        say("\nNothing was changed. There is no terminal to ask at: add --yes to turn them off.");
        return Ok(ExitCode::from(EXIT_USAGE));
    }
    if !agreed && !asked()? {
        say("Nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    }
    turn_off(&app, &workflows).await
}

fn shown(workflow: &LegacyWorkflow) -> String {
    let LegacyWorkflow { id, name, .. } = workflow;
    let owner = workflow.owner.as_deref().unwrap_or("unknown");
    let origin = if workflow.managed {
        "a managed solution"
    } else {
        "this environment"
    };
    format!(
        "  {name}\n    {id}\n    owner: {owner}; from {origin}; starts {}",
        workflow.started
    )
}

fn asked() -> io::Result<bool> {
    let mut output = stdout();
    write!(output, "\nTurn them off? Type yes: ")?;
    output.flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

async fn turn_off(app: &App, workflows: &[LegacyWorkflow]) -> anyhow::Result<ExitCode> {
    let outcomes = app.service().deactivate(workflows).await;
    say("");
    for (workflow, outcome) in workflows.iter().zip(&outcomes) {
        say(&format!("  {}: {}", workflow.name, told(outcome)));
    }
    say(&format!("\n{REACTIVATION}"));
    let failed = |outcome: &Deactivation| {
        matches!(outcome, Deactivation::Changed | Deactivation::Failed { .. })
    };
    Ok(if outcomes.iter().any(failed) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn told(outcome: &Deactivation) -> String {
    match outcome {
        Deactivation::Off => "turned off".to_owned(),
        Deactivation::Gone => "it is gone meanwhile".to_owned(),
        Deactivation::Changed => "left alone, because somebody changed it meanwhile".to_owned(),
        Deactivation::Failed { reason } => format!("still on: {reason}"),
    }
}
