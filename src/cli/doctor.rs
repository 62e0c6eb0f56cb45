//! The command `doctor`: the same look at the installation as the HTTP function's, for a person at a terminal.
//!
//! Wrong settings do not stop it: they are the first thing it tells, and where the rest can be looked at with their
//! defaults, it is.

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;

use clap::Args;

use super::report::{Paper, render};
use super::{EXIT_USAGE, app, legacy, say};
use crate::app::AppError;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Environment};
use crate::service::doctor::{Check, Diagnosis};

#[derive(Debug, Args)]
#[command(after_help = "\
It looks at settings, sign-in, rights, tables, site, mailboxes, competing
senders and journals. It sends no letter and changes nothing in Dataverse or a
mailbox, but for what --deactivate-legacy turns off.

Exit codes:
  0   nothing failed
  1   something failed
  64  a setting or an argument is wrong

Examples:
  portal-invite doctor
  portal-invite doctor --json | jq '.checks[] | select(.status == \"fail\")'
  portal-invite doctor --deactivate-legacy")]
pub(super) struct Arguments {
    /// Answer in JSON, as `GET /api/doctor` does.
    #[arg(long, conflicts_with = "deactivate_legacy")]
    json: bool,
    /// Turn off the workflows that mail invitations too.
    #[arg(long)]
    deactivate_legacy: bool,
    /// Do not ask before turning them off.
    #[arg(long, requires = "deactivate_legacy")]
    yes: bool,
}

/// What was found, and whether a setting is wrong.
struct Found {
    diagnosis: Diagnosis,
    in_settings: bool,
}

impl Arguments {
    pub(super) async fn run(self, environment: &Environment) -> anyhow::Result<ExitCode> {
        if self.deactivate_legacy {
            return legacy::run(environment, self.yes).await;
        }
        let found = look(environment).await?;
        if self.json {
            say(&serde_json::to_string_pretty(&found.diagnosis)?);
        } else {
            say(render(&found.diagnosis, paper(environment)).trim_end());
        }
        Ok(match found {
            Found {
                in_settings: true, ..
            } => ExitCode::from(EXIT_USAGE),
            Found { diagnosis, .. } if !diagnosis.ok => ExitCode::FAILURE,
            Found { .. } => ExitCode::SUCCESS,
        })
    }
}

/// Colours are for terminals, and for nobody who says no to them. <https://no-color.org>
fn paper(environment: &Environment) -> Paper {
    let plain = environment.get("NO_COLOR").is_some()
        || environment
            .get("TERM")
            .is_some_and(|terminal| terminal == "dumb");
    if stdout().is_terminal() && !plain {
        Paper::Coloured
    } else {
        Paper::Plain
    }
}

async fn look(environment: &Environment) -> anyhow::Result<Found> {
    let (config, mistakes) = settings(environment);
    let wrong = mistakes.map(|error| told(&error, config.is_some()));
    let Some(config) = config else {
        return Ok(Found::only(wrong, true));
    };
    match app(config) {
        Ok(app) => {
            let diagnosis = app.service().diagnose().await;
            let in_settings = wrong.is_some();
            let diagnosis = wrong.into_iter().fold(diagnosis, Diagnosis::corrected);
            Ok(Found {
                diagnosis,
                in_settings,
            })
        }
        Err(error) => {
            let error: AppError = error.downcast()?;
            let in_settings = wrong.is_some() || error.is_setting();
            Ok(Found::only(
                wrong.into_iter().chain([unbuilt(&error)]),
                in_settings,
            ))
        }
    }
}

impl Found {
    fn only(checks: impl IntoIterator<Item = Check>, in_settings: bool) -> Self {
        let now = Clock::system().now();
        Self {
            diagnosis: Diagnosis::of(now, None, checks.into_iter().collect()),
            in_settings,
        }
    }
}

/// The settings, with defaults in the place of wrong ones where there are defaults.
fn settings(environment: &Environment) -> (Option<Config>, Option<ConfigError>) {
    match Config::from_environment(environment) {
        Ok(config) => (Some(config), None),
        Err(error) => {
            let names = error.mistakes.iter().map(|(name, _)| *name);
            let rest = Config::from_environment(&environment.without(names));
            (rest.ok(), Some(error))
        }
    }
}

fn told(error: &ConfigError, goes_on: bool) -> Check {
    let mistakes: Vec<String> = error
        .mistakes
        .iter()
        .map(|(name, problem)| format!("{name} {problem}"))
        .collect();
    let advice = if goes_on {
        "Correct them: the function app does not start. The other checks took the defaults in their place."
    } else {
        "Correct them: the function app does not start, and nothing else can be looked at without them."
    };
    Check::fail(
        "settings.valid",
        format!("{}.", mistakes.join("; ")),
        advice,
    )
}

fn unbuilt(error: &AppError) -> Check {
    let id = match error {
        AppError::Letters(_)
        | AppError::Language(_)
        | AppError::Reminder(_)
        | AppError::Digest(_) => "settings.templates",
        AppError::Identity(_) => "identity.dataverse",
        AppError::Store(_) => "store.writable",
    };
    let advice =
        "Correct it: the function app does not start, and nothing else can be looked at before.";
    Check::fail(id, format!("{error}."), advice)
}
