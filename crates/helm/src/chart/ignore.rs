//! `.helmignore`: which files of a directory do not belong to the chart.

use crate::path_pattern::PathPattern;

/// Rules in their order, Helm's own last.
#[derive(Debug, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    pattern: PathPattern,
    /// Without a `/` inside, the pattern is compared with the last path element only.
    base_name_only: bool,
    /// `!…`: everything that does not match is ignored.
    negated: bool,
    /// `…/`: only directories match.
    directories_only: bool,
}

/// Longest line that Go's scanner takes.
const MAX_LINE: usize = 64 * 1024;

impl IgnoreRules {
    /// The rules of a `.helmignore` (empty text: none) and Helm's own, which leaves out dot files in `templates/`.
    ///
    /// # Errors
    /// In Helm's words: `**`, or a malformed pattern.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rules = IgnoreRules::default();
        for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
            if line.len() >= MAX_LINE {
                return Err("bufio.Scanner: token too long".into());
            }
            rules.add(line)?;
        }
        rules.add("templates/.?*")?;
        Ok(rules)
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.contains("**") {
            return Err("double-star (**) syntax is not supported".into());
        }
        PathPattern::new(line).map_err(|e| e.to_string())?;
        let (negated, rule) = strip(line, |l| l.strip_prefix('!'));
        let (directories_only, rule) = strip(rule, |r| r.strip_suffix('/'));
        let (rooted, rule) = strip(rule, |r| r.strip_prefix('/'));
        // The parts of a valid pattern may be invalid (`!` alone is not); Go then matches nothing.
        let pattern = PathPattern::new(rule).map_err(|e| e.to_string())?;
        let base_name_only = !rooted && !rule.contains('/');
        self.rules.push(Rule { pattern, base_name_only, negated, directories_only });
        Ok(())
    }

    /// Whether the file at `path` is left out, because of itself or of a directory that it is in.
    pub fn ignores_file(&self, path: &str) -> bool {
        let above = path.match_indices('/').any(|(end, _)| self.ignores(&path[..end], true));
        above || self.ignores(path, false)
    }

    /// Whether the directory at `path`, and so all that is in it, is left out because of its own name.
    pub fn ignores_directory(&self, path: &str) -> bool {
        self.ignores(path, true)
    }

    fn ignores(&self, path: &str, is_directory: bool) -> bool {
        let base_name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        for rule in &self.rules {
            if rule.negated {
                if (rule.directories_only && !is_directory) || !rule.matches(path, base_name) {
                    return true;
                }
            } else if (is_directory || !rule.directories_only) && rule.matches(path, base_name) {
                return true;
            }
        }
        false
    }
}

impl Rule {
    fn matches(&self, path: &str, base_name: &str) -> bool {
        self.pattern.matches(if self.base_name_only { base_name } else { path })
    }
}

fn strip(text: &str, cut: impl Fn(&str) -> Option<&str>) -> (bool, &str) {
    match cut(text) {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignores(rules: &str, path: &str) -> bool {
        IgnoreRules::parse(rules).unwrap().ignores_file(path)
    }

    #[test]
    fn names_paths_and_directories() {
        assert!(ignores("*.bak", "a/b/c.bak"));
        assert!(ignores("/root.txt", "root.txt"));
        assert!(!ignores("/root.txt", "sub/root.txt"));
        assert!(ignores("docs/", "docs/a.md"));
        assert!(!ignores("docs/", "docs"));
        assert!(ignores("a/b.txt", "a/b.txt"));
        assert!(!ignores("a/b.txt", "x/a/b.txt"));
    }

    #[test]
    fn own_rule_and_negation() {
        assert!(ignores("", "templates/.hidden"));
        assert!(!ignores("", "templates/sub/.hidden"));
        assert!(ignores("!*.yaml", "README.md"));
        assert!(!ignores("!*.yaml", "values.yaml"));
    }

    #[test]
    fn double_star_is_refused() {
        assert!(IgnoreRules::parse("a/**").is_err());
        assert!(IgnoreRules::parse("[").is_err());
    }
}
