//! What a host is started with. The defaults are those of a host at somebody's desk.

use std::{path::PathBuf, time::Duration};

use crate::clock::Clock;

/// How HTTP requests reach the handler, when host.json allows both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// Streamed through, as hosts do that know `enableProxyingHttpRequest`.
    Proxy,
    /// Rebuilt, as hosts do that know only `enableForwardingHttpRequest`.
    Forward,
}

/// What a host is started with.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The folder with host.json.
    pub app_root: PathBuf,
    /// Port of the host on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The app settings: with the five variables of the host, PATH and HOME all that the handler gets.
    pub environment: Vec<(String, String)>,
    /// Which generation of the host is imitated.
    pub forwarding: Forwarding,
    /// Whether timers run by their schedules; `Host::fire` works either way.
    pub fire_timers: bool,
    /// The key that functions above `anonymous` then need; `None` lets everybody in, as a local host does.
    pub key: Option<String>,
    /// File that keeps the timers' status between starts; without one each start is the first.
    pub timer_status: Option<PathBuf>,
    /// An exit code by which the handler says that it will not run as it is set: it is not started again, and its words are
    /// the host's error. The real host knows no such code.
    pub refusal_code: Option<i32>,
    /// How long a caller waits before the front end gives up; 230 s on Azure
    /// (<https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout>).
    pub front_end_limit: Duration,
    /// The clock by which timers and restarts go.
    pub clock: Clock,
}

impl HostOptions {
    /// The options of a plain local host for the app in this folder: a free port, proxying, no timers, no keys.
    pub fn new(app_root: impl Into<PathBuf>) -> Self {
        Self {
            app_root: app_root.into(),
            port: 0,
            environment: Vec::new(),
            forwarding: Forwarding::Proxy,
            fire_timers: false,
            key: None,
            timer_status: None,
            refusal_code: None,
            front_end_limit: Duration::from_secs(230),
            clock: Clock::system(),
        }
    }
}
