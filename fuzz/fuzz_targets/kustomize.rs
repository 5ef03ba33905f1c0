//! Coverage-guided fuzzing of `kustomize`.
#![no_main]

#[path = "../../crates/kustomize/tests/target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
