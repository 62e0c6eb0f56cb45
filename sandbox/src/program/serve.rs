//! Serving: everything runs until Ctrl-C, for a person who tries the handler by hand.

use std::net::Ipv4Addr;

use anyhow::ensure;
use tokio::net::TcpListener;

use super::banner::banner;
use super::letters::Letters;
use super::samples;
use super::settings::Settings;
use super::stage::{Scene, Stage, check_port};
use super::{App, Arguments, Pace, repository, say};
use crate::page::{Page, tell_of_contacts};
use crate::{Latency, host::Desk};

/// Starts the stage, tells what to try and of each letter as it is sent.
pub(super) async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let port = arguments.port.unwrap_or(7071);
    let page_port = page_port(port, arguments.page_port)?;
    check_port(port, "--port").await?;
    check_port(page_port, "--page-port").await?;
    let settings = settings(arguments.seed)?;
    let (notes, rule) = (
        settings.notes.clone(),
        settings.get("AUTO_INVITE_FILTER").map(str::to_owned),
    );
    let app = App::of(arguments.app, arguments.handler).await?;
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, page_port)).await?;
    let stage = Stage::start(Scene {
        app,
        port,
        seed: arguments.seed,
        latency: match arguments.latency {
            Pace::None => Latency::None,
            Pace::Realistic => Latency::Realistic,
        },
        senders: arguments.senders.0,
        settings,
        key: arguments.key,
        fire_timers: true,
    })
    .await?;
    let count = arguments.contacts.try_into()?;
    let first = samples::seed(&stage.sandbox, arguments.seed, count);
    tell_of_contacts(
        &stage.sandbox,
        &stage.host,
        rule.as_deref().unwrap_or_default(),
    )?;
    let (sandbox, desk) = (stage.sandbox.clone(), Desk::clone(&stage.host));
    let page = Page::new(sandbox, desk, stage.addresses.clone())?;
    say(&format!("\nOpen http://{}/\n", door.local_addr()?));
    say(&banner(&stage, first.as_ref(), count, &notes));
    let letters = Letters::new(stage.sandbox.graph.clone());
    tokio::select! {
        outcome = page.serve(door) => outcome?,
        never = letters.tell() => match never {},
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

fn settings(seed: u64) -> anyhow::Result<Settings> {
    let directory = std::env::current_dir()?;
    let mut settings = Settings::of_desk(repository(), &directory, std::env::vars())?;
    settings.or(
        "ALLOWED_WEB_ROLES",
        samples::roles(seed).map(|role| role.to_string()).join(","),
    );
    Ok(settings)
}

/// The page is next to the host: the port after its own, or any where the host takes any.
fn page_port(port: u16, asked: Option<u16>) -> anyhow::Result<u16> {
    ensure!(
        port == 0 || asked != Some(port),
        "the host and the page cannot both have port {port}; choose another with --page-port"
    );
    Ok(asked.unwrap_or_else(|| {
        if port == 0 {
            0
        } else {
            port.checked_add(1).unwrap_or(0)
        }
    }))
}
