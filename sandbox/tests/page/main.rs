//! The page's server against the services and a host with a small handler: what browsers are told, and what they may do.
#![expect(clippy::unwrap_used, reason = "this crate is tests only")]

mod files;
mod mail;
mod people;
mod site;
mod newcomer;
mod support;
mod time;
mod trouble;
mod traffic;
