//! Shell patterns as Go's `filepath.Match` reads them on Unix: what `.helmignore` and `--show-only` use.

/// A pattern that Go refuses with `syntax error in pattern`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub(crate) struct BadPattern;

/// One compiled pattern. `*` and `?` never match a `/`.
#[derive(Debug, Clone)]
pub(crate) struct PathPattern {
    tokens: Vec<Token>,
    /// The pattern, when it has no special characters: most name one file.
    literal: Option<Box<str>>,
}

#[derive(Debug, Clone)]
enum Token {
    /// `*`: any run of characters but `/`.
    Star,
    /// `?`: one character but `/`.
    One,
    /// A character as it stands.
    Char(char),
    /// `[…]`, or `[^…]` when negated. Unlike `?` it matches `/` too.
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl PathPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// An unclosed or empty class, or a trailing `\`.
    pub(crate) fn new(pattern: &str) -> Result<Self, BadPattern> {
        let mut tokens = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(c) = rest.next() {
            tokens.push(match c {
                '*' => Token::Star,
                '?' => Token::One,
                '\\' => Token::Char(rest.next().ok_or(BadPattern)?),
                '[' => class(&mut rest)?,
                c => Token::Char(c),
            });
        }
        let literal = (!pattern.contains(['*', '?', '\\', '['])).then(|| pattern.into());
        Ok(PathPattern { tokens, literal })
    }

    /// Whether the whole of `name` matches.
    pub(crate) fn matches(&self, name: &str) -> bool {
        if let Some(literal) = &self.literal {
            return **literal == *name;
        }
        let (mut token, mut rest) = (0, name);
        // Where to go on after the last star has taken one character more.
        let mut retry: Option<(usize, &str)> = None;
        loop {
            let mut after = rest.chars();
            match (self.tokens.get(token), after.next()) {
                (None, None) => return true,
                (Some(Token::Star), _) => {
                    retry = Some((token, rest));
                    token += 1;
                    continue;
                }
                (Some(wanted), Some(c)) if wanted.accepts(c) => {
                    token += 1;
                    rest = after.as_str();
                    continue;
                }
                _ => {}
            }
            let Some((star, from)) = retry else { return false };
            let mut longer = from.chars();
            if longer.next().is_none_or(|c| c == '/') {
                return false;
            }
            rest = longer.as_str();
            retry = Some((star, rest));
            token = star + 1;
        }
    }
}

impl Token {
    fn accepts(&self, c: char) -> bool {
        match self {
            Token::Star => false,
            Token::One => c != '/',
            Token::Char(own) => *own == c,
            Token::Class { negated, ranges } => {
                ranges.iter().any(|(lo, hi)| (*lo..=*hi).contains(&c)) != *negated
            }
        }
    }
}

fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Token, BadPattern> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && rest.next_if_eq(&']').is_some() {
            return Ok(Token::Class { negated, ranges });
        }
        let lo = class_char(rest)?;
        let hi = if rest.next_if_eq(&'-').is_some() { class_char(rest)? } else { lo };
        ranges.push((lo, hi));
    }
}

fn class_char(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<char, BadPattern> {
    match rest.next() {
        None | Some('-' | ']') => Err(BadPattern),
        Some('\\') => rest.next().ok_or(BadPattern),
        Some(c) => Ok(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        PathPattern::new(pattern).unwrap().matches(name)
    }

    #[test]
    fn stars_stop_at_slashes() {
        assert!(matches("templates/*.yaml", "templates/a.yaml"));
        assert!(!matches("templates/*.yaml", "templates/sub/a.yaml"));
        assert!(matches("a*b*c", "aXbYbc"));
        assert!(!matches("a*b", "a/b"));
        assert!(matches("templates/.?*", "templates/.git"));
        assert!(!matches("templates/.?*", "templates/."));
    }

    #[test]
    fn classes() {
        assert!(matches("[a-c]x", "bx"));
        assert!(matches("[^a-c]x", "dx"));
        assert!(!matches("[^a-c]x", "ax"));
        assert!(matches("[\\]]", "]"));
        assert!(matches("\\*", "*"));
    }

    #[test]
    fn bad_patterns() {
        for bad in ["[", "[]", "[a", "a\\", "[-x]", "[a-]", "[^]"] {
            assert!(PathPattern::new(bad).is_err(), "{bad}");
        }
    }
}
