//! The integration tests of the crate.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these are tests"
)]
#![allow(unreachable_pub, reason = "a test binary has no public interface")]

mod differential;
mod fuzz;
mod generate;
mod golden;
mod limits;
#[path = "../../../../fuzz/mutate.rs"]
mod mutate;
mod nodes;
mod oracle;
mod target;
