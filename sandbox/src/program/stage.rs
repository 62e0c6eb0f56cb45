//! The stage for both ways to run: services on free ports, the host with the app of this repository, and
//! a folder for what they leave behind, deleted at the end.

use std::{io::ErrorKind, net::Ipv4Addr};

use anyhow::anyhow;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{App, settings::Settings};
use crate::{
    Addresses, Latency, Options, Sandbox,
    host::{Host, HostError, HostOptions},
};

/// Running services and the host in front of the handler; dropping it ends everything.
pub(super) struct Stage {
    pub(super) sandbox: Sandbox,
    pub(super) addresses: Addresses,
    pub(super) host: Host,
    /// Journals are in its folder `store`.
    pub(super) folder: TempDir,
    _app: App,
}

/// What a stage is set with.
#[derive(Debug)]
pub(super) struct Scene {
    /// What the host serves.
    pub(super) app: App,
    /// Port of the host; 0 takes a free one.
    pub(super) port: u16,
    pub(super) seed: u64,
    pub(super) latency: Latency,
    /// Addresses of the mailboxes.
    pub(super) senders: Vec<String>,
    pub(super) settings: Settings,
    /// What callers must send; nothing lets everybody in.
    pub(super) key: Option<String>,
    /// Whether timers run by their schedules.
    pub(super) fire_timers: bool,
}

impl Stage {
    /// Starts everything.
    pub(super) async fn start(scene: Scene) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("portal-invite-sandbox-")
            .tempdir()?;
        let sandbox = Sandbox::new(Options {
            seed: scene.seed,
            latency: scene.latency,
            senders: scene.senders,
            ..Options::default()
        });
        let addresses = sandbox.listen().await?;
        let mut environment: Vec<_> = scene.settings.into_values().collect();
        environment.extend(addresses.handler_environment(&sandbox));
        let store = folder.path().join("store").display().to_string();
        environment.push(("BATCH_STORE".to_owned(), store));
        let host = Host::start(HostOptions {
            port: scene.port,
            environment,
            key: scene.key,
            fire_timers: scene.fire_timers,
            clock: sandbox.clock.clone(),
            refusal_code: Some(WRONG_SETTING),
            ..HostOptions::new(scene.app.root())
        })
        .await
        .map_err(in_own_words)?;
        Ok(Self {
            sandbox,
            addresses,
            host,
            folder,
            _app: scene.app,
        })
    }
}

/// The handler's exit code for a setting that it cannot work with.
const WRONG_SETTING: i32 = 64;

fn in_own_words(error: HostError) -> anyhow::Error {
    match error {
        HostError::Refused(words) => {
            anyhow!("the handler does not start with these settings\n{words}")
        }
        error => error.into(),
    }
}

/// Refuses a port that cannot be had, before anything is built.
pub(super) async fn check_port(port: u16, flag: &str) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(_free) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(anyhow!(
            "port {port} is in use, perhaps by another sandbox or by func start; end that, or choose another port with {flag}"
        )),
        Err(error) => Err(anyhow!(
            "cannot listen on port {port}: {error}; choose another with {flag}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_named_with_the_way_out() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = check_port(port, "--port").await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("port {port} is in use")),
            "{error}"
        );
        assert!(error.contains("--port"), "{error}");
        assert!(check_port(0, "--port").await.is_ok());
    }
}
