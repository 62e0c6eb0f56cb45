//! `cargo run -p sandbox`: the handler of this repository at work, with every service it needs on
//! loopback. This file reads the command line; what happens is in `sandbox::program`.

use clap::Parser as _;
use sandbox::program;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    program::run(program::Arguments::parse()).await
}
