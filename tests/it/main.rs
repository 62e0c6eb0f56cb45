//! The tests through the real door: the real binary, started by the sandbox's host, against the sandbox.
//!
//! One test binary, so that everything is linked once. `world` sets the stage; each other module tells one story.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cost;
mod contract;
mod forwarding;
mod identity;
mod demo;
mod checks;
mod invite;
mod simulation;
mod leaks;
mod process;
mod secrecy;
mod start;
mod sweep;
mod sweep_races;
mod timers;
mod killed;
mod lost;
mod meanwhile;
mod racing;
mod send_mode;
mod takeover;
mod trouble;
mod world;
