//! Claims that wait for their first consumer: they stay Progressing, and hold up no wave.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::object::str_at;

const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// What of the storage classes of a cluster decides on waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageClasses {
    /// Whether a class waits for the first consumer, by its name.
    waits: BTreeMap<String, bool>,
    /// The class of claims that name none.
    default: Option<String>,
}

impl StorageClasses {
    /// Reads StorageClass objects.
    pub fn from_objects<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut classes = Self::default();
        for object in objects {
            let name = str_at(object, &["metadata", "name"]).unwrap_or_default().to_owned();
            if str_at(object, &["metadata", "annotations", DEFAULT_CLASS]) == Some("true") {
                classes.default = Some(name.clone());
            }
            let waits = str_at(object, &["volumeBindingMode"]) == Some("WaitForFirstConsumer");
            classes.waits.insert(name, waits);
        }
        classes
    }

    /// Whether this claim is unbound because nothing that uses it is scheduled yet.
    pub fn waits_for_consumer(&self, claim: &Value) -> bool {
        let is_claim = str_at(claim, &["kind"]) == Some("PersistentVolumeClaim");
        let pending = str_at(claim, &["status", "phase"]).is_none_or(|phase| phase == "Pending");
        let unused = str_at(claim, &["metadata", "annotations", SELECTED_NODE]).is_none();
        let class = str_at(claim, &["spec", "storageClassName"])
            .or_else(|| str_at(claim, &["metadata", "annotations", BETA_CLASS]))
            .or(self.default.as_deref());
        let waits = class.and_then(|class| self.waits.get(class)).copied().unwrap_or(false);
        is_claim && pending && unused && waits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_waits_by_its_class_or_the_default() {
        let classes = StorageClasses::from_objects(&[
            json!({"metadata": {"name": "now"}, "volumeBindingMode": "Immediate"}),
            json!({"metadata": {"name": "later", "annotations": {DEFAULT_CLASS: "true"}},
                   "volumeBindingMode": "WaitForFirstConsumer"}),
        ]);
        let claim = |class: Option<&str>| {
            json!({"kind": "PersistentVolumeClaim", "spec": {"storageClassName": class},
                   "status": {"phase": "Pending"}})
        };
        assert!(classes.waits_for_consumer(&claim(Some("later"))));
        assert!(classes.waits_for_consumer(&claim(None)));
        assert!(!classes.waits_for_consumer(&claim(Some("now"))));
        let mut bound = claim(Some("later"));
        bound["status"]["phase"] = json!("Bound");
        assert!(!classes.waits_for_consumer(&bound));
    }
}
