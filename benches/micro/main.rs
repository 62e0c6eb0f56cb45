//! Micro-benchmarks of what the handler does itself: rendering, `$batch`, planning, journals and pages of rows.
//!
//! Time and allocations of each, without network, disk or the sandbox's own work: its answers are recorded once and
//! replayed. `cargo bench --bench micro` runs all of them; a part of a name after it runs fewer; with
//! `-- --test` each runs once. What is measured is built as what ships.

#![expect(
    clippy::unwrap_used,
    reason = "what cannot be set up cannot be measured"
)]

mod batches;
#[path = "../../tests/it/simulation/given.rs"]
mod given;
mod journals;
mod letters;
mod people;
mod replay;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}
