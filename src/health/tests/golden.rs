//! Rules as data against the answers of Argo CD's own engine: `golden.jsonl` holds objects made from the vocabulary
//! of the rules, and what the oracle said to each.

use serde_json::Value;

use crate::health::{Customizations, assess};

#[test]
fn rules_answer_as_the_oracle_does() {
    let cases = include_str!("golden.jsonl").lines();
    let mut differences = Vec::new();
    for (number, line) in cases.enumerate() {
        let case: Value = serde_json::from_str(line).unwrap();
        let health = assess(&case["object"], &Customizations::none()).unwrap();
        if case["status"] != health.status.as_str() || case["message"] != health.message.as_str() {
            differences.push(format!("line {}: {} {}", number + 1, health.status, health.message));
        }
    }
    assert_eq!(differences, Vec::<String>::new());
}
