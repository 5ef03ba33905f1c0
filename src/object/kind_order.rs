//! The order in which kinds are applied inside a wave, as in Argo CD (and Helm before it).

use std::cmp::Ordering;

/// Kinds in the order in which they are applied; every other kind comes after them.
const ORDER: &[&str] = &[
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// The place of a kind in the order: 0 is first; a kind that is not in the list gets the length of the list.
pub fn kind_rank(kind: &str) -> usize {
    ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len())
}

/// Orders two kinds by their place; equal for two kinds that are both outside of the list.
pub fn compare_kinds(left: &str, right: &str) -> Ordering {
    kind_rank(left).cmp(&kind_rank(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_come_first_and_custom_kinds_last() {
        assert_eq!(compare_kinds("Namespace", "Deployment"), Ordering::Less);
        assert_eq!(compare_kinds("APIService", "RayCluster"), Ordering::Less);
        assert_eq!(compare_kinds("RayCluster", "InferenceService"), Ordering::Equal);
    }
}
