//! Numbers of replicas.

use goyaml::{Kind, tags};

use crate::error::{Error, Result};
use crate::kustomization::Replica;
use crate::resmap::ResMap;
use crate::tree::field;
use crate::tree::field_spec::{self, Creation, FieldSpec};

/// Sets the number in the workloads that are or were called so.
pub(crate) fn apply(map: &mut ResMap, replica: &Replica, specs: &[FieldSpec]) -> Result<()> {
    let mut found = false;
    let creation = Some(Creation { kind: Kind::Scalar, tag: tags::INT });
    let count = replica.count.to_string();
    for spec in specs {
        let matches = map.matching_any_id(|id| id.name == replica.name && id.gvk.is_selected(&spec.gvk));
        found |= !matches.is_empty();
        for i in matches {
            let Some(resource) = map.list.get_mut(i) else { continue };
            resource.edit(|node| {
                field_spec::apply(node, spec, creation, &mut |target| {
                    field::set_scalar(target, field::tagged(&count, tags::INT))
                })
            })?;
        }
    }
    if found {
        return Ok(());
    }
    let kinds: Vec<String> = specs.iter().map(|spec| spec.gvk.to_string()).collect();
    Err(Error::new(format!(
        "resource with name {} does not match a config with the following GVK [{}]",
        replica.name,
        kinds.join(" ")
    )))
}
