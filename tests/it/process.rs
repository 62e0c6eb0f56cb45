//! The real binary as a process of its own, without the host: for commands and for starts that fail.

use std::path::Path;
use std::process::Output;

use tokio::process::Command;

use crate::world::World;

/// The settings that make a process work against the stage, as names and values.
pub(crate) fn settings_of(world: &World) -> Vec<(String, String)> {
    let mut settings = world.at.handler_environment(&world.sandbox);
    let store = world.store.path().to_str().unwrap();
    settings.push(("BATCH_STORE".to_owned(), store.to_owned()));
    settings
}

/// A command with these settings and no others, run where the templates are.
pub(crate) fn binary<'a>(
    arguments: &[&str],
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal-invite"));
    command
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env_clear()
        .envs(settings)
        .kill_on_drop(true);
    command
}

/// Runs a command against the stage to its end.
pub(crate) async fn run(world: &World, arguments: &[&str], more: &[(&str, &str)]) -> Output {
    let settings = settings_of(world);
    let settings = settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let settings = settings.chain(more.iter().copied());
    binary(arguments, settings).output().await.unwrap()
}
