//! The integration tests of the crate, one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod case;
mod generate;
mod golden;
mod oracle;
mod property;
mod robustness;
mod sprig;
mod vocabulary;
