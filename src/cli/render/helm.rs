//! `tiphys render helm`: what `helm template` prints.

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::helm::{ArchiveLimits, Chart, File, IgnoreRules, TemplateCommand};
use clap::Args;

use super::super::CliError;
use super::fail;

/// Render a chart, as `helm template` does.
#[derive(Args, Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "these are Helm's flags")]
pub(super) struct HelmArgs {
    /// [NAME] CHART
    #[arg(num_args = 1..=2, required = true)]
    names: Vec<String>,
    /// Namespace of the release.
    #[arg(short, long, default_value = "default")]
    namespace: String,
    /// Value files; commas separate several.
    #[arg(short = 'f', long = "values", value_delimiter = ',')]
    values: Vec<String>,
    /// Values: `a.b=1,c=2`.
    #[arg(long)]
    set: Vec<String>,
    /// String values.
    #[arg(long)]
    set_string: Vec<String>,
    /// Values from files.
    #[arg(long)]
    set_file: Vec<String>,
    /// JSON values.
    #[arg(long)]
    set_json: Vec<String>,
    /// One literal value.
    #[arg(long)]
    set_literal: Vec<String>,
    /// Version of Kubernetes.
    #[arg(long)]
    kube_version: Option<String>,
    /// API versions of the cluster besides the usual ones.
    #[arg(short, long, value_delimiter = ',')]
    api_versions: Vec<String>,
    /// Print custom resource definitions too.
    #[arg(long)]
    include_crds: bool,
    /// Leave test hooks out.
    #[arg(long)]
    skip_tests: bool,
    /// Leave all hooks out.
    #[arg(long)]
    no_hooks: bool,
    /// Ignore values.schema.json.
    #[arg(long)]
    skip_schema_validation: bool,
    /// Set .Release.IsUpgrade.
    #[arg(long)]
    is_upgrade: bool,
    /// Print only these templates.
    #[arg(short, long)]
    show_only: Vec<String>,
    /// A template for the name of the release.
    #[arg(long)]
    name_template: Option<String>,
    /// Name of the release, in the place of the first argument.
    #[arg(long)]
    release_name: Option<String>,
}

pub(super) fn run(args: &HelmArgs, out: &mut impl Write) -> Result<u8, CliError> {
    match render(&command(args)) {
        Ok(text) => {
            out.write_all(text.as_bytes())?;
            Ok(0)
        }
        Err(message) => Ok(fail(&message)),
    }
}

/// The flags as the library takes them.
fn command(args: &HelmArgs) -> TemplateCommand {
    let args = args.clone();
    TemplateCommand {
        names: args.names,
        release_name: args.release_name,
        name_template: args.name_template,
        namespace: args.namespace,
        values: args.values,
        set: args.set,
        set_string: args.set_string,
        set_file: args.set_file,
        set_json: args.set_json,
        set_literal: args.set_literal,
        kube_version: args.kube_version,
        api_versions: args.api_versions,
        include_crds: args.include_crds,
        skip_tests: args.skip_tests,
        no_hooks: args.no_hooks,
        skip_schema_validation: args.skip_schema_validation,
        is_upgrade: args.is_upgrade,
        show_only: args.show_only,
    }
}

fn render(command: &TemplateCommand) -> Result<String, String> {
    let (chart, mut input) = command.input().map_err(|error| error.to_string())?;
    let path = Path::new(chart);
    if !path.exists() {
        return Err(format!("path {chart:?} not found"));
    }
    input.values = command.layers(|name| read(Path::new(name)))?;
    let chart = load(path)?;
    let rendered = ::helm::render(&chart, &input).map_err(|error| error.command_line_text())?;
    for warning in &rendered.warnings {
        eprintln!("level=WARN msg={warning:?}");
    }
    let text = rendered.text_of(&command.show_only).map_err(|error| error.to_string());
    // The process ends here: taking them apart would only cost time.
    std::mem::forget((chart, rendered));
    text
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => format!("open {}: no such file or directory", path.display()),
        _ => format!("open {}: {e}", path.display()),
    })
}

/// Reads a file of about this size without copying it once more.
fn read_shared(path: &Path, size: u64) -> Result<Arc<[u8]>, String> {
    let exact = || {
        let mut data: Arc<[u8]> = std::iter::repeat_n(0, usize::try_from(size).ok()?).collect();
        let mut file = std::fs::File::open(path).ok()?;
        file.read_exact(Arc::get_mut(&mut data)?).ok()?;
        (file.read(&mut [0]).ok()? == 0).then_some(data)
    };
    match exact() {
        Some(data) => Ok(data),
        // Something is wrong, or the file is being written.
        None => read(path).map(Arc::from),
    }
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
        let data = read(path)?;
        if !data.starts_with(GZIP) {
            return Err(not_an_archive(path, &data));
        }
        Chart::load_archive(&data, &limits)
    };
    chart.map_err(|e| e.to_string())
}

/// The first bytes of every `.tgz`.
const GZIP: &[u8] = &[0x1f, 0x8b, 0x08];

/// Helm's words for a file that is no archive. It looks at the first 512 bytes, with zeros behind a shorter file.
fn not_an_archive(path: &Path, data: &[u8]) -> String {
    let path = path.display().to_string();
    if path.ends_with(".yml") || path.ends_with(".yaml") {
        return format!("file '{path}' seems to be a YAML file, but expected a gzipped archive");
    }
    let head = data.get(..512);
    let is_binary = |b: &u8| matches!(b, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    let kind = match data {
        [b'P', b'K', 3, 4, ..] => "application/zip",
        [b'%', b'P', b'D', b'F', b'-', ..] => "application/pdf",
        _ if head.is_some_and(|head| !head.iter().any(is_binary)) => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    format!("file '{path}' does not appear to be a gzipped archive; got '{kind}'")
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
            files.push(File::shared(prefix.as_str(), read_shared(&path, kind.len())?));
        }
        prefix.truncate(length);
    }
    Ok(())
}
