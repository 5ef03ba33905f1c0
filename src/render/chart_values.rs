//! The values of a chart from `spec.source.helm`: value files of this and other sources and of the web, the block or
//! mapping, parameters.

use std::sync::Arc;

use helm::ValuesLayer;

use crate::api::{HelmParameter, HelmSource};
use crate::flow::{EntryKind, Tree, TreePath};
use crate::object::glob_matches;

use super::chart::ChartWorld;
use super::chart_files::MOST_FILES;
use super::needs::{Got, Need, Stop};
use super::{render_problem, tree_problem};

/// Values in Argo CD's order: value files, then the block or mapping, then parameters, then file parameters.
pub(super) fn layers(world: &ChartWorld<'_>, options: &HelmSource) -> Result<Vec<ValuesLayer>, Stop> {
    let mut layers = Vec::new();
    let mut needs = Vec::new();
    for name in &options.value_files {
        match value_files(world, name, options.ignore_missing_value_files) {
            Ok(found) => layers.extend(found),
            Err(Stop::Needs(more)) => needs.extend(more),
            Err(stop) => return Err(stop),
        }
    }
    match &options.values_object {
        Some(serde_json::Value::Object(values)) => layers.push(ValuesLayer::Map(values.clone())),
        Some(_) => return Err(render_problem("spec.source.helm.valuesObject is not a mapping").into()),
        None if !options.values.is_empty() => {
            let data = options.values.as_bytes().to_vec().into();
            layers.push(ValuesLayer::File { name: "spec.source.helm.values".into(), data });
        }
        None => {}
    }
    layers.extend(parameters(world, options));
    match file_parameters(world, options) {
        Ok(found) => layers.extend(found),
        Err(Stop::Needs(more)) => needs.extend(more),
        Err(stop) => return Err(stop),
    }
    if needs.is_empty() { Ok(layers) } else { Err(Stop::Needs(needs)) }
}

fn parameters(world: &ChartWorld<'_>, options: &HelmSource) -> Vec<ValuesLayer> {
    let last_of_name = |index: usize, parameter: &HelmParameter| {
        let later = options.parameters.iter().skip(index + 1);
        !later
            .clone()
            .any(|other| other.name == parameter.name && other.force_string == parameter.force_string)
    };
    let set = options.parameters.iter().enumerate().filter(|(index, one)| last_of_name(*index, one));
    let layers = set.map(|(_, one)| {
        let text = format!("{}={}", one.name, escaped(&world.env.substitute(&one.value)));
        if one.force_string { ValuesLayer::SetString(text) } else { ValuesLayer::Set(text) }
    });
    layers.collect()
}

/// A comma would start another parameter: it is escaped, but in a list (`{a,b}`) and where it is already.
fn escaped(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut before = '\0';
    for character in value.chars() {
        if character == ',' && before != '\\' {
            out.push('\\');
        }
        out.push(character);
        before = character;
    }
    out
}

fn file_parameters(world: &ChartWorld<'_>, options: &HelmSource) -> Result<Vec<ValuesLayer>, Stop> {
    let mut layers = Vec::new();
    let mut needs = Vec::new();
    for parameter in &options.file_parameters {
        let content = match place(world, &parameter.path) {
            Ok(Place::File(content)) => content,
            Ok(Place::In(tree, path)) => {
                tree.read(&path).map(Arc::from).map_err(|error| tree_problem(&error))?
            }
            Err(Stop::Needs(more)) => {
                needs.extend(more);
                continue;
            }
            Err(stop) => return Err(stop),
        };
        let text = format!("{}={}", parameter.name, escaped(&parameter.path));
        let layer = ValuesLayer::set_file(&text, |_| Ok(String::from_utf8_lossy(&content).into_owned()));
        let invalid = |error| render_problem(format!("spec.source.helm.fileParameters: {error}"));
        layers.push(layer.map_err(invalid)?);
    }
    if needs.is_empty() { Ok(layers) } else { Err(Stop::Needs(needs)) }
}

/// Where a value file is.
enum Place {
    /// In a tree: this one, or that of another source.
    In(Tree, TreePath),
    /// On the web; this is its content.
    File(Arc<[u8]>),
}

/// The layers of an entry of `valueFiles`: one, or those of all files that a glob matches.
fn value_files(world: &ChartWorld<'_>, name: &str, may_miss: bool) -> Result<Vec<ValuesLayer>, Stop> {
    let refused = |why: &str| Err(Stop::from(render_problem(format!("value file \"{name}\" {why}"))));
    let (tree, path) = match place(world, name)? {
        Place::File(data) => return Ok(vec![ValuesLayer::File { name: name.to_owned(), data }]),
        Place::In(tree, path) => (tree, path),
    };
    let found =
        tree.is_file(&path).map_err(|error| render_problem(format!("value file \"{name}\": {error}")))?;
    let is_glob = path.as_str().contains(['*', '?', '[']);
    let paths = match (found, is_glob) {
        (true, _) => vec![path],
        (false, true) => matching(&tree, &path)?,
        (false, false) => Vec::new(),
    };
    if paths.is_empty() && !may_miss {
        let what = if is_glob { "matches no file" } else { "does not exist" };
        return refused(&format!("{what} in this revision; set ignoreMissingValueFiles to go on without it"));
    }
    let mut layers = Vec::new();
    for path in paths {
        let data = tree.read(&path).map_err(|error| tree_problem(&error))?;
        layers.push(ValuesLayer::File { name: path.as_str().to_owned(), data: data.into() });
    }
    Ok(layers)
}

/// Finds what a name means: `$ref/path` of another source, an address, or a path in this tree, where a leading slash is
/// the root of the repository.
fn place(world: &ChartWorld<'_>, name: &str) -> Result<Place, Stop> {
    let problem = |why: String| Stop::from(render_problem(format!("value file \"{name}\": {why}")));
    if let Some((tree, rest)) = referenced(world, name)? {
        let path = TreePath::root()
            .join(&world.env.substitute(&rest))
            .map_err(|error| problem(error.to_string()))?;
        return Ok(Place::In(tree, path));
    }
    let text = world.env.substitute(name);
    if let Some(scheme) = scheme_of(&text) {
        let allowed = &world.context.values_file_schemes;
        if !allowed.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
            return Err(problem(format!(
                "the URL scheme '{scheme}' is not allowed; helm.valuesFileSchemes of argocd-cm lists what is"
            )));
        }
        let need = Need::ValueFile(text);
        return match world.given.get(&need) {
            Some(Got::File(content)) => Ok(Place::File(Arc::clone(content))),
            Some(Got::Absent(why) | Got::Refused(why)) => Err(problem(why.clone())),
            Some(Got::Tree(_)) => Err(problem("it is a folder".into())),
            None => Err(Stop::Needs(vec![need])),
        };
    }
    let path = world.root.join(&text).map_err(|error| problem(error.to_string()))?;
    Ok(Place::In(world.tree.clone(), path))
}

/// The tree of the source that `$ref/path` means, and the path there. Where the application has one source, a dollar
/// starts a variable.
fn referenced(world: &ChartWorld<'_>, name: &str) -> Result<Option<(Tree, String)>, Stop> {
    let (Some(rest), Some(known)) = (name.strip_prefix('$'), &world.context.refs) else { return Ok(None) };
    let (reference, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !known.iter().any(|one| one == reference) {
        let message = if known.is_empty() {
            format!("source referenced \"${reference}\", but no source has a 'ref' field defined")
        } else {
            let all: Vec<String> = known.iter().map(|one| format!("${one}")).collect();
            format!(
                "source referenced \"${reference}\", which is not one of the available sources ({})",
                all.join(", ")
            )
        };
        return Err(render_problem(message).into());
    }
    let need = Need::Source(reference.to_owned());
    match world.given.get(&need) {
        Some(Got::Tree(tree)) => Ok(Some((tree.clone(), format!("/{path}")))),
        Some(Got::Absent(why) | Got::Refused(why)) => Err(render_problem(why.clone()).into()),
        Some(Got::File(_)) | None => Err(Stop::Needs(vec![need])),
    }
}

/// The scheme of an address; nothing for a path.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let starts = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    (starts && scheme.chars().all(is_scheme)).then_some(scheme)
}

fn matching(tree: &Tree, glob: &TreePath) -> Result<Vec<TreePath>, Stop> {
    let fixed: Vec<&str> = glob.parts().take_while(|part| !part.contains(['*', '?', '['])).collect();
    let folder = TreePath::parse(&fixed.join("/")).map_err(|error| tree_problem(&error))?;
    if tree.find(&folder).map_err(|error| tree_problem(&error))?.is_none() {
        return Ok(Vec::new());
    }
    let walked = tree.walk(&folder, MOST_FILES).map_err(|error| tree_problem(&error))?;
    let files = walked.into_iter().filter(|(_, kind)| *kind == EntryKind::File).map(|(path, _)| path);
    let mut found: Vec<TreePath> = files.filter(|path| glob_matches(glob.as_str(), path.as_str())).collect();
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_are_escaped_as_argo_cd_does() {
        let cases =
            [("a,b", "a\\,b"), ("{a,b}", "{a,b}"), ("a\\,b", "a\\,b"), ("a,,b", "a\\,\\,b"), ("", "")];
        for (value, expected) in cases {
            assert_eq!(escaped(value), expected, "{value}");
        }
    }

    #[test]
    fn a_scheme_is_what_go_takes_for_one() {
        assert_eq!(scheme_of("https://host/x"), Some("https"));
        assert_eq!(scheme_of("values:prod.yaml"), Some("values"));
        for path in ["values.yaml", "a/b:c", "/x:y", "1a:b", ""] {
            assert_eq!(scheme_of(path), None, "{path}");
        }
    }
}
