//! Which subcharts take part: versions, aliases, conditions and tags; then the import of their values.

use gotemplate::sprig::semver::{Constraints, Version};
use gotemplate::{Map, Value};
use serde_json::Value as Json;

use super::instance::Instance;
use crate::Result;
use crate::chart::Dependency;
use crate::values::coalesce::{Mode, chart_values, tables};
use crate::values::tree::{deep_copy, dict, path_value, table};

/// Applies aliases, conditions, tags and imports to the whole tree.
///
/// # Errors
/// Values of the wrong shape.
pub(crate) fn process(root: &mut Instance<'_>, values: &Map, warnings: &mut Vec<String>) -> Result<()> {
    select(root, values, "", warnings)?;
    import(root, warnings)
}

/// Whether `version` satisfies `constraint`; false when either cannot be read.
pub(crate) fn is_compatible(constraint: &str, version: &str) -> bool {
    match (Version::parse(version), Constraints::parse(constraint)) {
        (Ok(version), Ok(constraint)) => constraint.check(&version),
        _ => false,
    }
}

fn select(chart: &mut Instance<'_>, values: &Map, path: &str, warnings: &mut Vec<String>) -> Result<()> {
    // A chart that lists no dependencies takes all that is there, as it is.
    let Some(mut dependencies) = chart.dependencies.take() else { return Ok(()) };
    chart.children = apply_aliases(std::mem::take(&mut chart.children), &mut dependencies);
    for dependency in &mut dependencies {
        dependency.enabled = true;
    }
    let values = chart_values(chart, values, Mode::Coalesce, warnings)?;
    apply_tags(&mut dependencies, &values, warnings);
    apply_conditions(&mut dependencies, &values, path, warnings);
    let disabled: Vec<&str> = dependencies.iter().filter(|d| !d.enabled).map(|d| d.name.as_str()).collect();
    chart.children.retain(|c| !disabled.contains(&c.name.as_str()));
    for child in &mut chart.children {
        let path = format!("{path}{}.", child.name);
        select(child, &values, &path, warnings)?;
    }
    let kept: Vec<Dependency> =
        dependencies.iter().filter(|d| !disabled.contains(&d.name.as_str())).cloned().collect();
    chart.dependencies = (!kept.is_empty()).then_some(kept);
    Ok(())
}

/// Unlisted subcharts first, then one for each listed dependency that is there, under its alias.
fn apply_aliases<'c>(loaded: Vec<Instance<'c>>, dependencies: &mut [Dependency]) -> Vec<Instance<'c>> {
    let fits = |d: &Dependency, c: &Instance<'_>| {
        c.name == d.name && is_compatible(&d.version, &c.chart.metadata.version)
    };
    let is_unlisted = |c: &&Instance<'_>| !dependencies.iter().any(|d| fits(d, c));
    let mut chosen: Vec<Instance<'c>> = loaded.iter().filter(is_unlisted).cloned().collect();
    for dependency in dependencies {
        if let Some(found) = loaded.iter().find(|c| fits(dependency, c)) {
            let mut instance = found.clone();
            if !dependency.alias.is_empty() {
                instance.name.clone_from(&dependency.alias);
            }
            chosen.push(instance);
        }
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
    }
    chosen
}

fn apply_tags(dependencies: &mut [Dependency], values: &Map, warnings: &mut Vec<String>) {
    let Some(Value::Map(tags)) = values.get("tags") else { return };
    for dependency in dependencies {
        let (mut any_true, mut any_false) = (false, false);
        for name in &dependency.tags {
            match tags.get(name) {
                None => {}
                Some(Value::Bool(true)) => any_true = true,
                Some(Value::Bool(false)) => any_false = true,
                Some(_) => {
                    let chart = &dependency.name;
                    warnings.push(format!("returned non-bool value: tag={name} chart={chart}"));
                }
            }
        }
        dependency.enabled = any_true || !any_false;
    }
}

fn apply_conditions(dependencies: &mut [Dependency], values: &Map, path: &str, warnings: &mut Vec<String>) {
    for dependency in dependencies {
        for condition in dependency.condition.trim().split(',').filter(|c| !c.is_empty()) {
            match path_value(values, &format!("{path}{condition}")) {
                None => {}
                Some(Value::Bool(enabled)) => {
                    dependency.enabled = enabled;
                    break;
                }
                Some(_) => {
                    let chart = &dependency.name;
                    warnings.push(format!("returned non-bool value: path={condition} chart={chart}"));
                }
            }
        }
    }
}

/// Imports from the innermost charts outwards.
fn import(chart: &mut Instance<'_>, warnings: &mut Vec<String>) -> Result<()> {
    for child in &mut chart.children {
        import(child, warnings)?;
    }
    let Some(mut dependencies) = chart.dependencies.take() else { return Ok(()) };
    let values = chart_values(chart, &Map::new(), Mode::Merge, warnings)?;
    let imported = Map::new();
    for dependency in &mut dependencies {
        let wanted = std::mem::take(&mut dependency.import_values);
        for item in wanted {
            let Some((child, parent, exports)) = paths(&item) else { continue };
            dependency.import_values.push(serde_json::json!({"child": child, "parent": parent}));
            match table(&values, &format!("{}.{child}", dependency.name)) {
                None if exports => warnings.push(format!("ImportValues missing table: {child}")),
                None => {
                    let chart = &dependency.name;
                    warnings.push(format!("ImportValues missing table from chart: chart={chart}"));
                }
                Some(found) => tables(&imported, &nested(&parent, found), Mode::Merge, warnings),
            }
        }
    }
    // What a chart says itself wins over what it imports.
    let own = deep_copy(&values);
    tables(&own, &imported, Mode::Merge, warnings);
    chart.set_values(own);
    chart.dependencies = Some(dependencies);
    Ok(())
}

/// Path in the child, path in the parent, and whether it is the short form that names an entry of `exports`.
fn paths(item: &Json) -> Option<(String, String, bool)> {
    match item {
        Json::String(name) => Some((format!("exports.{name}"), ".".to_owned(), true)),
        Json::Object(map) => {
            let path = |key: &str| match map.get(key) {
                Some(Json::String(path)) => path.clone(),
                Some(Json::Null) | None => "<nil>".to_owned(),
                Some(other) => other.to_string(),
            };
            Some((path("child"), path("parent"), false))
        }
        _ => None,
    }
}

/// The tables of a path around `inner`.
fn nested(path: &str, inner: Map) -> Map {
    if path == "." {
        return inner;
    }
    path.rsplit('.').fold(inner, |inner, name| dict([(name, Value::Map(inner))]))
}
