//! The host look-alike against a small handler that tells what it was sent and misbehaves on demand.
#![expect(clippy::unwrap_used, reason = "this crate is tests only")]

mod calls;
mod forwarding;
mod lifecycle;
mod package;
mod refusals;
mod support;
mod timers;
