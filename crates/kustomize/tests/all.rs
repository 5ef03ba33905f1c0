//! The integration tests of the crate, in one binary.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod bad_input;
mod cases;
mod disk;
mod needs;
mod property;
