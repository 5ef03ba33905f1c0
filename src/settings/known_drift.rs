//! Differences that everybody meets and nobody means, as ready ignore rules: other controllers write these fields.
//!
//! `tiphys.knownDrift` of `argocd-cm` chooses: `all` (as without the key), `none`, or names separated by commas.

use std::collections::BTreeMap;

use crate::api::IgnoreDifferences;

/// The key of `argocd-cm`.
const KEY: &str = "tiphys.knownDrift";

/// One ready rule.
struct Known {
    /// The name by which it is chosen.
    name: &'static str,
    group: &'static str,
    /// Kind; may be a glob.
    kind: &'static str,
    pointers: &'static [&'static str],
    expressions: &'static [&'static str],
    managers: &'static [&'static str],
}

const NOTHING: Known =
    Known { name: "", group: "", kind: "", pointers: &[], expressions: &[], managers: &[] };

/// The controller manager writes replicas of these kinds for HPAs, and so does KEDA through an HPA of its own.
const AUTOSCALER: Known = Known { name: "autoscaler", managers: &["kube-controller-manager"], ..NOTHING };
/// The Ray autoscaler writes how many workers there are, and which go.
const RAY: Known = Known { name: "ray", group: "ray.io", ..NOTHING };
const CERT_MANAGER: Known = Known { name: "cert-manager", ..NOTHING };

const RULES: &[Known] = &[
    Known { group: "apps", kind: "Deployment", ..AUTOSCALER },
    Known { group: "apps", kind: "StatefulSet", ..AUTOSCALER },
    Known { group: "argoproj.io", kind: "Rollout", ..AUTOSCALER },
    Known { kind: "ReplicationController", ..AUTOSCALER },
    Known {
        kind: "RayCluster",
        expressions: &[
            "select(.spec.enableInTreeAutoscaling == true) | .spec.workerGroupSpecs[]?.replicas",
            "select(.spec.enableInTreeAutoscaling == true) | .spec.workerGroupSpecs[]?.scaleStrategy",
        ],
        ..RAY
    },
    Known {
        kind: "RayService",
        expressions: &["select(.spec.rayClusterConfig.enableInTreeAutoscaling == true) | \
             .spec.rayClusterConfig.workerGroupSpecs[]?.replicas"],
        ..RAY
    },
    Known {
        kind: "RayJob",
        expressions: &["select(.spec.rayClusterSpec.enableInTreeAutoscaling == true) | \
             .spec.rayClusterSpec.workerGroupSpecs[]?.replicas"],
        ..RAY
    },
    // A default of the CRD for a field that the chart no longer renders.
    Known {
        name: "nvidia",
        group: "nvidia.com",
        kind: "ClusterPolicy",
        pointers: &["/spec/cdi/default"],
        ..NOTHING
    },
    Known {
        group: "admissionregistration.k8s.io",
        kind: "*WebhookConfiguration",
        expressions: &[concat!(
            "select(.metadata.annotations[\"cert-manager.io/inject-ca-from\"] // ",
            ".metadata.annotations[\"cert-manager.io/inject-ca-from-secret\"] // ",
            ".metadata.annotations[\"cert-manager.io/inject-apiserver-ca\"]) | .webhooks[]?.clientConfig.caBundle"
        )],
        ..CERT_MANAGER
    },
    Known {
        group: "apiextensions.k8s.io",
        kind: "CustomResourceDefinition",
        expressions: &[concat!(
            "select(.metadata.annotations[\"cert-manager.io/inject-ca-from\"] // ",
            ".metadata.annotations[\"cert-manager.io/inject-ca-from-secret\"] // ",
            ".metadata.annotations[\"cert-manager.io/inject-apiserver-ca\"]) | ",
            ".spec.conversion.webhook.clientConfig.caBundle"
        )],
        ..CERT_MANAGER
    },
    Known {
        group: "apiregistration.k8s.io",
        kind: "APIService",
        expressions: &[concat!(
            "select(.metadata.annotations[\"cert-manager.io/inject-ca-from\"] // ",
            ".metadata.annotations[\"cert-manager.io/inject-ca-from-secret\"] // ",
            ".metadata.annotations[\"cert-manager.io/inject-apiserver-ca\"]) | .spec.caBundle"
        )],
        ..CERT_MANAGER
    },
];

/// The ready rules that the settings leave on, and what could not be read.
pub(super) fn known_drift(data: &BTreeMap<String, String>) -> (Vec<IgnoreDifferences>, Vec<String>) {
    let words: Vec<&str> = data.get(KEY).map_or("all", String::as_str).split(',').map(str::trim).collect();
    let unknown = words
        .iter()
        .filter(|word| !matches!(**word, "" | "all" | "none") && !RULES.iter().any(|rule| rule.name == **word))
        .map(|word| {
            format!(
                "argocd-cm: {KEY} names \"{word}\": use all, none, or some of autoscaler, ray, nvidia, cert-manager"
            )
        });
    let is_on = |rule: &&Known| words.contains(&"all") || words.contains(&rule.name);
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let rules = RULES.iter().filter(is_on).map(|rule| IgnoreDifferences {
        group: rule.group.to_owned(),
        kind: rule.kind.to_owned(),
        json_pointers: texts(rule.pointers),
        jq_path_expressions: texts(rule.expressions),
        managed_fields_managers: texts(rule.managers),
        ..IgnoreDifferences::default()
    });
    (rules.collect(), unknown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(setting: Option<&str>) -> (usize, usize) {
        let data = setting.map(|text| (KEY.to_owned(), text.to_owned())).into_iter().collect();
        let (rules, problems) = known_drift(&data);
        (rules.len(), problems.len())
    }

    #[test]
    fn rules_are_on_unless_the_settings_choose() {
        assert_eq!(kinds(None), (RULES.len(), 0));
        assert_eq!(kinds(Some("none")), (0, 0));
        assert_eq!(kinds(Some("ray, nvidia")), (4, 0));
        assert_eq!(kinds(Some("ray,everything")), (3, 1));
    }
}
