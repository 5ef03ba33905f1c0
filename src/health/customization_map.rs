//! `resource.customizations` of `argocd-cm`, as data: which script judges which kind.

use std::collections::BTreeMap;

use serde_json::Value;

use super::HealthScript;

const PREFIX: &str = "resource.customizations";

/// A key of the ConfigMap that cannot be used. The others are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CustomizationProblem {
    /// The part after the type is not `group_Kind` or `Kind`.
    #[error("{key}: write resource.customizations.<type>.<group>_<Kind>, or <Kind> for the core group")]
    Name {
        /// The key.
        key: String,
    },
    /// `useOpenLibs` is no boolean.
    #[error("{key}: {value:?} is no boolean; use \"true\" or \"false\"")]
    Boolean {
        /// The key.
        key: String,
        /// What was written.
        value: String,
    },
}

/// Reads the health scripts of an `argocd-cm`: one key per kind, and the older map under one key.
///
/// `old_map` is the parsed value of `resource.customizations`, null where there is none. Keys per kind win.
pub fn health_scripts(
    data: &BTreeMap<String, String>,
    old_map: &Value,
) -> (BTreeMap<String, HealthScript>, Vec<CustomizationProblem>) {
    let (mut scripts, mut problems) = (BTreeMap::new(), Vec::new());
    for (kind, entry) in old_map.as_object().into_iter().flatten() {
        let text = entry.get("health.lua").and_then(Value::as_str).unwrap_or_default().to_owned();
        let open_libs = entry.get("health.lua.useOpenLibs").and_then(Value::as_bool).unwrap_or(false);
        scripts.insert(kind.clone(), HealthScript { text, open_libs });
    }
    for (key, value) in data {
        let Some((what, name)) =
            key.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('.')?.split_once('.'))
        else {
            continue;
        };
        if !matches!(what, "health" | "useOpenLibs") {
            continue;
        }
        let Some(kind) = override_key(name) else {
            problems.push(CustomizationProblem::Name { key: key.clone() });
            continue;
        };
        let script =
            scripts.entry(kind).or_insert_with(|| HealthScript { text: String::new(), open_libs: false });
        if what == "health" {
            script.text.clone_from(value);
        } else {
            match value.as_str() {
                "1" | "t" | "T" | "TRUE" | "true" | "True" => script.open_libs = true,
                "0" | "f" | "F" | "FALSE" | "false" | "False" => script.open_libs = false,
                _ => problems.push(CustomizationProblem::Boolean { key: key.clone(), value: value.clone() }),
            }
        }
    }
    scripts.retain(|_, script| !script.text.is_empty());
    (scripts, problems)
}

/// `cert-manager.io_Certificate` is `cert-manager.io/Certificate`; `all` is every kind with a group.
fn override_key(name: &str) -> Option<String> {
    let mut parts = name.split('_');
    match (parts.next()?, parts.next(), parts.next()) {
        ("", None, _) => None,
        ("all", None, _) => Some("*/*".to_owned()),
        (kind, None, _) => Some(kind.to_owned()),
        (group, Some(kind), None) => Some(format!("{group}/{kind}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_both_forms_and_names_what_it_cannot_use() {
        let data: BTreeMap<String, String> = [
            ("resource.customizations.health.cert-manager.io_Certificate", "new"),
            ("resource.customizations.useOpenLibs.cert-manager.io_Certificate", "true"),
            ("resource.customizations.health.Pod", "pod"),
            ("resource.customizations.health.*.example.com_*", "glob"),
            ("resource.customizations.useOpenLibs.Pod", "perhaps"),
            ("resource.customizations.health.a_b_c", "x"),
            ("resource.customizations.actions.apps_Deployment", "x"),
            ("timeout.reconciliation", "180s"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let old = json!({"cert-manager.io/Certificate": {"health.lua": "old"},
            "apps/Deployment": {"health.lua": "d", "health.lua.useOpenLibs": true}});
        let (scripts, problems) = health_scripts(&data, &old);
        let script = |text: &str, open_libs| HealthScript { text: text.into(), open_libs };
        assert_eq!(
            scripts,
            BTreeMap::from([
                ("*.example.com/*".into(), script("glob", false)),
                ("Pod".into(), script("pod", false)),
                ("apps/Deployment".into(), script("d", true)),
                ("cert-manager.io/Certificate".into(), script("new", true)),
            ])
        );
        assert_eq!(problems.len(), 2);
    }
}
