//! Random bases and overlays, compared with the real `kustomize build`.
//!
//! Runs only when `TIPHYS_ORACLE_KUSTOMIZE` names the program; `cargo xtask test` sets it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kustomize::{Build, Outcome};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::disk::Disk;

/// One line of a kustomization from a number: each number always gives the same.
fn fragment(number: u32) -> String {
    let n = number / 24;
    let name = ["web", "db", "job", "other"][(n % 4) as usize];
    let kind = ["Deployment", "StatefulSet", "Service", ".*", "Deploy.*|Job"][(n % 5) as usize];
    match number % 24 {
        0 => format!("namePrefix: p{}-\n", n % 3),
        1 => format!("nameSuffix: -s{}\n", n % 3),
        2 => format!("namespace: team-{}\n", n % 3),
        3 => format!("commonLabels: {{env: e{}, app: {name}}}\n", n % 3),
        4 => {
            format!("labels: [{{pairs: {{tier: t{}}}, includeSelectors: {}}}]\n", n % 3, n.is_multiple_of(2))
        }
        5 => format!("labels: [{{pairs: {{app: {name}, n: \"{n}\"}}, includeTemplates: true}}]\n"),
        6 => format!("commonAnnotations: {{note: \"{n}\", other: x}}\n"),
        7 => format!("images: [{{name: img, newTag: v{n}}}, {{name: \"side.*\", newName: x/y}}]\n"),
        8 => format!("images: [{{name: reg:5000/a/img, digest: \"sha256:{n:08x}\"}}]\n"),
        9 => format!("replicas: [{{name: {name}, count: {}}}]\n", n % 9),
        10 => format!(
            "patches: [{{target: {{kind: \"{kind}\"}}, patch: '[{{\"op\": \"add\", \"path\": \"/metadata/annotations/j\", \"value\": {n}}}]'}}]\n"
        ),
        11 => format!(
            "patches: [{{target: {{name: {name}}}, patch: '{{apiVersion: v1, kind: X, metadata: {{name: x, labels: {{app: patched{n}}}}}}}'}}]\n"
        ),
        12 => format!(
            "patches:\n- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {{name: {name}}}\n    spec:\n      template:\n        spec:\n          containers:\n          - {{name: side, image: \"side:{n}\"}}\n          - name: main\n            ports: [{{containerPort: 80, protocol: UDP}}, {{containerPort: {}}}]\n            env: [{{name: A, value: \"{n}\"}}]\n",
            80 + n % 3
        ),
        13 => format!(
            "patches:\n- patch: |\n    $patch: delete\n    apiVersion: v1\n    kind: Service\n    metadata: {{name: {name}}}\n"
        ),
        14 => format!(
            "configMapGenerator: [{{name: settings, behavior: {}, literals: [K{}=v, B=\"{n}\"]}}]\n",
            ["merge", "replace", "create"][(n % 3) as usize],
            n % 2
        ),
        15 => format!("secretGenerator: [{{name: creds{}, literals: [a={n}]}}]\n", n % 2),
        16 => "generatorOptions: {labels: {gen: yes}, disableNameSuffixHash: true}\n".replace("yes", "\"1\""),
        17 => format!(
            "replacements:\n- source: {{kind: Service, name: {name}, fieldPath: metadata.name}}\n  targets:\n  - select: {{kind: Deployment}}\n    fieldPaths: [metadata.labels.app, \"spec.template.spec.containers.[name=main].image\"]\n    options: {{delimiter: \":\", index: {}}}\n",
            n % 2
        ),
        18 => format!(
            "replacements:\n- sourceValue: val{n}\n  targets:\n  - select: {{kind: \"{kind}\"}}\n    fieldPaths: [metadata.annotations.made, spec.made.list.0.x]\n    options: {{create: true}}\n"
        ),
        19 => {
            format!("vars: [{{name: V{}, objref: {{apiVersion: v1, kind: Service, name: {name}}}}}]\n", n % 2)
        }
        20 => "sortOptions: {order: fifo}\n".to_owned(),
        21 => "buildMetadata: [originAnnotations, transformerAnnotations]\n".to_owned(),
        22 => format!(
            "transformers:\n- |\n  apiVersion: builtin\n  kind: NamespaceTransformer\n  metadata: {{name: n, namespace: ns{}}}\n  unsetOnly: {}\n  fieldSpecs: [{{path: metadata/name, kind: Namespace, create: true}}]\n",
            n % 2,
            n.is_multiple_of(2)
        ),
        _ => format!(
            "transformers:\n- |\n  apiVersion: builtin\n  kind: PrefixSuffixTransformer\n  metadata: {{name: n}}\n  prefix: q{}-\n  fieldSpecs: [{{path: metadata/name}}, {{path: metadata/labels/app, kind: Deployment}}]\n",
            n % 2
        ),
    }
}

/// The lines for some numbers, each field once.
fn kustomization(resources: &str, numbers: &[u32]) -> String {
    let mut text = format!("resources: [{resources}]\n");
    let mut seen = Vec::new();
    for number in numbers {
        let line = fragment(*number);
        let field = line.split(':').next().unwrap_or_default().to_owned();
        if !seen.contains(&field) {
            seen.push(field);
            text.push_str(&line);
        }
    }
    text
}

fn base_objects(numbers: &[u32]) -> String {
    let mut text = String::new();
    for (name, number) in ["web", "db", "job"].iter().zip(numbers) {
        let kind = ["Deployment", "StatefulSet", "DaemonSet"][(number % 3) as usize];
        let label =
            if number.is_multiple_of(2) { format!("\n  labels: {{app: {name}}}") } else { String::new() };
        let _ = write!(
            text,
            "apiVersion: apps/v1\nkind: {kind}\nmetadata:\n  name: {name}{label}\nspec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      serviceAccountName: acc\n      containers:\n      - name: main\n        image: reg:5000/a/img:1\n        args: [\"$(V0)\", \"x$(V1)y\"]\n        envFrom: [{{configMapRef: {{name: settings}}}}]\n        ports: [{{containerPort: 80, protocol: TCP}}, {{containerPort: 80, protocol: UDP}}]\n      - {{name: side, image: \"side@sha256:0123\"}}\n      volumes: [{{name: s, secret: {{secretName: creds0}}}}]\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{app: {name}}}, ports: [{{port: {}}}]}}\n---\n",
            80 + number % 7
        );
    }
    text.push_str("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: acc}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: rb}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects: [{kind: ServiceAccount, name: acc}, {kind: ServiceAccount, name: default, namespace: d}]\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n");
    text
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[derive(Debug, Clone)]
struct Layout {
    objects: Vec<u32>,
    base: Vec<u32>,
    middle: Vec<u32>,
    top: Vec<u32>,
}

fn layouts() -> impl Strategy<Value = Layout> {
    let numbers = |most: usize| prop::collection::vec(0u32..2400, 0..most);
    (prop::collection::vec(0u32..20, 3), numbers(3), numbers(4), numbers(5))
        .prop_map(|(objects, base, middle, top)| Layout { objects, base, middle, top })
}

fn ours(path: &Path) -> Result<String, String> {
    match Build::new(Arc::new(Disk)).run(&path.to_string_lossy()) {
        Ok(Outcome::Done(output)) => Ok(output.text),
        Ok(Outcome::Needs(needs)) => Err(format!("{needs:?}")),
        Err(error) => Err(error.to_string()),
    }
}

fn theirs(program: &str, path: &Path) -> Result<String, String> {
    let output = Command::new(program).arg("build").arg(path).output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let text = String::from_utf8(output.stderr).unwrap();
    let at = text.find("Error: ").map_or(0, |at| at + 7);
    Err(text[at..].trim_end().to_owned())
}

/// Where two results part, in a few lines; empty when they are the same.
fn difference(ours: &Result<String, String>, theirs: &Result<String, String>) -> String {
    let (left, right) = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(ours), Err(theirs)) if ours.trim_end() == theirs.trim_end() => return String::new(),
        other => return format!("{other:#?}"),
    };
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let same = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
    if same == left.len().max(right.len()) {
        return String::new();
    }
    let from = same.saturating_sub(12);
    let part = |lines: &[&str]| lines.iter().skip(from).take(18).copied().collect::<Vec<_>>().join("\n");
    format!("--- ours\n{}\n--- kustomize\n{}", part(&left), part(&right))
}

/// The kustomizations of a layout.
fn sources(folder: &Path) -> String {
    let one =
        |name: &str| fs::read_to_string(folder.join(name).join("kustomization.yaml")).unwrap_or_default();
    ["base", "middle", "top"].map(|name| format!("=== {name}\n{}", one(name))).join("")
}

/// Addresses and the order in which Go walks maps are by chance.
fn by_chance(error: &str) -> bool {
    error.contains("generator &{") || error.contains("found multiple possible referrals")
}

#[test]
fn random_overlays_are_built_as_kustomize_builds_them() {
    let Ok(program) = std::env::var("TIPHYS_ORACLE_KUSTOMIZE") else { return };
    let cases = std::env::var("TIPHYS_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let folder: PathBuf = std::env::temp_dir().join(format!("kustomize-property-{}", std::process::id()));
    let folder = {
        fs::create_dir_all(&folder).unwrap();
        folder.canonicalize().unwrap()
    };
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = runner.run(&layouts(), |layout| {
        write(&folder, "base/objects.yaml", &base_objects(&layout.objects));
        let mut base = kustomization("objects.yaml", &layout.base);
        if !base.contains("configMapGenerator") {
            base.push_str("configMapGenerator: [{name: settings, literals: [A=1]}]\n");
        }
        write(&folder, "base/kustomization.yaml", &base);
        write(&folder, "middle/kustomization.yaml", &kustomization("../base", &layout.middle));
        write(&folder, "top/kustomization.yaml", &kustomization("../middle", &layout.top));
        let (ours, theirs) = (ours(&folder.join("top")), theirs(&program, &folder.join("top")));
        if ours.is_err() && theirs.as_ref().is_err_and(|error| by_chance(error)) {
            return Ok(());
        }
        let difference = difference(&ours, &theirs);
        prop_assert!(difference.is_empty(), "{difference}\n{}", sources(&folder));
        Ok(())
    });
    let _ = fs::remove_dir_all(&folder);
    if let Err(error) = result {
        panic!("{}", error.to_string().replace("\\n", "\n"));
    }
}
