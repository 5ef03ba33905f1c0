//! Globs as Argo CD's lists use them.

/// Whether a text matches a glob: `*` is any run of characters (slashes included), `?` any one character, and
/// `[abc]`, `[a-z]`, `[!a]` one of some. Takes time in proportion to the product of both lengths at most.
pub fn glob_matches(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut g, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if glob.get(g) == Some(&'*') {
            retry = Some((g, t));
            g += 1;
        } else if let Some(next) = text.get(t).and_then(|c| match_one(&glob, g, *c)) {
            g = next;
            t += 1;
        } else if let Some((star, at)) = retry {
            retry = Some((star, at + 1));
            (g, t) = (star + 1, at + 1);
        } else {
            return false;
        }
    }
    glob.iter().skip(g).all(|c| *c == '*')
}

/// Matches one character at a place of the glob, and gives the place after it.
fn match_one(glob: &[char], at: usize, c: char) -> Option<usize> {
    match glob.get(at)? {
        '?' => Some(at + 1),
        '[' => match_class(glob, at, c),
        '\\' => (glob.get(at + 1) == Some(&c)).then_some(at + 2),
        other => (*other == c).then_some(at + 1),
    }
}

fn match_class(glob: &[char], at: usize, c: char) -> Option<usize> {
    let end = at + 1 + glob.iter().skip(at + 1).position(|c| *c == ']')?;
    let mut class = glob.get(at + 1..end)?;
    let negated = matches!(class.first(), Some('!' | '^'));
    if negated {
        class = class.get(1..)?;
    }
    let mut found = false;
    let mut rest = class;
    while let Some(first) = rest.first() {
        if let [from, '-', to, ..] = rest {
            found |= (*from..=*to).contains(&c);
            rest = rest.get(3..).unwrap_or_default();
        } else {
            found |= *first == c;
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_argo_cd_does() {
        for (glob, text) in [
            ("*", ""),
            ("*", "apps"),
            ("*.example.com/*", "a.example.com/b/c"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[!a]x", "bx"),
            ("", ""),
            ("https://*", "https://host/path"),
        ] {
            assert!(glob_matches(glob, text), "{glob} {text}");
        }
        for (glob, text) in [("", "apps"), ("a*b", "ac"), ("[a-c]x", "dx"), ("[", "["), ("a", "ab")] {
            assert!(!glob_matches(glob, text), "{glob} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!glob_matches(&"*a".repeat(50), &"b".repeat(5000)));
    }
}
