//! Every folder of `charts/` is a case: `case.json` says how helm was called, `expected.yaml` is its standard
//! output, `expected.err` its standard error.

use std::fs;
use std::path::Path;

use helm::{ArchiveLimits, Chart, File, TemplateCommand};
use serde_json::Value;

fn words(asked: &Value, key: &str) -> Vec<String> {
    asked[key].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

/// The command that a case stands for; `args` are the few flags that cases use.
fn command(asked: &Value) -> TemplateCommand {
    let text = |key: &str, default: &str| asked[key].as_str().unwrap_or(default).to_owned();
    let split =
        |list: Vec<String>| list.iter().flat_map(|v| v.split(',')).map(str::to_owned).collect::<Vec<_>>();
    let mut command = TemplateCommand {
        names: vec![text("release", "release"), "chart".to_owned()],
        namespace: text("namespace", "default"),
        kube_version: Some(text("kubeVersion", "1.35.0")),
        values: split(words(asked, "values")),
        set: words(asked, "set"),
        api_versions: split(words(asked, "apiVersions")),
        ..TemplateCommand::default()
    };
    let mut args = words(asked, "args").into_iter();
    while let Some(flag) = args.next() {
        let mut next = || args.next().unwrap();
        match flag.as_str() {
            "--include-crds" => command.include_crds = true,
            "--no-hooks" => command.no_hooks = true,
            "--skip-tests" => command.skip_tests = true,
            "--skip-schema-validation" => command.skip_schema_validation = true,
            "--is-upgrade" => command.is_upgrade = true,
            "--set" => command.set.push(next()),
            "--set-string" => command.set_string.push(next()),
            "--set-file" => command.set_file.push(next()),
            "--set-json" => command.set_json.push(next()),
            "--set-literal" => command.set_literal.push(next()),
            "--name-template" => command.name_template = Some(next()),
            "-a" => command.api_versions.extend(split(vec![next()])),
            "-s" | "--show-only" => command.show_only.push(next()),
            other => panic!("a flag that no case had before: {other}"),
        }
    }
    command
}

/// All files below a directory.
fn files(directory: &Path, prefix: &str, into: &mut Vec<File>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            files(&path, &format!("{name}/"), into);
        } else {
            into.push(File::new(name, fs::read(&path).unwrap()));
        }
    }
}

pub(crate) fn load(directory: &Path) -> Result<Chart, String> {
    let mut all = Vec::new();
    files(directory, "", &mut all);
    Chart::load(all, &ArchiveLimits::default()).map_err(|error| error.to_string())
}

fn render(case: &Path, command: &TemplateCommand) -> Result<String, String> {
    let (chart, mut input) = command.input().map_err(|error| error.to_string())?;
    let read =
        |name: &str| fs::read(case.join(name)).map_err(|_| format!("open {name}: no such file or directory"));
    input.values = command.layers(read)?;
    let chart = load(&case.join(chart))?;
    let rendered = helm::render(&chart, &input).map_err(|error| error.command_line_text())?;
    rendered.text_of(&command.show_only).map_err(|error| error.to_string())
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
        let asked = fs::read_to_string(case.join("case.json")).unwrap_or_else(|_| "{}".into());
        let result = render(&case, &command(&serde_json::from_str(&asked).unwrap()));
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        match (
            fs::read_to_string(case.join("expected.yaml")),
            fs::read_to_string(case.join("expected.err")),
            result,
        ) {
            (Ok(want), _, Ok(have)) if want == have => {}
            (_, Ok(want), Err(have)) if error_of(&want) == format!("Error: {have}").trim_end() => {}
            (_, _, result) => wrong.push(format!("{name}: {result:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
