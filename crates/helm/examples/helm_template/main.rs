//! `helm template` on this crate: the same flags, the same output. For comparing with the real one.

mod args;
mod run;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    run::run(&args::Args::parse())
}
