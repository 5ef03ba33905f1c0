//! The fuzz target on seeded mutations; see `fuzz/README.md`.

use std::path::Path;

use crate::{mutate, target};

const WORDS: &[&str] = &[
    "resources:",
    "bases:",
    "components:",
    "namespace: n",
    "namePrefix: p-",
    "nameSuffix: -s",
    "commonLabels: {a: b}",
    "labels: [{pairs: {a: b}, includeSelectors: true}]",
    "commonAnnotations: {a: b}",
    "images: [{name: x, newTag: y}]",
    "replicas: [{name: web, count: 3}]",
    "patches: [{path: p.yaml}]",
    "target: {kind: .*}",
    "patchesStrategicMerge: [p.yaml]",
    "configMapGenerator: [{name: c, literals: [a=b]}]",
    "behavior: merge",
    "generatorOptions: {disableNameSuffixHash: true}",
    "vars:",
    "replacements:",
    "fieldPaths: [spec.[a=b].c]",
    "options: {delimiter: ',', index: 1, create: true}",
    "configurations: [p.yaml]",
    "crds: [p.yaml]",
    "openapi: {path: p.yaml}",
    "buildMetadata: [originAnnotations]",
    "sortOptions: {order: fifo}",
    "transformers: [p.yaml]",
    "generators: [p.yaml]",
    "validators: [p.yaml]",
    "[../b]",
    "[r.yaml]",
    "$patch: delete",
    "$patch: replace",
    "$retainKeys: [a]",
    "$setElementOrder/x: [a]",
    "op: move",
    "path: /spec/-",
    "path: /a~1b~2",
    "path: /spec/containers/9999999999999999999",
    "kind: List\nitems:",
    "kind: RoleBinding",
    "metadata:",
    "name: web",
    "&a",
    "*a",
    "<<: *a",
    "\n",
    "  ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "null",
    "\"",
    "'",
    "\n=====\n",
    "---\n",
    "1",
    "é",
    "\0",
];

/// The files of a case, as the target takes them.
fn input(case: &Path) -> Option<Vec<u8>> {
    let directory = ["", "overlay", "input"].map(|name| case.join(name));
    let directory = directory.iter().find(|directory| directory.join("kustomization.yaml").is_file())?;
    let mut parts = vec![std::fs::read(directory.join("kustomization.yaml")).ok()?];
    let mut others: Vec<_> =
        std::fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    others.sort();
    let others = others.iter().filter(|path| path.is_file() && !path.ends_with("kustomization.yaml"));
    parts.extend(others.filter_map(|path| std::fs::read(path).ok()).filter(|text| text.len() < 4096).take(2));
    Some(parts.join(target::CUT))
}

/// Names of files that the target knows, in the place of those of the cases.
fn renamed(text: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&text).into_owned();
    let text = ["resources.yaml", "objects.yaml", "deployment.yaml", "app.yaml"]
        .iter()
        .fold(text, |t, n| t.replace(n, "r.yaml"));
    text.replace("patch.yaml", "p.yaml").replace("../base", "../b").into_bytes()
}

#[test]
fn fuzz_mutations_do_not_panic() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<_> = std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let corpus: Vec<Vec<u8>> = cases.iter().filter_map(|case| input(case)).map(renamed).collect();
    assert!(corpus.len() > 20);
    mutate::run(target::run, &corpus, WORDS, 3_000);
}
