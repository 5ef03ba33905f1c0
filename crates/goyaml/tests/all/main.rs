//! The integration tests of the crate.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "these are tests")]
#![allow(unreachable_pub, reason = "a test binary has no public interface")]

mod differential;
mod generate;
mod golden;
mod limits;
mod nodes;
mod oracle;
