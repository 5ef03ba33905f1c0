//! The fuzz target of the health rules on seeded mutations; see `fuzz/README.md`.

use super::health_target;

/// What rules look at, put in here and there.
const WORDS: [&str; 16] = [
    "null",
    "\"observedGeneration\":\"1\"",
    "\"conditions\":null",
    "\"conditions\":[null]",
    "\"conditions\":{\"type\":\"Ready\"}",
    "\"status\":7",
    "\"status\":[]",
    "\"True\"",
    "\"Unknown\"",
    "-1",
    "1e308",
    "18446744073709551615",
    "{}",
    "[[[[]]]]",
    "\"deletionTimestamp\":\"x\"",
    "\"\\u0000\"",
];

#[test]
fn fuzz_mutations_of_objects_do_not_panic() {
    let mut corpus: Vec<Vec<u8>> = include_str!("../src/health/tests/golden.jsonl")
        .lines()
        .step_by(5)
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .map(|case| case["object"].to_string().into_bytes())
        .collect();
    corpus.push(format!("{{\"status\":{{\"conditions\":[{}1]}}}}", "{},".repeat(20_000)).into_bytes());
    super::mutate::run(health_target::run, &corpus, &WORDS, 150);
}
