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

/// As [`glob_matches`], for texts made of parts: `*` and `?` stay inside of a part, `**` goes across, and `{a,b}` is one
/// of some. At most 64 alternatives are looked at; a glob with more matches nothing.
pub fn glob_matches_parts(glob: &str, text: &str, separator: char) -> bool {
    const MOST: usize = 64;
    let mut globs = vec![glob.to_owned()];
    let mut at = 0;
    while let Some(one) = globs.get(at).cloned() {
        match first_braces(&one) {
            Some((before, choices, after)) => {
                globs.swap_remove(at);
                globs.extend(choices.split(',').map(|choice| format!("{before}{choice}{after}")));
            }
            None => at += 1,
        }
        if globs.len() > MOST {
            return false;
        }
    }
    let text: Vec<char> = text.chars().collect();
    globs.iter().any(|glob| one_matches_parts(&glob.chars().collect::<Vec<_>>(), &text, separator))
}

/// The innermost first `{…}` of a glob, and what stands around it.
fn first_braces(glob: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = glob.split_once('}')?;
    let (before, choices) = before.rsplit_once('{')?;
    Some((before, choices, after))
}

/// Goes through the text with the set of all places of the glob that it may be at.
fn one_matches_parts(glob: &[char], text: &[char], separator: char) -> bool {
    let mut places = vec![false; glob.len() + 1];
    let enter = |places: &mut Vec<bool>, mut at: usize| {
        while at <= glob.len() {
            if let Some(place) = places.get_mut(at) {
                *place = true;
            }
            // A star may stand for nothing.
            match glob.get(at) {
                Some('*') => at += 1,
                _ => break,
            }
        }
    };
    enter(&mut places, 0);
    for c in text {
        let mut next = vec![false; glob.len() + 1];
        for at in places.iter().enumerate().filter_map(|(at, on)| on.then_some(at)) {
            if glob.get(at) == Some(&'*') {
                let across = glob.get(at + 1) == Some(&'*')
                    || at.checked_sub(1).is_some_and(|before| glob.get(before) == Some(&'*'));
                if across || *c != separator {
                    enter(&mut next, at);
                }
            } else if (glob.get(at) != Some(&'?') || *c != separator)
                && let Some(after) = match_one(glob, at, *c)
            {
                enter(&mut next, after);
            }
        }
        places = next;
    }
    places.last() == Some(&true)
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
    fn a_star_stays_inside_of_its_part() {
        let matches = |glob: &str, text: &str| glob_matches_parts(glob, text, '/');
        assert!(
            matches("https://host/*", "https://host/a") && !matches("https://host/*", "https://host/a/b")
        );
        assert!(matches("https://host/**", "https://host/a/b") && matches("**/b", "https://host/a/b"));
        assert!(matches("https://host/{a,b*}/x", "https://host/bc/x") && !matches("{a,b}", "c"));
        assert!(matches("a?c", "abc") && !matches("a?c", "a/c") && !matches("{a", "{b"));
        assert!(!matches(&"{a,b}".repeat(40), "a"), "more alternatives than are looked at");
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!glob_matches_parts(&"*a".repeat(50), &"b".repeat(5000), '/'));
        assert!(!glob_matches(&"*a".repeat(50), &"b".repeat(5000)));
    }
}
