//! The fuzz target on seeded mutations; see `fuzz/README.md`.

use std::path::Path;

use crate::{mutate, target};

const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    "if",
    "else",
    "end",
    "range",
    "with",
    ".Values",
    ".Values.a",
    ".Files.Get \"x\"",
    ".Files.Glob \"**\"",
    ".Capabilities.APIVersions.Has \"v1\"",
    ".Chart.Name",
    ".Release",
    ".Template.BasePath",
    ".Subcharts",
    "include \"x\" .",
    "tpl .Values.t .",
    "define \"x\"",
    "toYaml",
    "fromYaml",
    "toToml",
    "fromToml",
    "toJson",
    "lookup",
    "required \"m\"",
    "nindent 4",
    "helm.sh/hook: pre-install",
    "helm.sh/hook-weight: \"-5\"",
    "kind: Job",
    "metadata: {name: x, annotations: ",
    "---\n",
    "# Source: ",
    "dependencies: [{name: d, version: '*', alias: e, condition: a.b, tags: [t], import-values: [x]}]",
    "kubeVersion: '>=1.2 <9'",
    "type: library",
    "apiVersion: v1",
    "{\"type\": \"object\", \"required\": [\"a\"]}",
    "{\"$ref\": \"#/definitions/a\"}",
    "global: {a: b}",
    "a=1",
    ",",
    ".",
    "[0]",
    "[99999999]",
    "{",
    "}",
    "\\",
    "=",
    "null",
    "\"",
    "'",
    ": ",
    "\n",
    "  ",
    "- ",
    "\n=====\n",
    "é",
    "\0",
];

/// The files of a case, as the target takes them.
fn input(case: &Path) -> Option<Vec<u8>> {
    let directory =
        [case.join("chart"), case.to_owned()].into_iter().find(|d| d.join("Chart.yaml").is_file())?;
    let read = |name: &str| std::fs::read(directory.join(name)).unwrap_or_default();
    let mut templates: Vec<_> = std::fs::read_dir(directory.join("templates"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    templates.sort();
    let of = |partial: bool| {
        let name = |path: &Path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('_'));
        templates
            .iter()
            .find(|path| path.is_file() && name(path) == partial)
            .and_then(|path| std::fs::read(path).ok())
    };
    let parts = [
        read("Chart.yaml"),
        read("values.yaml"),
        of(false).unwrap_or_default(),
        of(true).unwrap_or_default(),
        read("values.schema.json"),
    ];
    Some([b"c".to_vec(), parts.join(target::CUT)].concat())
}

#[test]
fn fuzz_mutations_do_not_panic() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts");
    let mut cases: Vec<_> = std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let mut corpus: Vec<Vec<u8>> = cases.iter().filter_map(|case| input(case)).collect();
    assert!(corpus.len() > 20);
    for flag in [
        "0a.b=1,c[2].d=x,e={1,2}",
        "1a=\\,b,c.d=null",
        "2a={\"b\":[1]},c=[true]",
        "3a.b=x,y=\\z",
        "4\u{1f}\u{8b}\u{8}",
    ] {
        corpus.extend(std::iter::repeat_n(flag.as_bytes().to_vec(), 5));
    }
    mutate::run(target::run, &corpus, WORDS, 3_000);
}
