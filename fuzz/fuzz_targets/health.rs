//! Coverage-guided fuzzing of the health rules.
#![no_main]

#[path = "../../tests/health_target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
