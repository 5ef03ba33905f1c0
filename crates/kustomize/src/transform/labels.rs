//! Labels and annotations.

use goyaml::{Kind, tags};

use crate::error::Result;
use crate::resmap::ResMap;
use crate::tree::field_spec::{self, Creation, FieldSpec};
use crate::tree::meta::StringMap;
use crate::tree::{field, share};

/// Sets all pairs in all maps that the specs mean.
pub(crate) fn set_all(map: &mut ResMap, pairs: &StringMap, specs: &[FieldSpec]) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let creation = Some(Creation { kind: Kind::Mapping, tag: tags::MAP });
    for resource in &mut map.list {
        resource.edit(|node| {
            for (key, text) in pairs {
                let mut value = field::tagged(text, tags::STR);
                share::begin(&mut value);
                for spec in specs {
                    field_spec::apply(node, spec, creation, &mut |target| {
                        field::set(target, key, value.clone())
                    })?;
                }
            }
            Ok(())
        })?;
    }
    map.drop_empty();
    Ok(())
}
