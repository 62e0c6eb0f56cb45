//! Serving: everything runs until Ctrl-C, for a person who tries the handler by hand.

use std::path::Path;

use super::{
    letters::Letters,
    samples::{self, Contact},
    say,
    stage::Stage,
};

/// Starts the stage, tells what to try and shows each letter as it is sent.
pub(super) async fn serve(
    executable: &Path,
    port: u16,
    seed: u64,
    contacts: usize,
) -> anyhow::Result<()> {
    let stage = Stage::start(executable, port, seed, true).await?;
    let contacts = samples::seed(&stage.sandbox.dataverse, contacts);
    say(&stage.host.banner());
    say(&what_to_try(&stage, &contacts));
    let folder = stage.folder.path().join("letters");
    let letters = Letters::new(stage.sandbox.graph.clone(), folder)?;
    tokio::select! {
        outcome = letters.show() => outcome?,
        signal = tokio::signal::ctrl_c() => signal?,
        signal = terminated() => signal?,
    }
    stage.host.stop().await;
    Ok(())
}

/// SIGTERM: without an orderly end the handler would stay behind.
async fn terminated() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

fn what_to_try(stage: &Stage, contacts: &[Contact]) -> String {
    let list: Vec<String> = contacts.iter().map(Contact::to_string).collect();
    let list = list.join("\n  ");
    let url = stage.host.url();
    let first = contacts
        .first()
        .map(|contact| contact.id.to_string())
        .unwrap_or_default();
    format!(
        "Contacts:\n  {list}\n\nInvite the first one:\n\n  \
         curl -s {url}api/invitations \\\n    -H 'Content-Type: application/json' \\\n    \
         -d '{{\"contactIds\":[\"{first}\"]}}'\n\n\
         Each letter is written to a file, named here when it is sent. Open it and follow its link.\n\
         Ctrl-C ends everything and deletes the files.\n",
    )
}
