//! `spec.source.kustomize` field by field, against what Argo CD's own code made of it with the real kustomize.
//!
//! The questions are tests/golden/argo/overlay.requests.jsonl; `cargo xtask golden argo --update` writes the answers.

use serde_json::Value;

use crate::api::{ApplicationSource, KustomizeSource};
use crate::flow::MemoryTree;

use super::{Given, Outcome, RenderContext, render};

const REQUESTS: &str = include_str!("../../tests/golden/argo/overlay.requests.jsonl");
const ANSWERS: &str = include_str!("../../tests/golden/argo/overlay.answers.jsonl");

/// Our objects; `None` where the render fails.
fn ours(request: &Value) -> Result<Vec<Value>, String> {
    let mut tree = MemoryTree::new();
    for (path, text) in request["files"].as_object().unwrap() {
        tree = tree.file(path, text.as_str().unwrap()).unwrap();
    }
    let env = |name: &str| request["env"][name].as_str().unwrap().to_owned();
    let source = ApplicationSource {
        repo_url: env("ARGOCD_APP_SOURCE_REPO_URL"),
        path: request["path"].as_str().unwrap().to_owned(),
        target_revision: env("ARGOCD_APP_SOURCE_TARGET_REVISION"),
        kustomize: Some(
            serde_json::from_value::<KustomizeSource>(request["kustomize"].clone())
                .map_err(|error| error.to_string())?,
        ),
        ..ApplicationSource::default()
    };
    let context = RenderContext {
        application: env("ARGOCD_APP_NAME"),
        instance: env("ARGOCD_APP_NAME"),
        project: env("ARGOCD_APP_PROJECT_NAME"),
        namespace: env("ARGOCD_APP_NAMESPACE"),
        revision: env("ARGOCD_APP_REVISION"),
        kustomize_build_options: request["buildOptions"].as_str().unwrap().to_owned(),
        ..RenderContext::default()
    };
    match render(&tree.tree(), &source, &context, &Given::new()) {
        Ok(Outcome::Done(rendered)) => {
            Ok(rendered.objects.iter().map(|object| object.body().clone()).collect())
        }
        Ok(Outcome::Needs(needs)) => Err(format!("needs {needs:?}")),
        Err(problem) => Err(problem.message),
    }
}

#[test]
fn every_option_does_what_it_does_in_argo_cd() {
    let answers = ANSWERS.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut different = Vec::new();
    let mut count = 0;
    for (request, answer) in REQUESTS.lines().zip(answers) {
        let request: Value = serde_json::from_str(request).unwrap();
        assert_eq!(request["id"], answer["id"]);
        count += 1;
        let ours = ours(&request);
        let theirs = &answer["result"];
        let same = match &ours {
            Ok(objects) => {
                theirs.as_array().map_or(objects.is_empty() && theirs.is_null(), |them| them == objects)
            }
            Err(_) => theirs["fails"] == true,
        };
        if !same {
            different.push(format!("{}\n  Argo CD {theirs}\n  ours    {ours:?}", request["id"]));
        }
    }
    assert!(count > 60, "only {count} questions");
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
}

/// A base of three files under an overlay with one file of its own.
fn over_base(prefix: &str, own: &str) -> crate::flow::Tree {
    let map = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    let tree = MemoryTree::new()
        .file("base/kustomization.yaml", "resources: [a.yaml, b.yaml, c.yaml]\n")
        .and_then(|tree| tree.file("base/a.yaml", map("a")))
        .and_then(|tree| tree.file("base/b.yaml", map("b")))
        .and_then(|tree| tree.file("base/c.yaml", map("c")))
        .and_then(|tree| {
            tree.file(
                "overlay/kustomization.yaml",
                format!("namePrefix: {prefix}\nresources: [../base, own.yaml]\n"),
            )
        })
        .and_then(|tree| tree.file("overlay/own.yaml", map(own)));
    tree.unwrap().tree()
}

#[test]
fn an_unchanged_base_under_a_changed_overlay_is_not_parsed_again() {
    let source = ApplicationSource { path: "overlay".into(), ..ApplicationSource::default() };
    let context = RenderContext::default();
    let mut parsed = 0;
    for (prefix, own, new_files) in
        [("a-", "one", 4), ("a-", "one", 0), ("b-", "one", 0), ("b-", "two", 1), ("c-", "one", 0)]
    {
        let Ok(Outcome::Done(rendered)) = render(&over_base(prefix, own), &source, &context, &Given::new())
        else {
            panic!("nothing is remote");
        };
        assert_eq!(rendered.objects.len(), 4);
        assert!(rendered.objects.iter().all(|object| object.name().starts_with(prefix)));
        parsed += new_files;
        assert_eq!(context.caches.files_parsed(), parsed, "{prefix} {own}");
    }
}
