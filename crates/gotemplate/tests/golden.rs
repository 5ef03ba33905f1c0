//! Cases written by hand with answers given by Go.
//!
//! `TIPHYS_UPDATE_GOLDENS=1 TIPHYS_ORACLE_GOTEMPLATE=… cargo test -p gotemplate golden` asks Go again and rewrites them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::case::Case;
use crate::oracle::Oracle;

/// A case of a golden file. The file is a sequence of
///
/// ```text
/// ==== name
/// ---- data            (JSON, optional)
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

fn read(text: &str) -> Vec<Golden> {
    text.split("==== ").skip(1).map(read_one).collect()
}

fn read_one(block: &str) -> Golden {
    let (name, rest) = block.split_once('\n').unwrap();
    let mut case = Case::one("", serde_json::Value::Null);
    case.templates.clear();
    let mut expected = Ok(String::new());
    for section in rest.split("---- ").skip(1) {
        let (head, body) = section.split_once('\n').unwrap();
        let body = body.strip_suffix('\n').unwrap_or(body);
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

fn write(goldens: &[Golden]) -> String {
    let mut out = String::new();
    for Golden { name, case, expected } in goldens {
        writeln!(out, "==== {name}").unwrap();
        if !case.data.is_null() {
            writeln!(out, "---- data\n{}", case.data).unwrap();
        }
        if case.missing_key != "default" {
            writeln!(out, "---- missingkey\n{}", case.missing_key).unwrap();
        }
        for (name, text) in &case.templates {
            writeln!(out, "---- template {name}\n{text}").unwrap();
        }
        match expected {
            Ok(text) => writeln!(out, "---- output\n{text}").unwrap(),
            Err(text) => writeln!(out, "---- error\n{text}").unwrap(),
        }
    }
    out
}

#[test]
fn goldens_agree() {
    let update = std::env::var_os("TIPHYS_UPDATE_GOLDENS").is_some();
    let mut oracle = if update { Oracle::start() } else { None };
    let mut wrong = Vec::new();
    for file in files() {
        let mut goldens = read(&std::fs::read_to_string(&file).unwrap());
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
            std::fs::write(&file, write(&goldens)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}
