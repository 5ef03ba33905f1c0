//! Glob patterns of `.Files.Glob`: those of `gobwas/glob` with `/` as separator.
//!
//! `*` is any text without `/`, `**` any text, `?` one character but `/`, `[abc]` and `[a-z]` one of these
//! characters (`[!…]` none of them), `{a,b}` one of these patterns, `\` takes the meaning from the next character.

/// A compiled glob.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    pattern: Sequence,
}

type Sequence = Vec<Token>;

#[derive(Debug, Clone)]
enum Token {
    Text(String),
    Any,
    Super,
    Single,
    List { chars: String, negated: bool },
    Range { lo: char, hi: char, negated: bool },
    AnyOf(Vec<Sequence>),
}

/// Deepest nesting of `{…}`; more is taken for a bad pattern.
const MAX_DEPTH: usize = 32;

/// Longest pattern in bytes: matching recurses once per token.
const MAX_PATTERN: usize = 4096;

/// Most steps of one match: patterns with many stars must not take exponential time.
const MAX_STEPS: u32 = 100_000;

impl Glob {
    /// Compiles a pattern; `None` when it is malformed (Helm then takes `**`).
    pub(crate) fn new(pattern: &str) -> Option<Self> {
        if pattern.len() > MAX_PATTERN {
            return None;
        }
        let mut parser = Parser { rest: pattern, depth: 0 };
        let pattern = parser.sequence()?;
        parser.rest.is_empty().then_some(Glob { pattern })
    }

    /// The glob that matches every name: what Helm takes for a malformed pattern.
    pub(crate) fn any() -> Self {
        Glob { pattern: vec![Token::Super] }
    }

    /// Whether the whole of `name` matches.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let mut steps = 0;
        matches(&Rest { tokens: &self.pattern, then: None }, name, &mut steps)
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn next_if(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Tokens up to the end, or to the `,` or `}` that ends this alternative.
    fn sequence(&mut self) -> Option<Sequence> {
        let mut tokens = Vec::new();
        while let Some(c) = self.rest.chars().next() {
            if self.depth > 0 && matches!(c, ',' | '}') {
                break;
            }
            tokens.push(match c {
                '*' => {
                    self.next();
                    if self.next_if('*') { Token::Super } else { Token::Any }
                }
                '?' => {
                    self.next();
                    Token::Single
                }
                '[' => {
                    self.next();
                    self.class()?
                }
                '{' => {
                    self.next();
                    self.alternatives()?
                }
                _ => Token::Text(self.text()),
            });
        }
        Some(tokens)
    }

    fn alternatives(&mut self) -> Option<Token> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut options = vec![self.sequence()?];
        while self.next_if(',') {
            options.push(self.sequence()?);
        }
        // An unclosed brace is closed by the end of the pattern.
        self.next_if('}');
        self.depth -= 1;
        Some(Token::AnyOf(options))
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.rest.chars().next() {
            if matches!(c, '?' | '*' | '[' | '{') || (self.depth > 0 && matches!(c, ',' | '}')) {
                break;
            }
            self.next();
            if c == '\\' {
                text.extend(self.next());
            } else {
                text.push(c);
            }
        }
        text
    }

    fn class(&mut self) -> Option<Token> {
        let negated = self.next_if('!');
        let mut ahead = self.rest.chars();
        if let (Some(lo), Some('-'), Some(hi)) = (ahead.next(), ahead.next(), ahead.next()) {
            self.rest = ahead.as_str();
            return (self.next_if(']') && hi >= lo).then_some(Token::Range { lo, hi, negated });
        }
        let mut chars = String::new();
        loop {
            match self.next()? {
                ']' => break,
                '\\' => chars.push(self.next()?),
                c => chars.push(c),
            }
        }
        (!chars.is_empty()).then_some(Token::List { chars, negated })
    }
}

/// What is left to match: the tokens of this sequence, then those around it.
struct Rest<'a> {
    tokens: &'a [Token],
    then: Option<&'a Rest<'a>>,
}

fn matches(rest: &Rest<'_>, name: &str, steps: &mut u32) -> bool {
    *steps += 1;
    if *steps > MAX_STEPS {
        return false;
    }
    let Some((token, tokens)) = rest.tokens.split_first() else {
        return match rest.then {
            Some(outer) => matches(outer, name, steps),
            None => name.is_empty(),
        };
    };
    let after = Rest { tokens, then: rest.then };
    match token {
        Token::Text(text) => name.strip_prefix(text.as_str()).is_some_and(|n| matches(&after, n, steps)),
        Token::Any => run(&after, name, steps, |c| c != '/'),
        Token::Super => run(&after, name, steps, |_| true),
        Token::Single => one(&after, name, steps, |c| c != '/'),
        Token::List { chars, negated } => one(&after, name, steps, |c| chars.contains(c) != *negated),
        Token::Range { lo, hi, negated } => {
            one(&after, name, steps, |c| (*lo..=*hi).contains(&c) != *negated)
        }
        Token::AnyOf(options) => {
            options.iter().any(|option| matches(&Rest { tokens: option, then: Some(&after) }, name, steps))
        }
    }
}

fn one(after: &Rest<'_>, name: &str, steps: &mut u32, accepts: impl Fn(char) -> bool) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(accepts) && matches(after, chars.as_str(), steps)
}

fn run(after: &Rest<'_>, name: &str, steps: &mut u32, accepts: impl Fn(char) -> bool) -> bool {
    let mut chars = name.chars();
    loop {
        if matches(after, chars.as_str(), steps) {
            return true;
        }
        if !chars.next().is_some_and(&accepts) {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Glob::new(pattern).unwrap_or_else(Glob::any).matches(name)
    }

    #[test]
    fn stars() {
        assert!(matches("config/*", "config/a.txt"));
        assert!(!matches("config/*", "config/sub/a.txt"));
        assert!(matches("config/**", "config/sub/a.txt"));
        assert!(matches("**.yaml", "x/y.yaml"));
        assert!(!matches("**/*.yaml", "y.yaml"));
    }

    #[test]
    fn alternatives_and_classes() {
        assert!(matches("*.{yaml,yml}", "a.yml"));
        assert!(matches("{a/*,b/**}.txt", "b/c/d.txt"));
        assert!(matches("[a-c].x", "b.x"));
        assert!(matches("[!a-c].x", "d.x"));
        assert!(matches("[abc].x", "a.x"));
        assert!(!matches("?.x", "/.x"));
    }

    #[test]
    fn malformed_is_anything() {
        assert!(matches("[", "any/thing"));
    }

    #[test]
    fn many_stars_end() {
        assert!(!matches(&"*a".repeat(40), &"a".repeat(39)));
    }
}
