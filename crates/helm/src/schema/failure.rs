//! Failures of a validation and how Helm's library prints them.

/// What kind of node in the tree of failures this is; it decides how the tree is printed and merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// One broken rule.
    Rule,
    /// Several broken rules of one schema.
    Group,
    /// A failed `$ref`: not printed when it has one cause.
    Reference,
}

/// A value that breaks a schema.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// Keys and indexes from the top of the values.
    pub(super) path: Vec<String>,
    pub(super) role: Role,
    pub(super) message: String,
    pub(super) causes: Vec<Failure>,
}

impl Failure {
    /// All failures below the top, one `- at '/path': …` a line, nested ones indented.
    pub(super) fn lines(&self) -> String {
        let mut out = String::new();
        let top = if self.role == Role::Group { self.causes.as_slice() } else { std::slice::from_ref(self) };
        for failure in top {
            failure.print(&mut out, 0);
        }
        out
    }

    fn print(&self, out: &mut String, indent: usize) {
        let mut inner = indent;
        if self.role != Role::Reference || self.causes.len() != 1 {
            if !out.is_empty() {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n("  ", indent));
            out.push_str("- at ");
            out.push_str(&quote(&pointer(&self.path)));
            out.push_str(": ");
            out.push_str(&self.message);
            inner += 1;
        }
        for cause in &self.causes {
            cause.print(out, inner);
        }
    }
}

fn pointer(path: &[String]) -> String {
    path.iter().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect()
}

/// A text in single quotes.
pub(super) fn quote(text: &str) -> String {
    let quoted = gotemplate::strconv::quote(text.as_bytes()).replace("\\\"", "\"").replace('\'', "\\'");
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    format!("'{inner}'")
}

/// Several of them.
pub(super) fn quoted_list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    texts.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// A number with commas between groups of three digits, as in English text.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}
