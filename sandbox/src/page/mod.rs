//! The page on which a person sees the sandbox and drives it, served on loopback to a browser.
//!
//! It looks at the services from outside: [`feed`] tells browsers what has changed, each of the other modules knows
//! one view of the page, and `relay` passes requests on to the Functions host, which is another origin. What
//! browsers get lies in `sandbox/page`: no build step, and nothing from elsewhere at run time.

mod contacts;
mod feed;
mod files;
mod guard;
mod invitations;
mod mail;
mod newcomer;
mod relay;
mod sheet;
mod site;
mod tail;
mod time;
mod traffic;
mod trouble;

use std::sync::Arc;

use axum::{Router, middleware};
use tokio::net::TcpListener;

use self::feed::Board;
pub use self::newcomer::tell_of_contacts;
use crate::{
    Addresses, Sandbox,
    host::{Desk, client::client},
};

/// What the page shows and drives; clones are handles on the same one.
#[derive(Clone)]
pub struct Page {
    sandbox: Sandbox,
    desk: Desk,
    addresses: Addresses,
    board: Arc<Board>,
    /// Towards the host.
    client: reqwest::Client,
}

impl Page {
    /// A page about these services and this host; fails where no HTTP client can be made.
    pub fn new(sandbox: Sandbox, desk: Desk, addresses: Addresses) -> std::io::Result<Self> {
        sandbox.traffic.describe();
        Ok(Self {
            sandbox,
            desk,
            addresses,
            board: Arc::default(),
            client: client()?,
        })
    }

    /// Serves browsers until the task is aborted.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let router = Router::new()
            .merge(feed::router())
            .merge(relay::router())
            .merge(mail::router())
            .merge(newcomer::router())
            .merge(site::router())
            .merge(time::router())
            .merge(trouble::router())
            .fallback(files::answer)
            .layer(middleware::from_fn(guard::same_origin))
            .with_state(self.clone());
        tokio::select! {
            served = axum::serve(listener, router) => served,
            never = self.observe() => match never {},
        }
    }
}
