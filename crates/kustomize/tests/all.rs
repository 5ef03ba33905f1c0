//! The integration tests of the crate, in one binary.

mod bad_input;
mod cases;
mod disk;
mod needs;
mod property;
