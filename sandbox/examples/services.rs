//! The sandbox's services for a program in another language: `cargo run -p sandbox --example services`.
//!
//! Prints one line of JSON, the environment variables by which a function app finds its services, and
//! serves until standard input ends, so that nothing stays behind when the program that started it dies.
//! What a service refuses because the sandbox does not know it is an error on standard error.

use std::collections::BTreeMap;
use std::io;

use clap::Parser as _;
use sandbox::{Options, Sandbox};

/// Serves Dataverse, Graph, identity and portal look-alikes on free ports of loopback.
#[derive(Debug, clap::Parser)]
struct Arguments {
    /// Client id of a user-assigned identity; without it, the identity is system-assigned.
    #[arg(long, value_name = "ID")]
    identity: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(io::stderr)
        .init();
    let sandbox = Sandbox::new(Options {
        identity_client_id: Arguments::parse().identity,
        ..Options::default()
    });
    let environment = sandbox.listen().await?.handler_environment(&sandbox);
    let environment: BTreeMap<String, String> = environment.into_iter().collect();
    say(&serde_json::to_string(&environment)?);
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    Ok(())
}

/// The one line that the caller reads.
#[expect(
    clippy::print_stdout,
    reason = "standard output is this program's answer"
)]
fn say(line: &str) {
    println!("{line}");
}
