//! The portal-invite binary: what the Functions host starts.

use std::process::ExitCode;

/// One thread: the work is waiting for others, and an instance has a quarter of a core or little more.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    portal_invite::cli::run().await
}
