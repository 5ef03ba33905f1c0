//! How fast templates are parsed and executed: `cargo bench -p gotemplate`.
//!
//! Each line is the median of many runs. The templates are shaped like those of a chart: labels from a partial, values
//! with defaults, ranges over maps and lists, includes within includes.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and may stop")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gotemplate::value::types::DICT;
use gotemplate::{Funcs, Limits, List, Map, MissingKey, TemplateSet, Value, sprig};

const PARTIALS: &str = r#"
{{- define "app.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- define "app.labels" -}}
app.kubernetes.io/name: {{ include "app.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- if .Chart.AppVersion }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}
"#;

const DEPLOYMENT: &str = r#"
{{- range $i, $c := .Values.components }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ printf "%s-%s" (include "app.name" $) $c.name }}
  labels:
    {{- include "app.labels" $ | nindent 4 }}
    component: {{ $c.name | quote }}
spec:
  {{- if not $c.autoscaling }}
  replicas: {{ $c.replicas | default 1 }}
  {{- end }}
  template:
    metadata:
      annotations:
        {{- range $k, $v := $c.annotations }}
        {{ $k }}: {{ $v | quote }}
        {{- end }}
    spec:
      containers:
        {{- with $c.image }}
        - image: "{{ .registry }}/{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}"
        {{- end }}
          {{- if and $c.ports (gt (len $c.ports) 0) }}
          ports:
            {{- range $c.ports }}
            - name: {{ .name }}
              containerPort: {{ .port | int }}
            {{- end }}
          {{- end }}
          env:
            {{- range $k, $v := $.Values.env }}
            - name: {{ upper $k }}
              value: {{ $v | toString | quote }}
            {{- end }}
{{- end }}
"#;

fn include(exec: &mut gotemplate::Exec<'_>, args: &[Value]) -> Result<Value, gotemplate::Error> {
    let name = args.first().and_then(Value::as_str).map(ToString::to_string).unwrap_or_default();
    exec.execute_template(&name, args.get(1).cloned().unwrap_or_default()).map(Value::from)
}

const INCLUDE: gotemplate::Func =
    gotemplate::Func::new("include", &[gotemplate::Type::String, gotemplate::Type::Any], include);

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().collect::<Map>().into()
}

fn component(i: usize) -> Value {
    let port = |name: &str, port: f64| map([("name", name.into()), ("port", port.into())]);
    map([
        ("name", format!("component-{i}").into()),
        ("replicas", 2.0.into()),
        ("annotations", map([("checksum/config", "abc".into()), ("example.com/scrape", true.into())])),
        ("image", map([("registry", "registry.example".into()), ("repository", "team/app".into())])),
        ("ports", vec![port("http", 8080.0), port("metrics", 9090.0)].into()),
    ])
}

fn data() -> Value {
    let env: Map = (0..10).map(|i| (format!("key_{i}"), Value::Float64(f64::from(i)))).collect();
    let components: List = (0..20).map(component).collect();
    debug_assert_eq!(Map::new().map_type().name, DICT.name);
    map([
        ("Chart", map([("Name", "app".into()), ("AppVersion", "1.2.3".into())])),
        ("Release", map([("Name", "rel".into()), ("Service", "Helm".into())])),
        ("Values", map([("components", components.into()), ("env", env.into())])),
    ])
}

fn report(what: &str, mut work: impl FnMut() -> usize) {
    let mut times: Vec<Duration> = Vec::new();
    let begin = Instant::now();
    let mut bytes = 0;
    while times.len() < 20 || begin.elapsed() < Duration::from_secs(1) {
        let start = Instant::now();
        bytes = black_box(work());
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let median = times[times.len() / 2];
    let rate = bytes as f64 / median.as_secs_f64() / 1e6;
    println!("{what:<24} {median:>12.1?}  {bytes:>8} bytes  {rate:>8.1} MB/s");
}

fn main() {
    let funcs = Funcs::new().with(sprig::FUNCS).with(&[INCLUDE]);
    let parse = || {
        let mut set = TemplateSet::new("gotpl", MissingKey::Zero);
        set.parse("_helpers.tpl", PARTIALS, &funcs).unwrap();
        set.parse("deployment.yaml", DEPLOYMENT, &funcs).unwrap();
        Arc::new(set)
    };
    report("function table", || Funcs::new().with(sprig::FUNCS).names().len());
    report("parse", || {
        parse();
        PARTIALS.len() + DEPLOYMENT.len()
    });
    let (set, data) = (parse(), data());
    report("execute", || {
        set.execute("deployment.yaml", data.clone(), &funcs, &Limits::default()).unwrap().len()
    });
    let text = "plain text without an action\n".repeat(50_000);
    report("parse plain text", || {
        TemplateSet::new("t", MissingKey::Zero).parse("t", &text, &funcs).unwrap();
        text.len()
    });
}
