//! Cases written by hand with answers given by Go.
//!
//! `TIPHYS_UPDATE_GOLDENS=1 TIPHYS_ORACLE_GOTEMPLATE=… cargo test -p gotemplate golden` asks Go again and rewrites them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::case::Case;
use crate::oracle::Oracle;

/// A case of a golden file. The file is the data of all its cases (typed JSON on one line), then a sequence of
///
/// ```text
/// ==== name
/// ---- data            (where it differs)
/// ---- missingkey      (optional)
/// ---- template NAME   (one or more; the first is executed)
/// ---- output | error
/// ```
struct Golden {
    name: String,
    case: Case,
    expected: Result<String, String>,
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

fn read(text: &str) -> (Json, Vec<Golden>) {
    let (head, cases) = text.split_once("==== ").unwrap_or((text, ""));
    let data: Json = serde_json::from_str(head).unwrap_or_default();
    (data.clone(), cases.split("\n==== ").map(|block| read_one(block, &data)).collect())
}

fn read_one(block: &str, data: &Json) -> Golden {
    let (name, rest) = block.split_once('\n').unwrap();
    let mut case = Case::one("", data.clone());
    case.templates.clear();
    let mut expected = Ok(String::new());
    for section in rest.strip_prefix("---- ").unwrap_or(rest).split("\n---- ") {
        let (head, body) = section.split_once('\n').unwrap_or((section, ""));
        let mut words = head.split_whitespace();
        match words.next() {
            Some("data") => case.data = serde_json::from_str(body).unwrap_or_else(|e| panic!("{name}: {e}")),
            Some("missingkey") => {
                case.missing_key = ["default", "zero", "error"].into_iter().find(|m| *m == body).unwrap();
            }
            Some("template") => case.templates.push((words.next().unwrap().into(), body.into())),
            Some("output") => expected = Ok(body.into()),
            Some("error") => expected = Err(body.into()),
            other => panic!("{name}: section {other:?}"),
        }
    }
    case.execute = case.templates.first().map(|t| t.0.clone()).unwrap_or_default();
    Golden { name: name.into(), case, expected }
}

fn write(data: &Json, goldens: &[Golden]) -> String {
    let mut out = format!("{data}");
    for Golden { name, case, expected } in goldens {
        write!(out, "\n==== {name}").unwrap();
        if case.data != *data {
            write!(out, "\n---- data\n{}", case.data).unwrap();
        }
        if case.missing_key != "default" {
            write!(out, "\n---- missingkey\n{}", case.missing_key).unwrap();
        }
        for (name, text) in &case.templates {
            write!(out, "\n---- template {name}\n{text}").unwrap();
        }
        match expected {
            Ok(text) => write!(out, "\n---- output\n{text}").unwrap(),
            Err(text) => write!(out, "\n---- error\n{text}").unwrap(),
        }
    }
    out.push('\n');
    out
}

#[test]
fn goldens_agree() {
    let update = std::env::var_os("TIPHYS_UPDATE_GOLDENS").is_some();
    let mut oracle = if update { Oracle::start() } else { None };
    let mut wrong = Vec::new();
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let (data, mut goldens) = read(text.strip_suffix('\n').unwrap_or(&text));
        assert!(!goldens.is_empty(), "{} has no cases", file.display());
        for golden in &mut goldens {
            if let Some(oracle) = &mut oracle {
                golden.expected = oracle.ask(&golden.case).map(|b| String::from_utf8_lossy(&b).into_owned());
            }
            let got = golden.case.run().map(|s| s.to_text().into_owned());
            if got != golden.expected {
                wrong.push(format!(
                    "{}: {}\n  want {:?}\n  got  {got:?}",
                    file.display(),
                    golden.name,
                    golden.expected
                ));
            }
        }
        if oracle.is_some() {
            std::fs::write(&file, write(&data, &goldens)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}
