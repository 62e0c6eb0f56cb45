//! Any target: the executable's name says which.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| portal_invite::fuzz::check(env!("CARGO_BIN_NAME"), input));
