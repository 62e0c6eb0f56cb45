//! Serving: everything runs until Ctrl-C, for a person who tries the handler by hand.

use std::{net::Ipv4Addr, path::Path};

use tokio::net::TcpListener;

use super::{
    letters::Letters,
    samples::{self, Contact},
    say,
    stage::Stage,
};
use crate::{host::Desk, page::Page};

/// Starts the stage, tells what to try and shows each letter as it is sent.
pub(super) async fn serve(
    executable: &Path,
    port: u16,
    seed: u64,
    contacts: usize,
) -> anyhow::Result<()> {
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, page_port(port))).await?;
    let stage = Stage::start(executable, port, seed, true).await?;
    let contacts = samples::seed(&stage.sandbox.dataverse, contacts);
    let (sandbox, desk) = (stage.sandbox.clone(), Desk::clone(&stage.host));
    let page = Page::new(sandbox, desk, stage.addresses.clone());
    say(&format!("Open http://{}/", door.local_addr()?));
    say(&stage.host.banner());
    say(&what_to_try(&stage, &contacts));
    let folder = stage.folder.path().join("letters");
    let letters = Letters::new(stage.sandbox.graph.clone(), folder)?;
    tokio::select! {
        outcome = page.serve(door) => outcome?,
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

/// The page is next to the host: the port after its own, or any where the host takes any.
fn page_port(port: u16) -> u16 {
    if port == 0 { 0 } else { port.saturating_add(1) }
}
