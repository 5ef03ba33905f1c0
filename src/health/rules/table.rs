//! The tables: which rule a kind has.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Rule;
use super::line::{Arm, Step};
use super::test::Path;

/// The files of rules, by the family of groups that they hold.
const FILES: &[(&str, &str)] = &[
    ("certificates-and-secrets", include_str!("data/certificates-and-secrets.rules")),
    ("cloud-providers", include_str!("data/cloud-providers.rules")),
    ("cluster-management", include_str!("data/cluster-management.rules")),
    ("databases", include_str!("data/databases.rules")),
    ("delivery", include_str!("data/delivery.rules")),
    ("integration", include_str!("data/integration.rules")),
    ("kafka-and-messaging", include_str!("data/kafka-and-messaging.rules")),
    ("machine-learning", include_str!("data/machine-learning.rules")),
    ("networking", include_str!("data/networking.rules")),
    ("observability", include_str!("data/observability.rules")),
    ("storage", include_str!("data/storage.rules")),
    ("workloads", include_str!("data/workloads.rules")),
];

/// The parsed tables.
struct Tables {
    rules: Vec<Rule>,
    exact: BTreeMap<(&'static str, &'static str), usize>,
    /// Rules for groups with a star, by the end of the group; the kind may be `*`.
    suffixes: Vec<(&'static str, &'static str, usize)>,
    problems: Vec<String>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables =
        Tables { rules: Vec::new(), exact: BTreeMap::new(), suffixes: Vec::new(), problems: Vec::new() };
    for (name, text) in FILES {
        tables.read(name, text);
    }
    tables
});

/// The rule of a kind: its own, else one for a group with a star.
pub(super) fn find(group: &str, kind: &str) -> Option<&'static Rule> {
    let tables = &*TABLES;
    let own = tables.exact.get(&(group, kind)).or_else(|| tables.exact.get(&(group, "*"))).copied();
    let index = own.or_else(|| {
        let matches = |(suffix, of, _): &&(&str, &str, usize)| {
            group.len() > suffix.len() && group.ends_with(suffix) && (*of == "*" || *of == kind)
        };
        tables.suffixes.iter().find(matches).map(|(_, _, index)| *index)
    })?;
    tables.rules.get(index)
}

/// Group and kind of every rule, as written: a group may start with `*.`, a kind may be `*`.
pub(in crate::health) fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLES.rules.iter().flat_map(|rule| rule.kinds.iter().copied())
}

impl Tables {
    fn read(&mut self, file: &str, text: &'static str) {
        let mut new_pass = true;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') && !line.starts_with("#.") {
                continue;
            }
            let read = if let Some(kinds) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'))
                && !line.contains(" => ")
            {
                new_pass = true;
                self.start(kinds)
            } else {
                self.rules.last_mut().and_then(|rule| rule.read(line, &mut new_pass))
            };
            if read.is_none() {
                self.problems.push(format!("{file}:{}: {line}", number + 1));
            }
        }
    }

    fn start(&mut self, kinds: &'static str) -> Option<()> {
        let index = self.rules.len();
        let mut rule = Rule::default();
        for name in kinds.split(' ') {
            let (group, kind) = name.split_once('/').unwrap_or(("", name));
            match group.strip_prefix('*') {
                Some(suffix) => self.suffixes.push((suffix, kind, index)),
                None => {
                    if self.exact.insert((group, kind), index).is_some() {
                        self.problems.push(format!("{name} has two rules"));
                    }
                }
            }
            rule.kinds.push((group, kind));
        }
        self.rules.push(rule);
        Some(())
    }
}

impl Rule {
    fn read(&mut self, line: &'static str, new_pass: &mut bool) -> Option<()> {
        if let Some(paths) = line.strip_prefix("needs ") {
            let paths: Option<Vec<Path>> = paths.split(' ').map(Path::parse).collect();
            self.steps.push(Step::Needs(paths?));
            *new_pass = true;
            return Some(());
        }
        if let Some(path) = line.strip_prefix("conditions ") {
            self.conditions = Some(Path::parse(path)?);
            return Some(());
        }
        if line == "---" {
            *new_pass = true;
            return Some(());
        }
        let arm = Arm::parse(line)?;
        if !arm.is_about_condition() {
            self.steps.push(Step::Object(arm));
            *new_pass = true;
        } else if let Some(Step::Pass(arms)) = self.steps.last_mut().filter(|_| !*new_pass) {
            arms.push(arm);
        } else {
            self.steps.push(Step::Pass(vec![arm]));
            *new_pass = false;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_every_table_is_understood() {
        assert_eq!(TABLES.problems, Vec::<String>::new());
    }

    #[test]
    fn every_rule_ends_with_a_line_for_everything_else() {
        for rule in &TABLES.rules {
            let last = rule.steps.last();
            assert!(matches!(last, Some(Step::Object(_))), "{:?}", rule.kinds);
        }
    }
}
