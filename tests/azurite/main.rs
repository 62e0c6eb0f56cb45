//! The blob store against Azurite, Microsoft's emulator of Azure Storage.
//!
//! `scripts/azurite cargo test --test azurite -- --ignored` installs Azurite, starts it and runs these; without it every one
//! of them is ignored. A binary of its own, so that the other tests need neither Node nor npm.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod azurite;
#[path = "../it/blob_suite.rs"]
mod blob_suite;
mod lease;
mod lost_answers;
mod processes;
mod store;
#[path = "../it/store_suite.rs"]
mod store_suite;
#[path = "../it/world.rs"]
#[expect(dead_code, reason = "the other test binary uses the rest")]
mod world;
