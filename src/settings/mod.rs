//! Argo CD's ConfigMaps and Secrets as typed values. Parsing only: the watchers are in `controller`.
//!
//! Layer 0: imports `api` and `object`.

mod argocd_cm;
mod cluster;
mod cmd_params;
mod customizations;
mod known_drift;
mod repository;
mod resource_filter;
mod sync_settings;

pub use argocd_cm::{ArgocdCm, TrackingMethod};
pub use cluster::{ClusterSecret, InvalidCluster};
pub use cmd_params::CmdParams;
pub use customizations::{Customizations, KnownTypeField};
pub use repository::{RepositorySecret, Sensitive, best_match};
pub use resource_filter::ResourceFilter;
pub use sync_settings::{ConfirmKind, SyncSettings};

use std::collections::BTreeMap;

use base64::Engine;
use serde_json::Value;

/// The data of a Secret, decoded; entries that are no base64 or no UTF-8 are left out.
pub fn secret_data(secret: &Value) -> BTreeMap<String, String> {
    let encoded = secret.get("data").and_then(Value::as_object).into_iter().flatten();
    let decode = |value: &Value| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str()?).ok()?;
        String::from_utf8(bytes).ok()
    };
    encoded.filter_map(|(name, value)| Some((name.clone(), decode(value)?))).collect()
}

/// The data of a ConfigMap.
pub fn config_map_data(config_map: &Value) -> BTreeMap<String, String> {
    let data = config_map.get("data").and_then(Value::as_object).into_iter().flatten();
    data.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}
