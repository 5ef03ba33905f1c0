//! What `tiphys render kustomize` may cost, and what it refuses.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn render(folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tiphys")).args(["render", "kustomize"]).arg(folder).output().unwrap()
}

/// Standard error of a render that must fail.
fn refused(folder: &Path) -> String {
    let output = render(folder);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    String::from_utf8(output.stderr).unwrap().replace(folder.to_str().unwrap(), "ROOT")
}

/// Small objects, and how much address space their build may take: a few KiB for each, and the program itself.
const OBJECTS: usize = 20_000;
const MOST_KIB: usize = 600 << 10;

#[test]
fn many_objects_are_built_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for number in 0..OBJECTS {
        let _ = write!(
            text,
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-{number}\ndata:\n  key: value\n---\n"
        );
    }
    let kustomization =
        "resources: [maps.yaml]\nnamePrefix: p-\nnamespace: team\ncommonLabels: {app: many}\n";
    write(folder.path(), &[("kustomization.yaml", kustomization), ("maps.yaml", &text)]);
    let script = format!("ulimit -v {MOST_KIB} && exec \"$0\" render kustomize \"$1\"");
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_tiphys")])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.matches("\n  name: p-map-").count(), OBJECTS);
    assert_eq!(printed.matches("\n  namespace: team\n").count(), OBJECTS);
}

#[test]
fn links_out_of_the_folder_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: outside}\n";
    write(
        folder.path(),
        &[("outside/map.yaml", map), ("outside/kustomization.yaml", "resources: [map.yaml]\n")],
    );
    for (name, kustomization) in [
        ("resource", "resources: [link.yaml]\n"),
        ("patch", "resources: [own.yaml]\npatches: [{path: link.yaml}]\n"),
        ("generator", "configMapGenerator: [{name: a, files: [link.yaml]}]\n"),
    ] {
        let inner = folder.path().join(name);
        write(&inner, &[("kustomization.yaml", kustomization), ("own.yaml", map)]);
        symlink("../outside/map.yaml", inner.join("link.yaml")).unwrap();
        let error = refused(&inner);
        assert!(
            error.contains("security; file 'ROOT/link.yaml' is not in or below 'ROOT'"),
            "{name}: {error}"
        );
    }
    // A link to a folder is that folder; one that leads above is a cycle.
    let inner = folder.path().join("directory");
    write(&inner, &[("kustomization.yaml", "resources: [base]\n")]);
    symlink("../outside", inner.join("base")).unwrap();
    assert!(render(&inner).status.success());
    let inner = folder.path().join("above");
    write(&inner, &[("kustomization.yaml", "resources: [up]\n")]);
    symlink("..", inner.join("up")).unwrap();
    assert!(refused(&inner).contains("cycle detected: candidate root"));
    let inner = folder.path().join("circle");
    write(&inner, &[("kustomization.yaml", "resources: [round.yaml]\n")]);
    symlink("round.yaml", inner.join("round.yaml")).unwrap();
    assert!(refused(&inner).contains("accumulating resources from 'round.yaml'"));
}

#[test]
fn files_without_an_end_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("kustomization.yaml", "configMapGenerator: [{name: a, files: [/dev/zero]}]\n")]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tiphys"));
    command.args(["render", "kustomize", "--load-restrictor", "none"]).arg(folder.path());
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("/dev/zero: the file is longer than"), "{error}");
}

#[test]
fn functions_of_containers_and_programs_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, how) in [
        ("Contained", "container: {image: \"example.com/fn:1\"}"),
        ("Executed", "exec: {path: ./run.sh}"),
        ("Scripted", "starlark: {path: run.star}"),
    ] {
        let function = format!(
            "apiVersion: fn.example.com/v1\nkind: {kind}\nmetadata:\n  name: one\n  annotations:\n    \
             config.kubernetes.io/function: |\n      {how}\n"
        );
        for field in ["generators", "transformers", "validators"] {
            let inner = folder.path().join(format!("{kind}-{field}"));
            let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
            let kustomization = format!("resources: [map.yaml]\n{field}: [function.yaml]\n");
            let marker = "#!/bin/sh\ntouch ran\n";
            write(
                &inner,
                &[
                    ("kustomization.yaml", &kustomization),
                    ("function.yaml", &function),
                    ("map.yaml", map),
                    ("run.sh", marker),
                ],
            );
            let error = refused(&inner);
            assert!(error.contains(kind) && error.contains("external plugins disabled"), "{field}: {error}");
            assert!(!inner.join("ran").exists());
        }
    }
}
