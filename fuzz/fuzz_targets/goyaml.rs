//! Coverage-guided fuzzing of `goyaml`.
#![no_main]

#[path = "../../crates/goyaml/tests/all/target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
