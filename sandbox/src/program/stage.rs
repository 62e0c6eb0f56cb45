//! The stage for both ways to run: services on free ports, the host with the app of this repository, and
//! a folder for what they leave behind, deleted at the end.

use std::{io::ErrorKind, net::Ipv4Addr, path::Path};

use anyhow::{Context as _, anyhow};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{handler, repository};
use crate::{
    Addresses, Options, Sandbox,
    host::{Host, HostOptions, stage},
};

/// Running services and the host in front of the handler; dropping it ends everything.
pub(super) struct Stage {
    pub(super) sandbox: Sandbox,
    pub(super) addresses: Addresses,
    pub(super) host: Host,
    /// Journals are in its folder `store`.
    pub(super) folder: TempDir,
    _app_root: TempDir,
}

impl Stage {
    /// Starts everything; with `fire_timers` the host keeps the schedules of the example settings.
    pub(super) async fn start(
        executable: &Path,
        port: u16,
        seed: u64,
        fire_timers: bool,
    ) -> anyhow::Result<Self> {
        let app_root = stage(repository(), executable)
            .with_context(|| format!("cannot lay out the app with {}", executable.display()))?;
        let folder = tempfile::Builder::new()
            .prefix("portal-invite-sandbox-")
            .tempdir()?;
        let sandbox = Sandbox::new(Options {
            seed,
            ..Options::default()
        });
        let addresses = sandbox.listen().await?;
        let mut environment = addresses.handler_environment(&sandbox);
        environment.extend(handler::local_settings(repository())?);
        let store = folder.path().join("store").display().to_string();
        environment.push(("BATCH_STORE".to_owned(), store));
        environment.push(("BRAND_NAME".to_owned(), "Contoso".to_owned()));
        let host = Host::start(HostOptions {
            port,
            environment,
            fire_timers,
            clock: sandbox.clock.clone(),
            ..HostOptions::new(app_root.path())
        })
        .await?;
        Ok(Self {
            sandbox,
            addresses,
            host,
            folder,
            _app_root: app_root,
        })
    }
}

/// Refuses a port that cannot be had, before anything is built.
pub(super) async fn check_port(port: u16) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(_free) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(anyhow!(
            "port {port} is in use, perhaps by another sandbox or by func start; end that, or choose another port with --port"
        )),
        Err(error) => Err(anyhow!(
            "cannot listen on port {port}: {error}; choose another with --port"
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
        let error = check_port(port).await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("port {port} is in use")),
            "{error}"
        );
        assert!(error.contains("--port"), "{error}");
        assert!(check_port(0).await.is_ok());
    }
}
