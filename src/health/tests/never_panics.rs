//! Every rule over arbitrary JSON: whatever an object holds, there is an answer and no panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::health::{Customizations, assess, assess_rule, facts, kinds_with_rules, pod_sets::pod_sets};

/// Field names that rules look at, so that arbitrary objects reach far into them.
const NAMES: &[&str] = &[
    "status",
    "spec",
    "metadata",
    "conditions",
    "type",
    "reason",
    "message",
    "phase",
    "observedGeneration",
    "generation",
    "replicas",
    "updatedReplicas",
    "availableReplicas",
    "containerStatuses",
    "state",
    "waiting",
    "annotations",
    "labels",
    "parents",
    "listeners",
    "environments",
    "proposed",
    "dry",
    "sha",
    "template",
    "containers",
    "resources",
    "limits",
    "nvidia.com/gpu",
    "affinity",
    "tolerations",
    "ingress",
    "active",
    "strategy",
    "canary",
    "blueGreen",
    "deletionTimestamp",
];

const WORDS: &[&str] =
    &["True", "False", "Unknown", "Ready", "Running", "Failed", "", "Available", "2", "25%", "1Gi"];

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..4_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(WORDS).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(NAMES), inner, 0..6)
                .prop_map(|fields| json!(fields)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_rule_answers_arbitrary_objects(body in json_value()) {
        for (group, kind) in kinds_with_rules() {
            let group = group.replace('*', "x");
            let kind = if kind == "*" { "AnyPolicy" } else { kind };
            for version in ["v1", "v2"] {
                let mut object = if body.is_object() { body.clone() } else { json!({"status": body}) };
                object["apiVersion"] =
                    if group.is_empty() { json!(version) } else { json!(format!("{group}/{version}")) };
                object["kind"] = json!(kind);
                let _ = assess(&object, &Customizations::none());
                let _ = assess_rule(&object, &Customizations::none());
                let _ = pod_sets(&object, 5);
            }
        }
        let _ = facts::pod(&body);
        let _ = facts::node(&body, &facts::quota(&body).used);
    }
}
