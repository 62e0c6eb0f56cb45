//! Owns the log: one JSON object a line on stdout, from the first line to the last; of a command, errors on stderr.
//!
//! The Functions host turns stdout into traces and stderr into errors, so nothing goes to stderr but a start-up
//! failure for the person at the console. What is never logged: codes, links, tokens, whole addresses, letters.
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>

use std::io::stderr;
use std::panic;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::config::Environment;

/// What other crates may say, whatever `RUST_LOG` asks for.
///
/// The Azure crates tell at each token which identity they use, in the middle of what a command prints for a
/// person; what they cannot do comes back as an error, and that is logged once, redacted.
fn caps() -> Targets {
    let quiet = ["azure_core", "azure_identity", "typespec_client_core"];
    Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_targets(quiet.map(|target| (target, LevelFilter::WARN)))
}

/// Where the log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Standard output, as JSON: the Functions host reads it.
    Output,
    /// Standard error, as text: standard output is the answer of a command.
    Error,
}

/// Starts the log at the level that `RUST_LOG` names, else `info`, or `error` for a command.
pub fn start(environment: &Environment, place: Place) {
    let usual = match place {
        Place::Output => LevelFilter::INFO,
        Place::Error => LevelFilter::ERROR,
    };
    let level = environment.get("RUST_LOG");
    let filter: Option<Targets> = level.and_then(|level| level.parse().ok());
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(usual));
    let lines = match place {
        Place::Output => layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
        Place::Error => layer().with_ansi(false).with_writer(stderr).boxed(),
    };
    let subscriber = tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .with(caps());
    // A second start, in a test, keeps the first.
    let _ = tracing::subscriber::set_global_default(subscriber);
    panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "a task panicked");
    }));
}
