//! Owns every conversation with the outside: Dataverse, Microsoft Graph, the identity endpoint and the journal store.
//!
//! This is the only module that names `reqwest` and the Azure crates. The layers, from the bottom: `http` moves
//! bytes, `retry` decides what a failed try means, `endpoint` adds a token and a budget, and one module a
//! service turns typed calls into requests and answers into rows.

mod azure;
pub mod budget;
pub mod claims;
pub mod dataverse;
pub mod endpoint;
pub mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod gate;
pub mod graph;
pub mod http;
pub mod identity;
pub mod journal;
pub mod portal;
mod retry;
