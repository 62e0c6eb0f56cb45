//! Owns the command line: what the binary does when a person, or the Functions host, starts it.
//!
//! The host starts it without a command, and then every line on standard output is a JSON object. A command's
//! standard output is its answer to a person; the log goes to standard error, where a command tells errors only.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::app::{self, Ambient, App, AppError};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Environment};
use crate::remote::http::Transport;
use crate::telemetry::{self, Place};

mod doctor;
mod legacy;
mod preview;
mod report;
mod sweep;

/// What a wrong setting or argument ends with: `EX_USAGE` of sysexits.
const EXIT_USAGE: u8 = 64;

const EXAMPLES: &str = "\
Settings are read from environment variables, the app settings of a function
app. At a desk, AZURE_CREDENTIAL=developer-tools signs in as whoever `az login`
signed in.

Examples:
  portal-invite doctor                find out why something does not work
  portal-invite sweep --dry-run       list the invitations that are past expiry
  portal-invite preview --all --out letters
                                      see every letter; needs no settings
  cargo run -p sandbox                try everything without Azure

Exit codes:
  0   all is well
  1   something failed
  64  a setting or an argument is wrong";

/// Invites contacts to a Power Pages site.
///
/// Without a command it serves the Azure Functions host.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look at the whole installation and say what is wrong; changes nothing.
    Doctor(doctor::Arguments),
    /// Close invitations that are past their expiry, as the timer does.
    Sweep(sweep::Arguments),
    /// Show letters with sample values; needs no settings.
    Preview(Box<preview::Arguments>),
}

/// Runs the binary.
pub async fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => return explain(&usage),
    };
    let environment = Environment::Process;
    let ended = match arguments.command {
        None => {
            telemetry::start(&environment, Place::Output);
            let served = serve(&environment).await;
            served.inspect_err(|error| {
                tracing::error!(error = format!("{error:#}"), "portal-invite cannot run");
            })
        }
        Some(command) => {
            telemetry::start(&environment, Place::Error);
            command.run(&environment).await
        }
    };
    ended.unwrap_or_else(|error| fail(&error))
}

impl Command {
    async fn run(self, environment: &Environment) -> anyhow::Result<ExitCode> {
        match self {
            Self::Doctor(arguments) => arguments.run(environment).await,
            Self::Sweep(arguments) => arguments.run(environment).await,
            Self::Preview(arguments) => arguments.run(environment),
        }
    }
}

/// Help goes to standard output and ends well, a wrong argument to standard error.
fn explain(usage: &clap::Error) -> ExitCode {
    let _ = usage.print();
    if usage.use_stderr() {
        ExitCode::from(EXIT_USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

/// Tells the person at the console.
#[expect(clippy::print_stderr, reason = "why there is no answer")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("portal-invite: {error:#}");
    let in_settings = error
        .downcast_ref::<AppError>()
        .is_some_and(AppError::is_setting);
    if in_settings || error.is::<ConfigError>() {
        ExitCode::from(EXIT_USAGE)
    } else {
        ExitCode::FAILURE
    }
}

/// The service over the network, as these settings say.
fn app(config: Config) -> anyhow::Result<App> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ambient = Ambient {
        clock: Clock::system(),
        chance: Chance::system().context("no entropy")?,
        transport: Transport::network().context("no HTTP client")?,
    };
    Ok(App::build(config, ambient)?)
}

async fn serve(environment: &Environment) -> anyhow::Result<ExitCode> {
    let app = app(Config::from_environment(environment)?)?;
    let port = environment
        .get("FUNCTIONS_CUSTOMHANDLER_PORT")
        .and_then(|port| port.parse().ok());
    let port = port.ok_or_else(|| ConfigError {
        mistakes: vec![(
            "FUNCTIONS_CUSTOMHANDLER_PORT",
            "is set by the Functions host, which starts this program; to try it, run `cargo run -p sandbox`".to_owned(),
        )],
    })?;
    let listener =
        app::listen(port).with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
    tracing::info!(
        port,
        version = env!("CARGO_PKG_VERSION"),
        "portal-invite listens"
    );
    app.serve(listener).await.context("cannot serve")?;
    Ok(ExitCode::SUCCESS)
}

/// A command's answer goes through here. Whoever reads it may have seen enough and be gone, as `head` is.
fn say(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}
