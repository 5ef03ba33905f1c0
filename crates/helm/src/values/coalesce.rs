//! Merging a user's values with the defaults of a chart and its subcharts.
//!
//! What the user gives wins; maps are merged, everything else is replaced; null takes a default away; `global` is
//! handed down. "Coalescing" drops nulls, "merging" (while values are imported) keeps them.
//!
//! As in Helm, tables below `global` are shared between a chart and its subcharts and not copied: what the defaults
//! of one subchart add deep inside is seen by its parent and by the siblings that come later.

use gotemplate::{Map, Str, Value};

use super::tree::deep_copy;
use crate::render::instance::Instance;
use crate::{Error, Result};

/// The key whose table every subchart gets.
const GLOBAL: &str = "global";

/// Whether nulls are dropped or kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nulls take keys away.
    Coalesce,
    /// Nulls stay.
    Merge,
}

/// The values that a chart's templates see, from those that the user gives. `values` is not changed.
///
/// # Errors
/// The value of a subchart's key is no table.
pub(crate) fn chart_values(
    chart: &Instance<'_>,
    values: &Map,
    mode: Mode,
    warnings: &mut Vec<String>,
) -> Result<Map> {
    let values = deep_copy(values);
    Coalescer { mode, warnings }.chart(chart, &values, "")?;
    Ok(values)
}

/// Merges `src` into `dst`, which wins. Both may change.
pub(crate) fn tables(dst: &Map, src: &Map, mode: Mode, warnings: &mut Vec<String>) {
    Coalescer { mode, warnings }.tables(dst, src, "", mode);
}

struct Coalescer<'w> {
    mode: Mode,
    warnings: &'w mut Vec<String>,
}

impl Coalescer<'_> {
    fn warn(&mut self, message: String) {
        self.warnings.push(message);
    }

    fn chart(&mut self, chart: &Instance<'_>, dest: &Map, prefix: &str) -> Result<()> {
        self.defaults(chart, dest, prefix);
        for sub in &chart.children {
            let name = sub.name.as_str();
            let inner = match dest.get(name) {
                None => {
                    let fresh = Map::new();
                    dest.insert(name, fresh.clone());
                    fresh
                }
                Some(Value::Map(inner)) => inner,
                Some(other) => {
                    // Helm formats the value as a truth value by mistake; the text is what users know.
                    let shown = print("%t", &other);
                    return Err(Error::values(format!("type mismatch on {name}: {shown}")));
                }
            };
            let prefix = join(prefix, &chart.name);
            self.globals(&inner, dest, &prefix);
            self.chart(sub, &inner, &prefix)?;
        }
        Ok(())
    }

    /// Hands the `global` table of `src` down to `dest`.
    fn globals(&mut self, dest: &Map, src: &Map, prefix: &str) {
        let down = match dest.get(GLOBAL) {
            None => Map::new(),
            Some(Value::Map(map)) => map,
            Some(_) => {
                self.warn(format!("warning: skipping globals because destination {GLOBAL} is not a table."));
                return;
            }
        };
        let up = match src.get(GLOBAL) {
            None => Map::new(),
            Some(Value::Map(map)) => map,
            Some(_) => {
                self.warn(format!("warning: skipping globals because source {GLOBAL} is not a table."));
                return;
            }
        };
        for (key, value) in up.entries() {
            match (value, down.get(&key)) {
                (Value::Map(table), None) => {
                    down.insert(key, shallow_copy(&table));
                }
                (Value::Map(table), Some(Value::Map(own))) => {
                    // From the top down: what comes from above wins.
                    let table = shallow_copy(&table);
                    self.tables(&table, &own, &join(prefix, &key.to_text()), Mode::Merge);
                    down.insert(key, table);
                }
                (Value::Map(_), Some(_)) => {
                    self.warn(format!(
                        "Conflict: cannot merge map onto non-map for {:?}. Skipping.",
                        key.to_text()
                    ));
                }
                (_, Some(Value::Map(_))) => {
                    self.warn(format!("key {} is table. Skipping", key.to_text()));
                }
                (value, _) => {
                    down.insert(key, value);
                }
            }
        }
        dest.insert(GLOBAL, down);
    }

    /// Merges the chart's own defaults into `values`.
    fn defaults(&mut self, chart: &Instance<'_>, values: &Map, prefix: &str) {
        let prefix = join(prefix, &chart.name);
        let merge = self.mode == Mode::Merge;
        for (key, default) in chart.copy_values().entries() {
            match (values.get(&key), default) {
                (Some(Value::Nil), _) if !merge => {
                    values.remove(&key);
                }
                (Some(Value::Map(dest)), Value::Map(src)) => {
                    let is_child = chart.children.iter().any(|c| key == *c.name.as_str());
                    let mode = if is_child { Mode::Merge } else { self.mode };
                    if mode == Mode::Coalesce {
                        drop_nulls(&src);
                    }
                    self.tables(&dest, &src, &join(&prefix, &key.to_text()), mode);
                }
                (Some(Value::Map(_)), Value::Nil) => {}
                (Some(Value::Map(_)), _) => {
                    self.warn(format!("warning: skipped value for {prefix}.{}: Not a table.", key.to_text()));
                }
                (Some(_), _) => {}
                (None, Value::Nil) if !merge => {}
                (None, default) => {
                    if let (Value::Map(table), false) = (&default, merge) {
                        drop_nulls(table);
                    }
                    values.insert(key, default);
                }
            }
        }
    }

    fn tables(&mut self, dst: &Map, src: &Map, prefix: &str, mode: Mode) {
        if dst.ptr_eq(src) {
            return;
        }
        // A null in `dst` stands also for what `src` does not name.
        let nulls: Vec<Str> =
            dst.entries().into_iter().filter(|(_, v)| matches!(v, Value::Nil)).map(|(k, _)| k).collect();
        let had_value: Vec<bool> =
            nulls.iter().map(|k| src.get(k).is_some_and(|v| !matches!(v, Value::Nil))).collect();
        for key in &nulls {
            src.insert(key.clone(), Value::Nil);
        }
        if mode == Mode::Coalesce {
            for (key, had_value) in nulls.iter().zip(had_value) {
                if had_value {
                    dst.remove(key);
                }
            }
        }
        for (key, value) in src.entries() {
            let own = dst.get(&key);
            match (own, value) {
                (None, Value::Nil) if nulls.contains(&key) => {}
                (None, value) => {
                    dst.insert(key, value);
                }
                (Some(Value::Map(own)), Value::Map(table)) => {
                    self.tables(&own, &table, &join(prefix, &key.to_text()), mode);
                }
                (Some(_), table @ Value::Map(_)) => {
                    let (key, table) = (join(prefix, &key.to_text()), shown(&table));
                    self.warn(format!("warning: cannot overwrite table with non table for {key} ({table})"));
                }
                (Some(Value::Map(_)), Value::Nil) => {}
                (Some(Value::Map(_)), value) => {
                    let (key, value) = (join(prefix, &key.to_text()), shown(&value));
                    self.warn(format!(
                        "warning: destination for {key} is a table. Ignoring non-table value ({value})"
                    ));
                }
                (Some(_), _) => {}
            }
        }
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

fn shown(value: &Value) -> String {
    print("%v", value)
}

/// Longest text of a value in a message.
const MAX_SHOWN: usize = 64 << 10;

fn print(format: &str, value: &Value) -> String {
    let text = gotemplate::fmt::sprintf(&format.into(), std::slice::from_ref(value), MAX_SHOWN);
    text.map_or_else(|e| e.to_string(), |t| t.to_string())
}

fn shallow_copy(map: &Map) -> Map {
    Map::of(map.map_type(), map.borrow().clone())
}

/// Removes nulls in the whole tree, so that they do not hide what comes from elsewhere.
fn drop_nulls(map: &Map) {
    for (key, value) in map.entries() {
        match value {
            Value::Nil => {
                map.remove(&key);
            }
            Value::Map(inner) => drop_nulls(&inner),
            _ => {}
        }
    }
}
