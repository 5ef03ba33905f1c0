//! Random cases, answered by the Go libraries and by the crate.
//!
//! They run where `TIPHYS_ORACLE_GOYAML` names the oracle; `TIPHYS_ORACLE_CASES` sets their number and
//! `TIPHYS_ORACLE_SEED` where they start.

use crate::generate::{Random, document, soup, value};
use crate::oracle::{Answer, Question, ask_go, ask_us};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Asks both about the questions that `make` gives for random numbers, and shows the first differences.
fn compare(name: &str, make: impl Fn(&mut Random) -> Question) {
    let mut random = Random(setting("TIPHYS_ORACLE_SEED", 1));
    let cases = setting("TIPHYS_ORACLE_CASES", 2_000);
    let questions: Vec<Question> = (0..cases).map(|_| make(&mut random)).collect();
    let Some(expected) = ask_go(&questions) else { return };
    let mut different: Vec<(&Question, &Answer, Answer)> = questions
        .iter()
        .zip(&expected)
        .map(|(question, expected)| (question, expected, ask_us(question)))
        .filter(|(_, expected, found)| *expected != found && !is_excused(expected, found))
        .collect();
    different.sort_by_key(|(question, ..)| question.data.len());
    for (question, expected, found) in different.iter().take(setting("TIPHYS_ORACLE_SHOW", 3) as usize) {
        let data = String::from_utf8_lossy(&question.data);
        println!(
            "=== {name} {} indent {} wide {}\n{data}\n{data:?}",
            question.op, question.indent, question.wide
        );
        show("Go", expected);
        show("we", found);
    }
    assert!(different.is_empty(), "{name}: {} of {cases} differ", different.len());
}

/// Where Go itself breaks down, or prints maps in random order, any answer will do.
fn is_excused(expected: &Answer, found: &Answer) -> bool {
    match (expected, found) {
        (Err(expected), Err(found)) => {
            let random = |text: &str| text.contains("map[") || text.contains("unsupported map key");
            expected.starts_with("panic: ") || random(expected) && random(found)
        }
        (Err(expected), Ok(_)) => expected.starts_with("panic: "),
        _ => false,
    }
}

fn show(who: &str, answer: &Answer) {
    match answer {
        Ok(text) => println!("--- {who}:\n{text}"),
        Err(error) => println!("--- {who}, error: {error}"),
    }
}

fn json_question(op: &'static str, random: &mut Random) -> Question {
    Question::new(op, serde_json::to_vec(&value(random, 0)).unwrap())
}

#[test]
fn values_to_yaml() {
    compare("values_to_yaml", |random| json_question("to-yaml", random));
}

#[test]
fn values_to_pretty_yaml() {
    compare("values_to_pretty_yaml", |random| json_question("to-pretty", random));
}

#[test]
fn values_to_json() {
    compare("values_to_json", |random| json_question("to-json", random));
}

#[test]
fn documents_decode() {
    compare("documents_decode", |random| Question::new("decode", document(random)));
}

#[test]
fn soup_decodes() {
    compare("soup_decodes", |random| {
        let op = random.pick(&["decode", "decode", "decode-strict", "decode-map", "decode-list"]);
        Question::new(op, soup(random))
    });
}

#[test]
fn soup_trees() {
    compare("soup_trees", |random| Question::new("tree", soup(random)));
}

#[test]
fn document_trees() {
    compare("document_trees", |random| Question::new("tree", document(random)));
}

#[test]
fn documents_round_trip() {
    compare("documents_round_trip", |random| {
        let mut question =
            Question::new("emit", if random.chance(80) { document(random) } else { soup(random) });
        question.indent = random.pick(&[2, 2, 2, 4, 3]);
        question.wide = random.chance(50);
        question
    });
}
