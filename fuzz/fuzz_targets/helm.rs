//! Coverage-guided fuzzing of `helm`.
#![no_main]

#[path = "../../crates/helm/tests/target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
