//! The integration tests of the crate, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed"
)]

mod bad_input;
mod cases;
mod disk;
mod fuzz;
mod merge_keys;
#[path = "../../../fuzz/mutate.rs"]
mod mutate;
mod needs;
mod property;
mod target;
