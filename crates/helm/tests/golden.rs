//! Every folder of `charts/` is a case: `case.json` says how helm was called, `expected.yaml` is its standard
//! output, `expected.err` its standard error.

use std::fs;
use std::path::Path;

use clap::Parser as _;
use serde_json::Value;

use crate::args::Args;

fn arguments(asked: &Value) -> Args {
    let text = |key: &str, default: &str| asked[key].as_str().unwrap_or(default).to_owned();
    let list = |key: &str| -> Vec<String> {
        asked[key].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    let mut words = vec!["template".to_owned(), text("release", "release"), "chart".to_owned()];
    words.extend(["--namespace".to_owned(), text("namespace", "default")]);
    words.extend(["--kube-version".to_owned(), text("kubeVersion", "1.35.0")]);
    for (key, flag) in [("values", "--values"), ("set", "--set"), ("apiVersions", "--api-versions")] {
        words.extend(list(key).into_iter().flat_map(|value| [flag.to_owned(), value]));
    }
    words.extend(list("args"));
    Args::parse_from(words)
}

/// What helm says after its log lines.
fn error_of(stderr: &str) -> &str {
    stderr.find("Error: ").map_or(stderr, |at| &stderr[at..]).trim_end()
}

#[test]
fn charts_print_what_helm_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts");
    let mut cases: Vec<_> = fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    let mut wrong = Vec::new();
    for case in cases {
        // The paths on the command line are relative to the case; no other test of this binary looks at them.
        std::env::set_current_dir(&case).unwrap();
        let asked = fs::read_to_string("case.json").unwrap_or_else(|_| "{}".into());
        let result = crate::run::render(&arguments(&serde_json::from_str(&asked).unwrap()), &mut |_| {});
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        match (fs::read_to_string("expected.yaml"), fs::read_to_string("expected.err"), result) {
            (Ok(want), _, Ok(have)) if want == have => {}
            (_, Ok(want), Err(have)) if error_of(&want) == format!("Error: {have}").trim_end() => {}
            (_, _, result) => wrong.push(format!("{name}: {result:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
