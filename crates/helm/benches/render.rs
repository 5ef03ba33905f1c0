//! `cargo bench -p helm [-- CHART…]`: renders in process, and side by side with the process of the real tool when
//! `TIPHYS_ORACLE_HELM` names it. Without charts on the command line, charts of this file's own are rendered.
#![allow(clippy::print_stdout, reason = "prints its figures")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use helm::{ArchiveLimits, Chart, File, RenderInput, ValuesLayer};

const HELPERS: &str = r#"
{{- define "c.name" -}}{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}{{- end }}
{{- define "c.labels" -}}
app.kubernetes.io/name: {{ include "c.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- with .Chart.AppVersion }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
{{- end }}
"#;

const DEPLOYMENT: &str = r#"{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "c.name" . }}-NUMBER
  labels: {{- include "c.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {{- include "c.labels" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "c.labels" . | nindent 8 }}
    spec:
      containers:
        - name: main
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          env:
          {{- range $name, $value := .Values.env }}
            - name: {{ $name | upper }}
              value: {{ $value | quote }}
          {{- end }}
          {{- with .Values.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
{{- end }}
"#;

const VALUES: &str = "enabled: true\nreplicas: 2\nimage: {repository: registry.example/app, tag: \"\"}\n\
    env: {mode: fast, level: 3, url: https://example.com}\nresources: {limits: {cpu: 500m, memory: 1Gi}}\n";

/// A chart with so many templates.
fn own(templates: usize) -> Vec<File> {
    let meta =
        "apiVersion: v2\nname: bench\nversion: 1.0.0\nappVersion: 1.2.3\nkubeVersion: \">=1.20.0-0\"\n";
    let mut files = vec![
        File::new("Chart.yaml", meta),
        File::new("values.yaml", VALUES),
        File::new("templates/_helpers.tpl", HELPERS),
    ];
    files.extend((0..templates).map(|i| {
        File::new(format!("templates/deployment-{i}.yaml"), DEPLOYMENT.replace("NUMBER", &i.to_string()))
    }));
    files
}

/// All files below a directory; `.helmignore` is applied when the chart is loaded.
fn read(directory: &Path, prefix: &str, into: &mut Vec<File>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            read(&path, &format!("{name}/"), into)?;
        } else {
            into.push(File::new(name, std::fs::read(&path)?));
        }
    }
    Ok(())
}

fn write(files: &[File], directory: &Path) -> std::io::Result<()> {
    for file in files {
        let path = directory.join(&*file.path);
        std::fs::create_dir_all(path.parent().unwrap_or(directory))?;
        std::fs::write(path, &file.data)?;
    }
    Ok(())
}

fn median(rounds: usize, mut run: impl FnMut(usize)) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|round| {
            let start = Instant::now();
            run(round);
            start.elapsed()
        })
        .collect();
    times.sort();
    times.get(rounds / 2).copied().unwrap_or_default()
}

fn measure(name: &str, files: &[File], directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (rounds, input) = (15, RenderInput::default());
    let limits = ArchiveLimits::default();
    let text = helm::render(&Chart::load(files.to_vec(), &limits)?, &input)?.text();
    let cold = median(rounds, |_| {
        let chart = Chart::load(files.to_vec(), &limits);
        drop(chart.and_then(|chart| helm::render(&chart, &input)).map(|rendered| rendered.text()));
    });
    let kept = Chart::load(files.to_vec(), &limits)?;
    let again = median(rounds, |round| {
        let values = vec![ValuesLayer::Set(format!("replicas={round},benchRound=r{round}"))];
        let input = RenderInput { values, ..RenderInput::default() };
        drop(helm::render(&kept, &input).map(|rendered| rendered.text()));
    });
    print!(
        "{name:28} {:>8} bytes {cold:>10.2?} loaded and rendered, {again:>10.2?} again with other values",
        text.len()
    );
    if let Ok(program) = std::env::var("TIPHYS_ORACLE_HELM") {
        let process = median(rounds, |_| {
            let mut command = Command::new(&program);
            let _ = command.args(["template", "release-name"]).arg(directory).stdout(Stdio::null()).status();
        });
        let ratio = |ours: Duration| process.as_secs_f64() / ours.as_secs_f64();
        print!(", {process:>10.2?} by the helm process ({:.1} and {:.1} times)", ratio(cold), ratio(again));
    }
    println!();
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let charts: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    for chart in &charts {
        let (directory, mut files) = (Path::new(chart), Vec::new());
        read(directory, "", &mut files)?;
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        measure(&name, &files, directory)?;
    }
    if charts.is_empty() {
        let folder = std::env::temp_dir().join(format!("helm-bench-{}", std::process::id()));
        for templates in [5, 50, 500] {
            let (files, directory) = (own(templates), folder.join(templates.to_string()));
            write(&files, &directory)?;
            measure(&format!("{templates} templates"), &files, &directory)?;
        }
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}
