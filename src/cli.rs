//! Owns the command line: what the binary does when a person, or the Functions host, starts it.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::app::{self, Ambient, App, AppError};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Environment};
use crate::remote::http::Transport;
use crate::telemetry;

/// What a wrong setting ends with: `EX_USAGE` of sysexits.
const EXIT_CONFIG: u8 = 64;

/// Invites contacts to a Power Pages site. Without a command it serves the Azure Functions host.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Close invitations that are past their expiry, as the hourly timer does.
    Sweep {
        /// Only show what would be closed.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Runs the binary.
pub async fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let environment = Environment::Process;
    telemetry::start(&environment);
    match start(arguments, &environment).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Tells the log, and the person at the console.
#[expect(
    clippy::print_stderr,
    reason = "the one thing that goes to stderr: why the start failed"
)]
fn fail(error: &anyhow::Error) -> ExitCode {
    tracing::error!(error = format!("{error:#}"), "portal-invite cannot run");
    eprintln!("portal-invite: {error:#}");
    let in_settings = error
        .downcast_ref::<AppError>()
        .is_some_and(AppError::is_setting);
    if in_settings || error.is::<ConfigError>() {
        ExitCode::from(EXIT_CONFIG)
    } else {
        ExitCode::FAILURE
    }
}

async fn start(arguments: Arguments, environment: &Environment) -> anyhow::Result<()> {
    let config = Config::from_environment(environment)?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ambient = Ambient {
        clock: Clock::system(),
        chance: Chance::system().context("no entropy")?,
        transport: Transport::network().context("no HTTP client")?,
    };
    let app = App::build(config, ambient)?;
    match arguments.command {
        None => serve(app, environment).await,
        Some(Command::Sweep { dry_run: true }) => preview_sweep(&app).await,
        Some(Command::Sweep { dry_run: false }) => {
            let tally = app.service().sweep().await?;
            tracing::info!(?tally, "swept");
            Ok(())
        }
    }
}

async fn serve(app: App, environment: &Environment) -> anyhow::Result<()> {
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
    app.serve(listener).await.context("cannot serve")
}

#[expect(clippy::print_stdout, reason = "the answer to a person's question")]
async fn preview_sweep(app: &App) -> anyhow::Result<()> {
    let rows = app.service().preview_sweep().await?;
    for row in &rows {
        let expires = row
            .expires
            .map(|expires| expires.to_string())
            .unwrap_or_default();
        println!("{}  expired {expires}  {}", row.id, row.name);
    }
    println!(
        "{} invitations would be closed. Nothing was changed.",
        rows.len()
    );
    Ok(())
}
