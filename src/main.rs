//! The one binary of Tiphys.

use std::process::ExitCode;

fn main() -> ExitCode {
    tiphys::cli::main()
}
