//! Charts of our own against what the real `helm template` printed for them (`cargo xtask golden`), random ones against the
//! tool itself, and what nobody should write.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, clippy::print_stdout, reason = "tests")]

mod fuzz;
mod golden;
mod limits;
#[path = "../../../fuzz/mutate.rs"]
mod mutate;
mod property;
mod robust;
mod target;
