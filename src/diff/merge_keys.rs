//! By which field the items of a list of a built-in kind are told apart, as the OpenAPI document of Kubernetes says
//! (`x-kubernetes-patch-merge-key`).

use serde_json::Value;

/// Lists whose merge key does not depend on where they stand.
const KEYS: &[(&str, &str)] = &[
    ("conditions", "type"),
    ("containers", "name"),
    ("env", "name"),
    ("ephemeralContainers", "name"),
    ("hostAliases", "ip"),
    ("imagePullSecrets", "name"),
    ("initContainers", "name"),
    ("ownerReferences", "uid"),
    ("podIPs", "ip"),
    ("resourceClaims", "name"),
    ("schedulingGates", "name"),
    ("secrets", "name"),
    ("topologySpreadConstraints", "topologyKey"),
    ("volumeDevices", "devicePath"),
    ("volumeMounts", "mountPath"),
    ("volumes", "name"),
    ("webhooks", "name"),
];

/// The merge key of a list; nothing for a list that is replaced.
pub(super) fn merge_key(field: &str, desired: &[Value], live: &[Value]) -> Option<&'static str> {
    if field == "ports" {
        return port_key(desired, live);
    }
    KEYS.iter().find(|(name, _)| *name == field).map(|(_, key)| *key)
}

/// Ports of a container are told apart by `containerPort`, those of a Service by `port`; those of a NetworkPolicy by
/// nothing.
fn port_key(desired: &[Value], live: &[Value]) -> Option<&'static str> {
    let all = || desired.iter().chain(live);
    ["containerPort", "port"].into_iter().find(|key| {
        let distinct: std::collections::BTreeSet<String> =
            desired.iter().filter_map(|item| item.get(*key)).map(Value::to_string).collect();
        // Two protocols on one port make the key ambiguous; such a list is compared whole.
        all().all(|item| item.get(*key).is_some()) && distinct.len() == desired.len()
    })
}

/// Lists of plain values that are merged as sets.
pub(super) fn is_set(field: &str) -> bool {
    field == "finalizers"
}
