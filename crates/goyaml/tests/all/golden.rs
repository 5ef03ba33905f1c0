//! Cases with the answers of the Go libraries, under `tests/golden`: one JSON object a line with the
//! question (`op`, `data`, and where it matters `indent`, `wide`, `base64`) and the answer (`text` or `error`).
//!
//! With `TIPHYS_UPDATE_GOLDENS=1` and an oracle the answers are written anew.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goyaml::Value;
use serde_json::{Map, json};

use crate::oracle::{Answer, Question, ask_go, ask_us};

const OPS: &[&str] = &[
    "decode",
    "decode-strict",
    "decode-map",
    "decode-list",
    "to-yaml",
    "to-pretty",
    "to-json",
    "tree",
    "emit",
    "value",
    "build",
    "split",
];

fn files() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn read(line: &str) -> (Question, Map<String, Value>) {
    let Value::Object(case) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
    let op = OPS.iter().find(|op| case["op"] == **op).unwrap_or_else(|| panic!("{line}"));
    let data = match case.get("base64") {
        Some(text) => STANDARD.decode(text.as_str().unwrap()).unwrap(),
        None => case["data"].as_str().unwrap().as_bytes().to_vec(),
    };
    let mut question = Question::new(op, data);
    if let Some(indent) = case.get("indent") {
        question.indent = usize::try_from(indent.as_u64().unwrap()).unwrap();
    }
    question.wide = case.get("wide").is_some_and(|wide| *wide == true);
    (question, case)
}

/// The line of a case with this answer.
fn write(mut case: Map<String, Value>, answer: Answer) -> String {
    case.remove("text");
    case.remove("error");
    match answer {
        Ok(text) => case.insert("text".to_owned(), json!(text)),
        Err(error) => case.insert("error".to_owned(), json!(error)),
    };
    let order = ["op", "indent", "wide", "data", "base64", "text", "error"];
    let fields: Vec<String> =
        order.iter().filter_map(|name| Some(format!("{}: {}", json!(name), case.get(*name)?))).collect();
    format!("{{{}}}\n", fields.join(", "))
}

#[test]
fn golden_answers() {
    let update = std::env::var_os("TIPHYS_UPDATE_GOLDENS").is_some();
    let mut different = Vec::new();
    let mut count = 0;
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        let cases: Vec<_> = text.lines().map(read).collect();
        count += cases.len();
        let questions: Vec<Question> = cases.iter().map(|case| case.0.clone()).collect();
        if let Some(answers) = update.then(|| ask_go(&questions)).flatten() {
            let lines: String =
                cases.into_iter().zip(answers).map(|((_, case), answer)| write(case, answer)).collect();
            fs::write(&file, lines).unwrap();
            continue;
        }
        for (line, (question, case)) in text.lines().zip(cases) {
            let found = write(case, ask_us(&question));
            if found.trim_end() != line {
                different.push(format!("{}\nexpected {line}\nfound    {found}", file.display()));
            }
        }
    }
    assert!(count > 500, "the cases are there");
    assert!(different.is_empty(), "{} of {count} differ:\n{}", different.len(), different.join("\n"));
}
