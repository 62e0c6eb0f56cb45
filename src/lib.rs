//! Invites contacts to a Power Pages site: an Azure Functions custom handler.
//!
//! The map: [`cli`] reads the command line, [`config`] the settings; [`app`] wires everything and listens;
//! [`functions`] speaks HTTP with the Functions host; [`service`] holds the use cases; [`remote`] talks to Dataverse,
//! Microsoft Graph and the journal store; [`letter`] renders; [`domain`] decides. Nothing points back up that list.

pub mod app;
pub mod chance;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod functions;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod letter;
pub mod remote;
pub mod service;
pub mod telemetry;
