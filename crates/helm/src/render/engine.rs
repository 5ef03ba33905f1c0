//! Parsing and executing the templates of a chart's tree.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use gotemplate::{Exec, Limits, MissingKey, Str, TemplateSet, Value};

use super::context::Templates;
use super::error_text::{exec_error, parse_error};
use super::functions::{FUNCTIONS, without_no_value};
use super::host::Host;
use crate::values::tree::dict;
use crate::{Error, Result};

/// Sets of parsed templates, one for each set of subcharts that took part in a render. Shared between renders and
/// threads; a clone starts empty.
#[derive(Default)]
pub struct TemplateCache {
    sets: Mutex<Vec<(Key, Arc<TemplateSet>)>>,
}

/// Full path and address of the contents of each template.
type Key = Vec<(String, usize)>;

/// Most sets that are kept; the oldest goes first.
const MAX_SETS: usize = 8;

impl TemplateCache {
    fn get(&self, key: &Key) -> Option<Arc<TemplateSet>> {
        let sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.iter().find(|(k, _)| k == key).map(|(_, set)| Arc::clone(set))
    }

    fn put(&self, key: Key, set: &Arc<TemplateSet>) {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        if sets.len() >= MAX_SETS {
            sets.remove(0);
        }
        sets.push((key, Arc::clone(set)));
    }
}

impl Clone for TemplateCache {
    fn clone(&self) -> Self {
        TemplateCache::default()
    }
}

impl std::fmt::Debug for TemplateCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TemplateCache")
    }
}

/// Deep files first, so that those of outer charts, parsed later, win where names clash.
fn parse_order<'t>(templates: &'t Templates<'_>) -> Vec<&'t String> {
    let mut names: Vec<&String> = templates.keys().collect();
    let depth = |name: &str| name.bytes().filter(|b| *b == b'/').count();
    names.sort_by(|a, b| (depth(b), b).cmp(&(depth(a), a)));
    names
}

fn parse(templates: &Templates<'_>, order: &[&String], cache: &TemplateCache) -> Result<Arc<TemplateSet>> {
    let key: Key = templates.iter().map(|(n, t)| (n.clone(), t.file.data.as_ptr().addr())).collect();
    if let Some(set) = cache.get(&key) {
        return Ok(set);
    }
    let mut set = TemplateSet::new("gotpl", MissingKey::Zero);
    let texts: Vec<(&str, &Arc<[u8]>)> =
        order.iter().filter_map(|name| Some((name.as_str(), &templates.get(*name)?.file.data))).collect();
    set.parse_all(&texts, &FUNCTIONS).map_err(|(i, error)| {
        let name = texts.get(i).map_or("", |(name, _)| name);
        Error::Template(parse_error(name, &error))
    })?;
    let set = Arc::new(set);
    cache.put(key, &set);
    Ok(set)
}

/// Renders all templates but partials; texts by full path.
///
/// # Errors
/// In Helm's words, with the place in the template.
pub(super) fn execute(
    templates: &Templates<'_>,
    cache: &TemplateCache,
    limits: Limits,
    host: &Host,
) -> Result<BTreeMap<String, Str>> {
    let order = parse_order(templates);
    let set = parse(templates, &order, cache)?;
    let mut exec = Exec::new(&set, &FUNCTIONS, limits, host);
    let mut rendered = BTreeMap::new();
    for name in order {
        let base_name = name.rsplit('/').next().unwrap_or(name);
        let Some(template) = templates.get(name) else { continue };
        if base_name.starts_with('_') {
            continue;
        }
        let here = dict([("Name", name.as_str().into()), ("BasePath", (&*template.base_path).into())]);
        template.data.insert("Template", here.with_type(&super::types::VALUES));
        let text = exec
            .execute_template(name, Value::Map(template.data.with_type(&super::types::VALUES)))
            .map_err(|e| Error::Template(exec_error(name, &e)))?;
        rendered.insert(name.clone(), without_no_value(text));
    }
    Ok(rendered)
}
