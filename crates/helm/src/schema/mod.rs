//! `values.schema.json`.

use gotemplate::Map;

use crate::Result;
use crate::render::instance::Instance;

pub(crate) fn check_tree(_root: &Instance<'_>, _values: &Map, _warnings: &mut Vec<String>) -> Result<()> {
    Ok(())
}
