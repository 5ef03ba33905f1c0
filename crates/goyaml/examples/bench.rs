//! Measures reading and writing in megabytes of text a second:
//! `cargo run --release -p goyaml --example bench [FILE [NAME]]`; only what starts with NAME is measured.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use goyaml::{EmitOptions, Limits, emit_all, from_yaml, parse, to_yaml};

fn main() {
    let text = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path).unwrap(),
        None => deployments(2000),
    };
    let bytes = text.as_bytes();
    let nodes = parse(bytes, &Limits::default()).unwrap();
    let first = goyaml::split_documents(bytes).next().unwrap();
    let value = from_yaml(first).unwrap();
    let written = to_yaml(&value).unwrap();
    measure("v3 parse", bytes.len(), || parse(bytes, &Limits::default()).unwrap());
    measure("v3 emit", bytes.len(), || emit_all(&nodes, &EmitOptions::default()).unwrap());
    let list: serde_json::Value =
        goyaml::split_documents(bytes).map(|part| from_yaml(part).unwrap()).collect();
    measure("v2 decode", bytes.len(), || {
        goyaml::split_documents(bytes).map(|part| from_yaml(part).unwrap()).collect::<Vec<_>>()
    });
    let list_text = to_yaml(&list).unwrap();
    measure("v2 encode", list_text.len(), || to_yaml(&list).unwrap());
    measure("v2 encode, one document", written.len(), || to_yaml(&value).unwrap());
}

fn measure<T>(name: &str, size: usize, mut work: impl FnMut() -> T) {
    if std::env::args().nth(2).is_some_and(|wanted| !name.starts_with(&wanted)) {
        return;
    }
    let mut best = Duration::MAX;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        let one = Instant::now();
        black_box(work());
        best = best.min(one.elapsed());
    }
    println!("{name:24} {:8.1} MB/s  {best:?}", size as f64 / best.as_secs_f64() / 1e6);
}

/// A stream of deployments with some comments.
fn deployments(count: usize) -> String {
    let mut out = String::new();
    for at in 0..count {
        write!(
            out,
            "---\n# Deployment number {at}\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{at}\n  \
             namespace: default\n  labels:\n    app.kubernetes.io/name: web # the app\n    app.kubernetes.io/instance: \"{at}\"\n  \
             annotations:\n    description: >-\n      A longer text that is folded over\n      two lines in the source.\n\
             spec:\n  replicas: {at}\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: web\n  template:\n    \
             metadata:\n      labels: {{app.kubernetes.io/name: web, tier: \"front\"}}\n    spec:\n      containers:\n      \
             - name: web\n        image: registry.example.com/team/web:1.{at}.0\n        args: [\"--port=8080\", '--log=info']\n        \
             ports:\n        - containerPort: 8080\n          protocol: TCP\n        resources:\n          limits:\n            cpu: 500m\n            \
             memory: 512Mi\n        env:\n        - name: CONFIG\n          value: |\n            first: 1\n            second: two\n        - name: EMPTY\n          value: \"\"\n"
        )
        .unwrap();
    }
    out
}
