//! The sandbox as a program: the command line, and what its two ways to run have in common.
//!
//! Without a command it serves until Ctrl-C; `demo` tells one story from beginning to end. Both build the
//! handler where none is given and start the same stage.

mod demo;
mod handler;
mod letters;
mod samples;
mod serve;
mod stage;

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

pub use self::demo::{Paper, demo};

/// Runs the handler of this repository against Dataverse, Graph, identity and portal look-alikes on loopback.
#[derive(Debug, clap::Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Port of the Functions host [default: 7071; for the demo a free one].
    #[arg(long, global = true)]
    port: Option<u16>,
    /// A handler that is already built; without it, cargo builds one.
    #[arg(long, global = true, value_name = "PATH")]
    handler: Option<PathBuf>,
    /// How many sample contacts there are; the demo brings its own.
    #[arg(long, default_value_t = 12, value_name = "N")]
    contacts: usize,
    /// Every draw of chance follows from it.
    #[arg(long, global = true, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Show every line of the handler and every run of a timer.
    #[arg(long, global = true)]
    verbose: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Invites, redeems, expires and recovers from a crash, tells of it, and ends.
    Demo,
}

/// Does what the command line says.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    log(&arguments);
    let port = arguments.port.unwrap_or(match arguments.command {
        None => 7071,
        Some(Command::Demo) => 0,
    });
    stage::check_port(port).await?;
    let handler = match arguments.handler {
        Some(path) => path,
        None => handler::build(repository()).await?,
    };
    match arguments.command {
        None => serve::serve(&handler, port, arguments.seed, arguments.contacts).await,
        Some(Command::Demo) => demo(&handler, port, arguments.seed, Paper::for_terminal())
            .await
            .context("the demo failed (--verbose shows the handler's log)"),
    }
}

/// The repository that this program was built from: its folders are the app that the host serves.
fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn log(arguments: &Arguments) {
    let filter = match arguments.command {
        _ if arguments.verbose => "info",
        None => "warn",
        // The demo tells of the failures that it causes.
        Some(Command::Demo) => "off",
    };
    tracing_subscriber::fmt()
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .init();
}

/// Everything that serving tells a person goes through here.
#[expect(clippy::print_stdout, reason = "a program for people at a terminal")]
fn say(text: &str) {
    println!("{text}");
}
