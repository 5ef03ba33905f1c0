//! The integration tests of the crate, one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod case;
mod fuzz;
mod generate;
mod golden;
#[path = "../../../fuzz/mutate.rs"]
mod mutate;
mod oracle;
mod property;
mod robustness;
mod sprig;
mod target;
mod vocabulary;
