//! Coverage-guided fuzzing of `gotemplate`.
#![no_main]

#[path = "../../crates/gotemplate/tests/target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
