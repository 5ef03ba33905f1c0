//! `cargo xtask crds`: the files of `crds/`, as the binary prints them.

use std::fs;
use std::process::Command;

use crate::console;
use crate::error::{Context, Error, Result};
use crate::operator::Operator;
use crate::paths;

/// Writes `crds/*.yaml`, or with `check` fails where a file differs from what the binary prints.
pub fn run(check: bool) -> Result<()> {
    let operator = Operator::build(false)?;
    let output = Command::new(operator.binary()).arg("crds").output().context("running tiphys crds")?;
    if !output.status.success() {
        return Err(Error::new(format!("tiphys crds failed:\n{}", String::from_utf8_lossy(&output.stderr))));
    }
    let printed = String::from_utf8(output.stdout).context("the output of tiphys crds")?;
    let folder = paths::workspace().join("crds");
    fs::create_dir_all(&folder).context("making crds/")?;
    let mut expected = Vec::new();
    for document in documents(&printed) {
        let name = plural(document).context("a CRD without spec.names.plural")?;
        let file = folder.join(format!("{name}.yaml"));
        if check {
            let committed = fs::read_to_string(&file).unwrap_or_default();
            if committed != document {
                return Err(Error::new(format!("crds/{name}.yaml is out of date: run `cargo xtask crds`")));
            }
        } else {
            fs::write(&file, document).context(file.display())?;
            console::line(format!("crds/{name}.yaml"));
        }
        expected.push(file);
    }
    for entry in fs::read_dir(&folder).context("reading crds/")? {
        let file = entry.context("reading crds/")?.path();
        if file.extension().is_some_and(|extension| extension == "yaml") && !expected.contains(&file) {
            return Err(Error::new(format!("{} is not printed by tiphys crds: remove it", file.display())));
        }
    }
    Ok(())
}

/// The documents of a YAML stream, each ending in one newline.
fn documents(stream: &str) -> Vec<&str> {
    stream
        .split("---\n")
        .map(|document| document.trim_start_matches('\n'))
        .filter(|document| document.lines().any(|line| !line.starts_with('#') && !line.trim().is_empty()))
        .collect()
}

/// The value of `metadata.name` up to its first dot: the CRD's plural name.
fn plural(document: &str) -> Option<&str> {
    let name = document.lines().find_map(|line| line.strip_prefix("  name: "))?;
    name.split('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_split_into_documents_that_name_themselves() {
        let stream = "---\n# generated\nkind: A\nmetadata:\n  name: as.x.io\n---\nkind: B\nmetadata:\n  name: bs.x.io\n";
        let names: Vec<_> = documents(stream).into_iter().map(|d| plural(d).unwrap()).collect();
        assert_eq!(names, ["as", "bs"]);
    }
}
