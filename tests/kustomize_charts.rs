//! Charts of kustomizations: `tiphys render kustomize --enable-helm` against what the real kustomize printed with the real
//! helm behind it.
//!
//! With `TIPHYS_UPDATE_GOLDENS`, `TIPHYS_ORACLE_KUSTOMIZE` and `TIPHYS_ORACLE_HELM` set, the real ones are asked again.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn cases() -> (PathBuf, Vec<PathBuf>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomize_charts");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("kustomization.yaml").is_file())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    (root, cases)
}

/// Standard output, or the error, without the path of this copy of the repository.
fn outcome(output: &Output, root: &Path) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let error = text(&output.stderr);
    let error = error.find("Error: ").map_or("", |at| &error[at..]);
    Err(error.replace(&*root.to_string_lossy(), "ROOT").trim_end().to_owned())
}

fn update(root: &Path, case: &Path, kustomize: &str, helm: &str) {
    let mut command = Command::new(kustomize);
    let output = command.args(["build", "--enable-helm", "--helm-command", helm]).arg(case).output().unwrap();
    let _ = std::fs::remove_file(case.join("expected.yaml"));
    let _ = std::fs::remove_file(case.join("expected.err"));
    match outcome(&output, root) {
        Ok(text) => std::fs::write(case.join("expected.yaml"), text).unwrap(),
        Err(error) => std::fs::write(case.join("expected.err"), error + "\n").unwrap(),
    }
}

#[test]
fn charts_of_kustomizations_are_rendered_as_kustomize_and_helm_do() {
    let (root, cases) = cases();
    let oracle = |name: &str| std::env::var(format!("TIPHYS_ORACLE_{name}")).ok();
    let mut wrong = Vec::new();
    for case in cases {
        if let (Some(_), Some(kustomize), Some(helm)) =
            (std::env::var_os("TIPHYS_UPDATE_GOLDENS"), oracle("KUSTOMIZE"), oracle("HELM"))
        {
            update(&root, &case, &kustomize, &helm);
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_tiphys"));
        let output = command.args(["render", "kustomize", "--enable-helm"]).arg(&case).output().unwrap();
        let read = |name: &str| std::fs::read_to_string(case.join(name)).ok();
        let wanted = match (read("expected.yaml"), read("expected.err")) {
            (Some(text), _) => Ok(text),
            (None, error) => Err(error.unwrap_or_default().trim_end().to_owned()),
        };
        let found = outcome(&output, &root);
        if found != wanted {
            wrong.push(format!("{}:\nfound {found:#?}\nwanted {wanted:#?}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
