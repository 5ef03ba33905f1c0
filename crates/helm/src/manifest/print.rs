//! The text that `helm template` prints.

use std::fmt::Write as _;

use super::split::split_documents;
use super::{Hook, Manifest};
use crate::path_pattern::PathPattern;
use crate::{Error, Result};

/// Writes one document the way Helm writes all of them.
fn write(out: &mut String, source: &str, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "---\n# Source: {source}\n{text}");
}

/// Custom resource definitions first, then manifests, then hooks.
pub(crate) fn release_text(crds: &[(String, String)], manifests: &[Manifest], hooks: &[Hook]) -> String {
    let size: usize = crds.iter().map(|(s, t)| s.len() + t.len() + 20).sum::<usize>()
        + manifests.iter().map(|m| m.source.len() + m.text.len() + 20).sum::<usize>();
    let mut release = String::with_capacity(size);
    for (source, text) in crds {
        write(&mut release, source, text);
    }
    for manifest in manifests {
        write(&mut release, &manifest.source, &manifest.text);
    }
    let mut out = release.trim().to_owned();
    out.push('\n');
    for hook in hooks {
        write(&mut out, &hook.manifest.source, &hook.manifest.text);
    }
    out
}

/// What `--show-only` leaves of a release's text: the documents of the templates that match, pattern by pattern.
///
/// # Errors
/// `could not find template X in chart`.
pub(crate) fn only(text: &str, patterns: &[String]) -> Result<String> {
    let documents = split_documents(text);
    let mut out = String::new();
    for pattern in patterns {
        let compiled = PathPattern::new(pattern);
        let mut found = false;
        for document in &documents {
            let matches =
                compiled.as_ref().is_ok_and(|p| template_path(document).is_some_and(|t| p.matches(t)));
            if matches {
                let _ = writeln!(out, "---\n{document}");
                found = true;
            }
        }
        if !found {
            return Err(Error::input(format!("could not find template {pattern} in chart")));
        }
    }
    Ok(out)
}

/// The path behind `# Source: CHART/`, wherever it stands in the document.
fn template_path(document: &str) -> Option<&str> {
    document.match_indices("# Source: ").find_map(|(at, marker)| {
        let rest = &document[at + marker.len()..];
        let (chart, path) = rest.split_once('/')?;
        let path = path.lines().next().unwrap_or_default();
        (!chart.is_empty() && !path.is_empty()).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn show_only_matches_paths() {
        let text =
            "---\n# Source: c/templates/a.yaml\na: 1\n---\n# Source: c/charts/d/templates/b.yaml\nb: 1\n";
        let show = |p: &str| only(text, &[p.to_owned()]);
        assert_eq!(show("templates/*.yaml").unwrap(), "---\n# Source: c/templates/a.yaml\na: 1\n\n");
        assert_eq!(show("charts/*/templates/b.yaml").unwrap().lines().nth(2), Some("b: 1"));
        assert_eq!(show("x").unwrap_err().to_string(), "could not find template x in chart");
    }
}
