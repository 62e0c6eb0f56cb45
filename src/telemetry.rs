//! Owns the log: one JSON object a line on stdout, from the first line to the last.
//!
//! The Functions host turns stdout into traces and stderr into errors, so nothing goes to stderr but a start-up
//! failure for the person at the console. What is never logged: codes, links, tokens, whole addresses, letters.
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>

use std::panic;

use tracing_subscriber::EnvFilter;

use crate::config::Environment;

/// Starts the log at the level that `RUST_LOG` names, else `info`.
pub fn start(environment: &Environment) {
    let level = environment
        .get("RUST_LOG")
        .unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .finish();
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
