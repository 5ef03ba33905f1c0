//! Every folder of `cases`: what the real `kustomize build` prints is what we print.
//!
//! `case.json` names the directory to build and further arguments; `expected.yaml` or `expected.err` is
//! written by `cargo xtask golden --update`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use kustomize::{Build, LoadRestrictor, Outcome};
use serde_json::Value;

use crate::disk::Disk;

fn printed(case: &Path, asked: &Value) -> Result<String, String> {
    let mut build = Build::new(Arc::new(Disk));
    for arg in asked["args"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        match arg {
            "LoadRestrictionsNone" => build.options.load_restrictor = LoadRestrictor::None,
            "--enable-helm" => build.options.enable_helm = true,
            _ => {}
        }
    }
    let path = case.join(asked["path"].as_str().unwrap_or("."));
    let path = kustomize::clean_path(&path.to_string_lossy());
    match build.run(&path) {
        Ok(Outcome::Done(output)) => Ok(output.text),
        Ok(Outcome::Needs(needs)) => Err(format!("needs {needs:?}")),
        Err(error) => {
            let mut text: String = error.warnings().iter().map(|warning| format!("{warning}\n")).collect();
            text.push_str(&format!("Error: {error}\n"));
            Err(text.replace(&case.display().to_string(), "<case>"))
        }
    }
}

#[test]
fn all_cases_print_what_kustomize_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut different = Vec::new();
    for case in &folders {
        let asked = fs::read_to_string(case.join("case.json")).unwrap_or_else(|_| "{}".to_owned());
        let asked: Value = serde_json::from_str(&asked).unwrap();
        let expected = match fs::read_to_string(case.join("expected.yaml")) {
            Ok(text) => Ok(text),
            Err(_) => Err(fs::read_to_string(case.join("expected.err")).unwrap()),
        };
        let printed = printed(case, &asked);
        if printed != expected {
            different.push(format!(
                "{}\n--- kustomize\n{}--- ours\n{}",
                case.file_name().unwrap().to_string_lossy(),
                expected.unwrap_or_else(|error| error),
                printed.unwrap_or_else(|error| error)
            ));
        }
    }
    assert!(folders.len() > 60, "only {} cases", folders.len());
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n\n"));
}
