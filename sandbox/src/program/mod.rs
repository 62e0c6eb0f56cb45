//! The sandbox as a program: builds the handler, starts the services and the host, seeds sample contacts,
//! tells what to try, shows each letter as it is sent, and ends at Ctrl-C.

mod handler;
mod letters;
mod samples;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sandbox::{
    Options, Sandbox,
    host::{Host, HostOptions, stage},
};
use tempfile::TempDir;
use tracing_subscriber::EnvFilter;

use self::{letters::Letters, samples::Contact};

/// Runs the handler of this repository against Dataverse, Graph, identity and portal look-alikes on loopback.
#[derive(Debug, clap::Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Port of the Functions host.
    #[arg(long, default_value_t = 7071)]
    port: u16,
    /// A handler that is already built; without it, cargo builds one.
    #[arg(long, value_name = "PATH")]
    handler: Option<PathBuf>,
    /// How many sample contacts there are.
    #[arg(long, default_value_t = 12, value_name = "N")]
    contacts: usize,
    /// Every draw of chance follows from it.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Show every line of the handler and every run of a timer.
    #[arg(long)]
    verbose: bool,
}

/// Runs until Ctrl-C.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    log(arguments.verbose);
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let executable = match &arguments.handler {
        Some(path) => path.clone(),
        None => handler::build(&repository).await?,
    };
    let sandbox = Sandbox::new(Options {
        seed: arguments.seed,
        ..Options::default()
    });
    let contacts = samples::seed(&sandbox.dataverse, arguments.contacts);
    let folder = tempfile::Builder::new()
        .prefix("portal-invite-sandbox-")
        .tempdir()?;
    let (host, _app_root) = start(
        &arguments,
        &repository,
        &executable,
        &sandbox,
        folder.path(),
    )
    .await?;
    say(&host.banner());
    say(&what_to_try(&host, &contacts, folder.path()));
    let letters = Letters::new(sandbox.graph.clone(), folder.path().join("letters"))?;
    tokio::select! {
        outcome = letters.show() => outcome?,
        signal = tokio::signal::ctrl_c() => signal?,
        signal = terminated() => signal?,
    }
    host.stop().await;
    Ok(())
}

/// SIGTERM: without an orderly end the handler would stay behind.
async fn terminated() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

async fn start(
    arguments: &Arguments,
    repository: &Path,
    executable: &Path,
    sandbox: &Sandbox,
    folder: &Path,
) -> anyhow::Result<(Host, TempDir)> {
    let app_root = stage(repository, executable).context("cannot lay out the app")?;
    let mut environment = sandbox.listen().await?.handler_environment(sandbox);
    environment.extend(handler::local_settings(repository)?);
    let store = folder.join("store").display().to_string();
    environment.push(("BATCH_STORE".to_owned(), store));
    let options = HostOptions {
        port: arguments.port,
        environment,
        fire_timers: true,
        clock: sandbox.clock.clone(),
        ..HostOptions::new(app_root.path())
    };
    Ok((Host::start(options).await?, app_root))
}

fn what_to_try(host: &Host, contacts: &[Contact], folder: &Path) -> String {
    let list: Vec<String> = contacts.iter().map(Contact::to_string).collect();
    let list = list.join("\n  ");
    let url = host
        .url()
        .join("api/invitations")
        .map(String::from)
        .unwrap_or_default();
    let first = contacts
        .first()
        .map(|contact| contact.id.to_string())
        .unwrap_or_default();
    format!(
        "Contacts:\n  {list}\n\nInvite the first one:\n\n  \
         curl -s {url} -H 'Content-Type: application/json' -d '{{\"contactIds\":[\"{first}\"]}}'\n\n\
         Letters are written to {} as they are sent. Ctrl-C ends everything.\n",
        folder.join("letters").display()
    )
}

fn log(verbose: bool) {
    let filter = if verbose {
        "info"
    } else {
        "warn,Host.Function.Console=warn"
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .init();
}

/// Everything this program tells a person goes through here.
#[expect(clippy::print_stdout, reason = "a program for people at a terminal")]
fn say(text: &str) {
    println!("{text}");
}
