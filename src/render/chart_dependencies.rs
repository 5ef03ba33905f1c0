//! Charts that a chart depends on and does not carry: `helm dependency build`, as far as a render needs it.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotemplate::sprig::semver::{Constraints, Version};
use helm::{Chart, Dependency};

use crate::api::HelmSource;
use crate::flow::{Problem, Tree, TreePath};

use super::chart::ChartWorld;
use super::chart_files::{Vendored, load};
use super::needs::{Got, Need, Stop};
use super::{documents, render_problem, tree_problem};

/// The chart with all that it depends on. What is missing below `charts/` is taken from the folder or repository that
/// `Chart.yaml` names, in the version of `Chart.lock` where there is one.
pub(super) fn complete(world: &ChartWorld<'_>, options: &HelmSource) -> Result<Arc<Chart>, Stop> {
    let caches = &world.context.caches;
    let chart = load(world.tree, world.root, &Vec::new(), caches)?;
    let missing = missing(&chart);
    if missing.is_empty() {
        return Ok(chart);
    }
    let locked = locked(world, &chart)?;
    let mut vendored = Vendored::new();
    let mut needs = Vec::new();
    for dependency in missing {
        let version = match &locked {
            Some(locked) => locked.get(&dependency.name).ok_or_else(|| out_of_sync(&dependency))?.clone(),
            None => dependency.version.clone(),
        };
        match fetched(world, options, &dependency, &version) {
            Ok((tree, root)) => {
                let name = format!("{}-{version}", dependency.name);
                let name = name.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c), "_");
                if !vendored.iter().any(|(known, _, _)| *known == name) {
                    vendored.push((name, tree, root));
                }
            }
            Err(Stop::Needs(more)) => needs.extend(more),
            Err(stop) => return Err(stop),
        }
    }
    if !needs.is_empty() {
        return Err(Stop::Needs(needs));
    }
    Ok(load(world.tree, world.root, &vendored, caches)?)
}

/// What `Chart.yaml` lists and `charts/` does not hold. Entries without a repository cannot be fetched: the renderer
/// names them.
fn missing(chart: &Chart) -> Vec<Dependency> {
    let is_there = |name: &str| chart.subcharts().iter().any(|inner| inner.name() == name);
    let listed = chart.metadata.dependencies.iter().flatten();
    listed.filter(|one| !one.repository.is_empty() && !is_there(&one.name)).cloned().collect()
}

/// Versions by name, from `Chart.lock` or `requirements.lock`; nothing where there is no lock.
fn locked(world: &ChartWorld<'_>, chart: &Chart) -> Result<Option<BTreeMap<String, String>>, Problem> {
    for name in ["Chart.lock", "requirements.lock"] {
        let path = world.root.child(name);
        if !world.tree.is_file(&path).map_err(|error| tree_problem(&error))? {
            continue;
        }
        let text = world.tree.read(&path).map_err(|error| tree_problem(&error))?;
        let lock = documents::read_json_or_yaml(path.as_str(), &text)?.into_iter().next().unwrap_or_default();
        let text = |entry: &serde_json::Value, field: &str| {
            entry.get(field).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
        };
        let entries = lock.get("dependencies").and_then(serde_json::Value::as_array);
        let entries = entries.map(Vec::as_slice).unwrap_or_default();
        let versions: BTreeMap<String, String> =
            entries.iter().map(|entry| (text(entry, "name"), text(entry, "version"))).collect();
        let listed = chart.metadata.dependencies.iter().flatten();
        for one in listed {
            if versions.get(&one.name).is_none_or(|version| !satisfies(version, &one.version)) {
                return Err(out_of_sync(one));
            }
        }
        return Ok(Some(versions));
    }
    Ok(None)
}

fn satisfies(version: &str, range: &str) -> bool {
    match (Version::parse(version), Constraints::parse(if range.is_empty() { "*" } else { range })) {
        (Ok(version), Ok(range)) => range.check(&version),
        _ => version == range,
    }
}

fn out_of_sync(dependency: &Dependency) -> Problem {
    render_problem(format!(
        "error building helm chart dependencies: the lock file (Chart.lock) is out of sync with the dependencies file \
         (Chart.yaml) at {}. Please update the dependencies with 'helm dependency update'",
        dependency.name
    ))
}

/// The files of a dependency: a folder of this tree, or a chart of a repository.
fn fetched(
    world: &ChartWorld<'_>,
    options: &HelmSource,
    dependency: &Dependency,
    version: &str,
) -> Result<(Tree, TreePath), Stop> {
    let name = &dependency.name;
    let failed = |why: String| {
        Stop::from(render_problem(format!("error building helm chart dependencies: {name}: {why}")))
    };
    if let Some(path) = dependency.repository.strip_prefix("file://") {
        let path =
            world.root.join(path.trim_start_matches('/')).map_err(|error| failed(error.to_string()))?;
        let is_chart =
            world.tree.is_file(&path.child("Chart.yaml")).map_err(|error| failed(error.to_string()))?;
        if !is_chart {
            return Err(failed(format!(
                "there is no chart in {path}, which {} names",
                dependency.repository
            )));
        }
        return Ok((world.tree.clone(), path));
    }
    let need = Need::Chart {
        repository: dependency.repository.clone(),
        name: name.clone(),
        version: version.to_owned(),
        pass_credentials: options.pass_credentials,
    };
    match world.given.get(&need) {
        Some(Got::Tree(tree)) => Ok((tree.clone(), TreePath::root())),
        Some(Got::Absent(why) | Got::Refused(why)) => Err(failed(why.clone())),
        Some(Got::File(_)) | None => Err(Stop::Needs(vec![need])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_version_has_to_be_in_the_range() {
        assert!(satisfies("1.2.3", "^1.0.0") && satisfies("1.2.3", "") && satisfies("1.2.3", "1.2.3"));
        assert!(!satisfies("2.0.0", "~1.2") && !satisfies("", "1.0.0"));
    }
}
