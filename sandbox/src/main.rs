//! `cargo run -p sandbox`: the handler of this repository at work, with every service it needs on
//! loopback. This file reads the command line; what happens is in `sandbox::program`.

use std::process::ExitCode;

use clap::Parser as _;
use sandbox::program;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a program for people at a terminal")]
async fn main() -> ExitCode {
    match program::run(program::Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}
