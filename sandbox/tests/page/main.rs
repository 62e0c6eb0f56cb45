//! The page's server against the services and a host with a small handler: what browsers are told, and what they may do.
#![expect(clippy::unwrap_used, reason = "this crate is tests only")]

mod files;
mod mail;
mod newcomer;
mod people;
mod site;
mod support;
mod time;
mod traffic;
mod trouble;
