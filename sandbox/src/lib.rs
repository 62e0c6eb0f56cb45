//! Loopback stand-ins for the services that portal-invite works with: Dataverse, Microsoft Graph, the
//! App Service identity endpoint, Blob Storage and a Power Pages site, and a Functions host that runs the handler.
//!
//! A second opinion, written from public documentation: it shares no type and no constant with the
//! handler, refuses what it does not know with 501, and keeps the documented limits. Everything runs
//! under tokio's paused time and draws its chance from a seed.

pub mod clock;
pub mod dataverse;
pub mod faults;
pub mod graph;
pub mod host;
pub mod identity;
pub mod latency;
mod mask;
pub mod page;
pub mod portal;
pub mod program;
pub mod storage;
pub mod traffic;
pub mod wire;
pub mod world;

pub use clock::Clock;
pub use dataverse::Dataverse;
pub use faults::{Fault, Faults, Rule, Service};
pub use graph::Graph;
pub use identity::Identity;
pub use latency::{DataverseTimes, GraphTimes, Latency, Model, Spread};
pub use portal::Portal;
pub use storage::Storage;
pub use traffic::{Described, Entry, Kind, Step, Traffic};
pub use wire::{Dropped, Wire};
pub use world::{Addresses, Options, Sandbox};
