//! From flags to the library and back: reads files, prints.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use helm::{ArchiveLimits, Capabilities, Chart, File, IgnoreRules, KubeVersion, RenderInput, ValuesLayer};

use crate::args::Args;

/// Renders and prints; exit code 1 with the error on standard error when that fails.
pub(crate) fn run(args: &Args) -> ExitCode {
    let mut stderr = std::io::stderr().lock();
    match render(args, &mut |warning| {
        let _ = writeln!(stderr, "level=WARN msg={warning:?}");
    }) {
        Ok(text) => {
            let written = std::io::stdout().lock().write_all(text.as_bytes());
            if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            let _ = writeln!(stderr, "Error: {message}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn render(args: &Args, warn: &mut dyn FnMut(&str)) -> Result<String, String> {
    let mut input = RenderInput {
        namespace: args.namespace.clone(),
        is_upgrade: args.is_upgrade,
        capabilities: capabilities(args)?,
        include_crds: args.include_crds,
        skip_tests: args.skip_tests,
        no_hooks: args.no_hooks,
        skip_schema_validation: args.skip_schema_validation,
        ..RenderInput::default()
    };
    let chart = match (args.names.as_slice(), &args.name_template) {
        ([_, _], Some(_)) => return Err("cannot set --name-template and also specify a name".into()),
        ([name, chart], None) => {
            input.release_name.clone_from(name);
            chart
        }
        ([chart, ..], Some(template)) => {
            input.release_name = helm::name_from_template(template).map_err(|e| e.to_string())?;
            chart
        }
        ([chart, ..], None) => chart,
        ([], _) => return Err("a chart is required".into()),
    };
    let path = Path::new(chart.trim());
    if !path.exists() {
        return Err(format!("path {chart:?} not found"));
    }
    input.values = layers(args)?;
    let chart = load(path)?;
    let rendered = helm::render(&chart, &input).map_err(|e| e.command_line_text())?;
    for warning in &rendered.warnings {
        warn(warning);
    }
    let text = rendered.text_of(&args.show_only).map_err(|e| e.to_string());
    // The process ends here: taking the chart apart would only cost time.
    std::mem::forget(chart);
    text
}

fn capabilities(args: &Args) -> Result<Capabilities, String> {
    let mut capabilities = Capabilities::default();
    if let Some(version) = args.kube_version.as_deref().filter(|v| !v.is_empty()) {
        capabilities.kube_version = KubeVersion::parse(version).map_err(|e| e.to_string())?;
    }
    capabilities.api_versions.extend(args.api_versions.iter().cloned());
    Ok(capabilities)
}

fn layers(args: &Args) -> Result<Vec<ValuesLayer>, String> {
    let mut layers = Vec::new();
    for name in &args.values {
        let data = read(Path::new(name))?.into();
        layers.push(ValuesLayer::File { name: name.clone(), data });
    }
    layers.extend(args.set_json.iter().cloned().map(ValuesLayer::SetJson));
    layers.extend(args.set.iter().cloned().map(ValuesLayer::Set));
    layers.extend(args.set_string.iter().cloned().map(ValuesLayer::SetString));
    for text in &args.set_file {
        let contents = |name: &str| Ok(String::from_utf8_lossy(&read(Path::new(name))?).into_owned());
        layers.push(ValuesLayer::set_file(text, contents).map_err(|e| e.to_string())?);
    }
    layers.extend(args.set_literal.iter().cloned().map(ValuesLayer::SetLiteral));
    Ok(layers)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => format!("open {}: no such file or directory", path.display()),
        _ => format!("open {}: {e}", path.display()),
    })
}

fn load(path: &Path) -> Result<Chart, String> {
    let limits = ArchiveLimits::default();
    let chart = if path.is_dir() {
        let root = path.canonicalize().map_err(|e| e.to_string())?;
        let chart_yaml = root.join("Chart.yaml");
        read(&chart_yaml).map_err(|e| format!("unable to detect chart at {}: {e}", chart_yaml.display()))?;
        let rules = std::fs::read_to_string(root.join(".helmignore")).unwrap_or_default();
        let rules = IgnoreRules::parse(&rules)?;
        let mut files = Vec::new();
        walk(&root, &mut String::new(), &rules, &mut files)?;
        Chart::load(files, &limits)
    } else {
        Chart::load_archive(&read(path)?, &limits)
    };
    chart.map_err(|e| e.to_string())
}

/// Collects the files below `directory`; links are followed, as Helm does.
fn walk(
    directory: &Path,
    prefix: &mut String,
    rules: &IgnoreRules,
    files: &mut Vec<File>,
) -> Result<(), String> {
    let entries = std::fs::read_dir(directory).map_err(|e| format!("open {}: {e}", directory.display()))?;
    let mut names: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    names.sort();
    for path in names {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let length = prefix.len();
        prefix.push_str(&name);
        let kind = std::fs::metadata(&path)
            .map_err(|e| format!("error evaluating symlink {}: {e}", path.display()))?;
        if kind.is_dir() {
            if !rules.ignores_directory(prefix) {
                prefix.push('/');
                walk(&path, prefix, rules, files)?;
            }
        } else if !rules.ignores_file(prefix) {
            if !kind.is_file() {
                let path = path.display();
                return Err(format!("cannot load irregular file {path} as it has file mode type bits set"));
            }
            files.push(File::new(prefix.as_str(), read(&path)?));
        }
        prefix.truncate(length);
    }
    Ok(())
}
