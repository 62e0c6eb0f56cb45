//! The sandbox as a program: the command line, and what its two ways to run have in common.
//!
//! Without a command it serves until Ctrl-C; `demo` tells one story from beginning to end. Both build the
//! handler where none is given and start the same stage.

mod app;
mod banner;
mod demo;
mod handler;
mod letters;
mod samples;
mod senders;
mod serve;
mod settings;
mod stage;

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use self::app::App;
pub use self::demo::{Paper, demo};
use self::senders::Senders;

/// Runs the handler of this repository against Dataverse, Graph, identity and portal look-alikes on loopback, and shows all
/// of it on a page in your browser. Nothing leaves this machine.
#[derive(Debug, clap::Parser)]
#[command(version, after_help = SETTINGS)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Port of the Functions host; 0 takes any [default: 7071; for the demo any].
    #[arg(long, global = true)]
    port: Option<u16>,
    /// Port of the page; 0 takes any [default: the one after the host's].
    #[arg(long, value_name = "PORT")]
    page_port: Option<u16>,
    /// How many sample contacts there are, up to 100000; the demo brings its own.
    #[arg(long, default_value_t = 48, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100_000))]
    contacts: u32,
    /// Mailboxes that letters leave from: how many, 1 to 9, or their addresses with commas between.
    #[arg(long, default_value = "2", value_name = "N|LIST")]
    senders: Senders,
    /// How long the services take to answer.
    #[arg(long, value_enum, default_value_t)]
    latency: Pace,
    /// Every draw of chance follows from it: who the contacts are, their ids, latency.
    #[arg(long, global = true, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// A host key that callers must send then, as on Azure [default: everybody may call].
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A handler that is already built; without it, cargo builds one.
    #[arg(long, global = true, value_name = "PATH")]
    handler: Option<PathBuf>,
    /// A package that is served instead of the repository: the unpacked zip, with its own handler.
    #[arg(long, global = true, value_name = "FOLDER", conflicts_with = "handler")]
    app: Option<PathBuf>,
    /// Show every line of the handler and every run of a timer.
    #[arg(long, global = true)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Pace {
    /// As quick as this machine is.
    #[default]
    None,
    /// About as long as services in the cloud.
    Realistic,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Invites, redeems, expires and recovers from a crash, tells of it, and ends.
    Demo,
}

const SETTINGS: &str = "\
Settings of the handler come from local.settings.json and from the environment, as with `func start`:

  BRAND_NAME=Fjord BRAND_COLOR=#b00020 LANGUAGES=en,nb cargo run -p sandbox

The README lists them. Addresses, identity, senders and the batch store are always the sandbox's own.";

/// Does what the command line says.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    log(&arguments);
    match arguments.command {
        None => serve::serve(arguments).await,
        Some(Command::Demo) => {
            let port = arguments.port.unwrap_or(0);
            stage::check_port(port, "--port").await?;
            let app = App::of(arguments.app, arguments.handler).await?;
            demo(app, port, arguments.seed, Paper::for_terminal())
                .await
                .context("the demo failed (--verbose shows the handler's log)")
        }
    }
}

/// The repository that this program was built from.
fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn log(arguments: &Arguments) {
    let filter = match arguments.command {
        _ if arguments.verbose => Targets::new().with_default(LevelFilter::INFO),
        // What it writes to standard error before it ends becomes this program's own error.
        None => Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("Host.Function.Console", LevelFilter::OFF),
        // The demo tells of the failures that it causes.
        Some(Command::Demo) => Targets::new(),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .init();
}

/// Everything that serving tells a person goes through here.
#[expect(clippy::print_stdout, reason = "a program for people at a terminal")]
fn say(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
