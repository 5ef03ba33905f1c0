//! Input made to hurt: an error in bounded time and memory, never a panic.

use std::fmt::Write as _;
use std::sync::Arc;

use kustomize::{Build, ErrorKind, Outcome};

use crate::disk::Memory;

fn message(files: Memory, path: &str) -> String {
    Build::new(Arc::new(files)).run(path).map_or_else(|error| error.to_string(), |_| String::new())
}

fn with_resource(text: &str) -> Memory {
    Memory::new([("/o/kustomization.yaml", "resources: [r.yaml]"), ("/o/r.yaml", text)])
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\na0: &a0 [x, x, x, x, x, x, x, x, x]\n"
            .to_owned();
    for i in 1..20 {
        let _ = writeln!(text, "a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 9].join(", "));
    }
    assert!(message(with_resource(&text), "/o").contains("excessive aliasing"));
}

#[test]
fn an_anchor_that_holds_itself_is_refused() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: &d {x: *d}\n";
    assert!(!message(with_resource(text), "/o").is_empty());
}

#[test]
fn deep_nesting_is_refused() {
    let text =
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {}", "[".repeat(20_000));
    assert!(!message(with_resource(&text), "/o").is_empty());
}

#[test]
fn a_chain_of_kustomizations_without_end_is_refused() {
    let files = (0..200).map(|i| {
        let text = format!("resources: [../k{}]", i + 1);
        (format!("/k{i}/kustomization.yaml"), text)
    });
    let error = Build::new(Arc::new(Memory::new(files))).run("/k0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn a_tree_of_kustomizations_that_doubles_at_each_level_is_refused() {
    let files = (0..40).flat_map(|i| {
        let both = format!("namePrefix: a-\nresources: [../k{0}, ../l{0}]", i + 1);
        [(format!("/k{i}/kustomization.yaml"), both.clone()), (format!("/l{i}/kustomization.yaml"), both)]
    });
    let last = [("/k40/kustomization.yaml", "namePrefix: x"), ("/l40/kustomization.yaml", "namePrefix: x")];
    let files = files.chain(last.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let mut build = Build::new(Arc::new(Memory::new(files)));
    build.limits.kustomizations = 500;
    assert_eq!(build.run("/k0").unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn many_resources_take_linear_time() {
    let mut text = String::new();
    for i in 0..5_000 {
        let _ = write!(text, "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{i}}}\n---\n");
    }
    let files = Memory::new([
        (
            "/o/kustomization.yaml",
            "resources: [r.yaml]\nnamespace: here\nnamePrefix: p-\ncommonLabels: {a: b}",
        ),
        ("/o/r.yaml", &text),
    ]);
    let Outcome::Done(output) = Build::new(Arc::new(files)).run("/o").unwrap() else { panic!("not remote") };
    assert_eq!(output.objects.len(), 5_000);
}

#[test]
fn too_many_resources_are_refused() {
    let mut build = Build::new(Arc::new(with_resource(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
    )));
    build.limits.resources = 1;
    assert_eq!(build.run("/o").unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn files_larger_than_the_build_may_read_are_refused_once_and_for_all() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let files =
        [("/o/kustomization.yaml", "resources: [../b]"), ("/b/kustomization.yaml", "resources: [r.yaml]")];
    let files = files.into_iter().chain([("/b/r.yaml", map)]);
    let mut build = Build::new(Arc::new(Memory::new(files)));
    build.limits.input_bytes = map.len();
    assert!(build.run("/o").is_ok());
    build.limits.input_bytes = map.len() - 1;
    let error = build.run("/o").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("more than 50 bytes together"), "{error}");
}

#[test]
fn odd_files_do_not_panic() {
    let odd: [&[u8]; 14] = [
        b"",
        b"\xff\xfe",
        b"\xef\xbb\xbfapiVersion: v1\n",
        b"- 1\n- 2\n",
        b"null",
        b"apiVersion: v1\nkind: List\nitems: 3\n",
        b"apiVersion: v1\nkind: FooList\nitems: {a: b}\n",
        b"apiVersion: v1\nkind: [List]\nmetadata: {name: a}\n",
        b"apiVersion: {}\nkind: X\nmetadata: []\n",
        b"kind: X\nmetadata: {name: [a]}\n",
        b"kind: X\nmetadata: {name: a, labels: [x], annotations: y}\n",
        b"kind: RoleBinding\nmetadata: {name: a}\nsubjects: {a: b}\nroleRef: x\n",
        b"kind: Deployment\nmetadata: {name: a}\nspec: [1, {containers: 3}]\n",
        b"? {a: b}\n: c\nkind: X\nmetadata: {name: a}\n",
    ];
    let kustomization = "resources: [r.yaml]\nnamespace: here\nnamePrefix: p\nnameSuffix: s\ncommonLabels: {a: b}\n\
                         commonAnnotations: {c: d}\nimages: [{name: '.*', newTag: x}]\nlabels: [{pairs: {x: z}, includeSelectors: true}]\n\
                         patches: [{target: {kind: .*}, patch: '[{\"op\": \"add\", \"path\": \"/x/-/y\", \"value\": 1}]'}]\n";
    for text in odd {
        let plain = Memory::new([
            ("/o/kustomization.yaml", b"resources: [r.yaml]".to_vec()),
            ("/o/r.yaml", text.to_vec()),
        ]);
        let _ = Build::new(Arc::new(plain)).run("/o");
        let all = Memory::new([
            ("/o/kustomization.yaml", kustomization.as_bytes().to_vec()),
            ("/o/r.yaml", text.to_vec()),
        ]);
        let _ = Build::new(Arc::new(all)).run("/o");
        let itself = Memory::new([("/o/kustomization.yaml", text.to_vec())]);
        let _ = Build::new(Arc::new(itself)).run("/o");
    }
}
