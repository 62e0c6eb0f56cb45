//! What the host look-alike can refuse or run into. Variants are what a test tells apart; texts are
//! for the person who reads them and name the file, function or setting to look at.

use std::{io, path::PathBuf};

/// Why the host does not start, or why an invocation does not succeed.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A file of the app cannot be read.
    #[error("failed to read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// host.json is not one that the host takes, or uses a part that is not imitated here.
    #[error("host.json: {0}")]
    HostJson(String),
    /// No function could be loaded: the host then never starts the handler.
    #[error("no function could be loaded: {}", .0.join("; "))]
    NoFunctions(Vec<String>),
    /// A socket or the handler's process could not be had.
    #[error("failed to start the host: {0}")]
    Start(#[from] io::Error),
    /// The handler crashed too often or never became ready; the host gave up.
    #[error("the host is down: {0}")]
    Down(String),
    /// The handler ended with [`HostOptions::refusal_code`](super::HostOptions): what it wrote to standard error.
    #[error("{0}")]
    Refused(String),
    /// The app has no such function that could be fired.
    #[error("the app has no timer function {0:?}")]
    UnknownFunction(String),
    /// The invocation failed: no connection, a status other than 2xx, or an answer the host cannot read.
    #[error("{function} failed: {reason}")]
    Failed {
        /// The function's name.
        function: String,
        /// The handler's status, if it answered.
        status: Option<u16>,
        /// The handler's body, as text.
        body: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The real host would wait for ever: it never completes an invocation that is answered with nothing or `null`.
    #[error(
        "{0} answered nothing: the real host would hang until functionTimeout and then kill the process"
    )]
    WouldHang(String),
    /// The function ran into functionTimeout, and the handler was killed for it.
    #[error("{0} ran into functionTimeout; the handler was killed")]
    TimedOut(String),
}
