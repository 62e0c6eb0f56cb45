//! The tests through the real door: the real binary, started by the sandbox's host, against the sandbox.
//!
//! One test binary, so that everything is linked once. `world` sets the stage; each other module tells one story.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod baseline;
mod blob;
mod blob_suite;
mod checks;
mod cli;
mod contact_created;
mod contract;
mod cost;
mod cost_sweep;
mod demo;
mod digest;
mod doctor;
mod documents;
mod explained;
mod forwarding;
mod grant;
mod identity;
mod invitations;
mod invite;
mod journals;
mod killed;
mod killed_again;
mod leaks;
mod levels;
mod life;
mod lost;
mod mailboxes;
mod meanwhile;
mod process;
mod racing;
mod secrecy;
mod send_mode;
mod settings;
mod signing_in;
mod simulation;
mod start;
mod store;
mod store_suite;
mod sweep;
mod sweep_races;
mod takeover;
mod templates;
mod throttled;
mod timers;
mod trouble;
mod views;
mod wording;
mod world;
