//! The handler under test: how cargo builds it, and where the executable then is.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::process::Command;

/// Builds the handler as it is in the repository and returns the executable's path; cargo shows its progress
/// on standard error.
pub(super) async fn build(repository: &Path) -> anyhow::Result<PathBuf> {
    super::say(
        "Building the handler: cargo build -p portal-invite --profile quick (the first time takes minutes)",
    );
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "-p", "portal-invite", "--profile", "quick"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(repository)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?
        .wait_with_output()
        .await?;
    if !output.status.success() {
        bail!("the handler does not build");
    }
    executable(&output.stdout).context("cargo named no executable portal-invite")
}

/// Finds the executable in cargo's messages, one JSON object a line.
fn executable(messages: &[u8]) -> Option<PathBuf> {
    (messages.split(|byte| *byte == b'\n'))
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "portal-invite")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_the_one_that_cargo_names() {
        let messages =
            br#"{"reason":"compiler-artifact","target":{"name":"other"},"executable":"/a"}
{"reason":"compiler-artifact","target":{"name":"portal-invite"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"portal-invite"},"executable":"/b"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/b")));
    }
}
