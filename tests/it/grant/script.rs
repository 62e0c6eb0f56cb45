//! scripts/grant itself, with stand-ins for az, pac and PowerShell that reach the sandbox as its administrator.
//!
//! They take Python and jq, so these stories are told on request: tests/grant/run.
