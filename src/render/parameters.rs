//! `.argocd-source.yaml` and `.argocd-source-<application>.yaml`: parameters that a repository keeps beside its
//! manifests, merged over those of the Application.

use serde_json::Value;

use crate::api::ApplicationSource;
use crate::flow::{Problem, Tree, TreePath};

use super::{RenderContext, documents, render_problem, tree_problem};

/// The source with the parameters of the repository in it. Where it is, and at which revision, they cannot change.
pub(super) fn merged(
    tree: &Tree,
    root: &TreePath,
    source: &ApplicationSource,
    context: &RenderContext,
) -> Result<ApplicationSource, Problem> {
    let mut names = vec![".argocd-source.yaml".to_owned()];
    if !context.instance.is_empty() && !context.instance.contains('/') {
        names.push(format!(".argocd-source-{}.yaml", context.instance));
    }
    let mut merged = source.clone();
    for name in names {
        let path = root.child(&name);
        if !tree.is_file(&path).map_err(|error| tree_problem(&error))? {
            continue;
        }
        let text = tree.read(&path).map_err(|error| tree_problem(&error))?;
        let failed = |why: &str| render_problem(format!("{}: {why}", path.as_str()));
        let Some(patch) = documents::read_json_or_yaml(path.as_str(), &text)?.into_iter().next() else {
            continue;
        };
        if !patch.is_object() {
            return Err(failed("it is no mapping of source parameters"));
        }
        let mut value = serde_json::to_value(&merged).map_err(|error| failed(&error.to_string()))?;
        apply_merge_patch(&mut value, patch, 0);
        merged = serde_json::from_value(value).map_err(|error| failed(&error.to_string()))?;
    }
    merged.chart.clone_from(&source.chart);
    merged.path.clone_from(&source.path);
    merged.repo_url.clone_from(&source.repo_url);
    merged.target_revision.clone_from(&source.target_revision);
    Ok(merged)
}

/// Deeper than any source; what is below it is replaced as a whole.
const DEEPEST: usize = 64;

/// RFC 7396: objects are merged, null deletes, everything else replaces.
fn apply_merge_patch(target: &mut Value, patch: Value, depth: usize) {
    match (target, patch) {
        (Value::Object(fields), Value::Object(patch)) if depth < DEEPEST => {
            for (name, change) in patch {
                if change.is_null() {
                    fields.remove(&name);
                } else {
                    apply_merge_patch(fields.entry(name).or_insert(Value::Null), change, depth + 1);
                }
            }
        }
        (target, patch @ Value::Object(_)) if depth < DEEPEST && !target.is_object() => {
            // Nulls of a new object mean "not there" as well.
            *target = Value::Object(serde_json::Map::new());
            apply_merge_patch(target, patch, depth + 1);
        }
        (target, patch) => *target = patch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::MemoryTree;
    use serde_json::json;

    #[test]
    fn parameters_of_the_repository_win_but_say_nothing_about_the_place() {
        let tree = MemoryTree::new()
            .file(
                "app/.argocd-source.yaml",
                "helm: {releaseName: all, values: 'a: 1'}\npath: /etc\nchart: x\n",
            )
            .unwrap()
            .file(
                "app/.argocd-source-web.yaml",
                "helm: {releaseName: web, values: null}\nkustomize: {images: [a:2]}\n",
            )
            .unwrap()
            .tree();
        let source: ApplicationSource = serde_json::from_value(
            json!({"repoURL": "u", "path": "app", "helm": {"values": "b: 1", "skipCrds": true}}),
        )
        .unwrap();
        let root = TreePath::parse("app").unwrap();
        let context = RenderContext { instance: "web".into(), ..RenderContext::default() };
        let found = merged(&tree, &root, &source, &context).unwrap();
        let expected = json!({"repoURL": "u", "path": "app", "helm": {"releaseName": "web", "skipCrds": true},
                              "kustomize": {"images": ["a:2"]}});
        assert_eq!(serde_json::to_value(found).unwrap(), expected);
        let other = RenderContext { instance: "other".into(), ..RenderContext::default() };
        let found = merged(&tree, &root, &source, &other).unwrap();
        assert_eq!(found.helm.unwrap().release_name, "all");
        let bad = MemoryTree::new().file(".argocd-source.yaml", "helm: [1]").unwrap().tree();
        let problem = merged(&bad, &TreePath::root(), &source, &other).unwrap_err();
        assert!(problem.message.starts_with(".argocd-source.yaml: "), "{problem}");
    }
}
