//! The `format` keyword of drafts 4 to 7: those formats that charts use.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a text is of a format; unknown formats allow everything.
///
/// # Errors
/// What is wrong, in the words of Helm's library where they are short.
pub(super) fn check(name: &str, text: &str) -> Result<(), String> {
    match name {
        "ipv4" => ipv4(text),
        "ipv6" => ipv6(text),
        "hostname" => hostname(text),
        "email" => email(text),
        "date" => date(text),
        "time" => time(text),
        "date-time" => date_time(text),
        "uri" | "iri" => uri(text, true),
        "uri-reference" | "iri-reference" => uri(text, false),
        "uuid" => uuid(text),
        "regex" => gotemplate::sprig::go_regex(text).map(drop),
        _ => Ok(()),
    }
}

fn when(ok: bool, message: &str) -> Result<(), String> {
    if ok { Ok(()) } else { Err(message.to_owned()) }
}

fn ipv4(text: &str) -> Result<(), String> {
    let groups: Vec<&str> = text.split('.').collect();
    when(groups.len() == 4, "expected four decimals")?;
    when(!groups.iter().any(|g| g.len() > 1 && g.starts_with('0')), "leading zeros")?;
    when(text.parse::<Ipv4Addr>().is_ok(), "decimal must be between 0 and 255")
}

fn ipv6(text: &str) -> Result<(), String> {
    when(text.contains(':'), "missing colon")?;
    when(!text.contains('%'), "zone id is not a part of ipv6 address")?;
    when(text.parse::<Ipv6Addr>().is_ok(), &format!("ParseAddr({text:?}): unable to parse IP"))
}

fn hostname(text: &str) -> Result<(), String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    when(text.len() <= 253, "more than 253 characters long")?;
    for label in text.split('.') {
        when((1..=63).contains(&label.len()), "label must be 1 to 63 characters long")?;
        when(!label.starts_with('-'), "label starts with hyphen")?;
        when(!label.ends_with('-'), "label ends with hyphen")?;
        if let Some(c) = label.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
            return Err(format!("invalid character {c:?}"));
        }
    }
    Ok(())
}

fn email(text: &str) -> Result<(), String> {
    when(text.len() <= 255, "more than 255 characters long")?;
    let (local, domain) = text.rsplit_once('@').ok_or("missing @")?;
    when(local.len() <= 64, "local part more than 64 characters long")?;
    if !(local.len() > 1 && local.starts_with('"') && local.ends_with('"')) {
        when(!local.starts_with('.'), "starts with dot")?;
        when(!local.ends_with('.'), "ends with dot")?;
        when(!local.contains(".."), "consecutive dots")?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c);
        if let Some(c) = local.chars().find(|c| !allowed(*c)) {
            return Err(format!("invalid character {c:?}"));
        }
    }
    if domain.starts_with('[') && domain.ends_with(']') {
        return Ok(());
    }
    hostname(domain).map_err(|e| format!("invalid domain: {e}"))
}

fn numbers(text: &str, separator: char, lengths: [usize; 3]) -> Option<[u32; 3]> {
    let mut parts = text.split(separator);
    let mut out = [0; 3];
    for (slot, length) in out.iter_mut().zip(lengths) {
        let part = parts.next()?;
        if part.len() != length || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}

fn date(text: &str) -> Result<(), String> {
    let wrong = || format!("parsing time {text:?} as \"2006-01-02\": cannot parse {text:?} as \"2006\"");
    let [year, month, day] = numbers(text, '-', [4, 2, 2]).ok_or_else(wrong)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return Err(format!("parsing time {text:?}: month out of range")),
    };
    when((1..=days).contains(&day), &format!("parsing time {text:?}: day out of range"))
}

fn time(text: &str) -> Result<(), String> {
    when(text.len() >= 9, "less than 9 characters long")?;
    let clock = text.get(..8).and_then(|c| numbers(c, ':', [2, 2, 2]));
    let [hour, minute, second] = clock.ok_or("invalid hour/min/sec")?;
    when(hour < 24 && minute < 60 && second < 61, "hour/min/sec out of range")?;
    let mut rest = text.get(8..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        when(digits > 0, "no digits in second fraction")?;
        rest = fraction.get(digits..).unwrap_or_default();
    }
    if rest.eq_ignore_ascii_case("z") {
        return Ok(());
    }
    when(rest.len() == 6, "offset must be 6 characters long")?;
    when(rest.starts_with(['+', '-']), "offset must begin with plus/minus")?;
    let digits = |range| rest.get(range).and_then(|t: &str| t.parse::<u32>().ok());
    match (digits(1..3), digits(4..6)) {
        (Some(hour), Some(minute)) => when(hour < 24 && minute < 60, "hour/min in offset out of range"),
        _ => Err("invalid hour/min in offset".into()),
    }
}

fn date_time(text: &str) -> Result<(), String> {
    when(text.len() >= 20, "less than 20 characters long")?;
    let (day, rest) = (text.get(..10).unwrap_or_default(), text.get(10..).unwrap_or_default());
    when(rest.starts_with(['t', 'T']), "11th character must be t or T")?;
    date(day).map_err(|e| format!("invalid date element: {e}"))?;
    time(rest.get(1..).unwrap_or_default()).map_err(|e| format!("invalid time element: {e}"))
}

fn uri(text: &str, absolute: bool) -> Result<(), String> {
    when(!text.contains('\\') || absolute, "contains \\")?;
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    let has_scheme = scheme.is_some_and(|s| {
        s.starts_with(|c: char| c.is_ascii_alphabetic())
            && s.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if text.contains([' ', '<', '>', '"']) && text.contains("://") && text.contains(' ') {
        return Err(format!("parse {text:?}: invalid character \" \" in host name"));
    }
    when(has_scheme || !absolute, "relative url")
}

fn uuid(text: &str) -> Result<(), String> {
    let groups: Vec<&str> = text.split('-').collect();
    when(groups.len() == 5, "must have 5 elements")?;
    for (i, (group, length)) in groups.iter().zip([8, 4, 4, 4, 12]).enumerate() {
        if group.len() != length {
            return Err(format!("element {} must be {length} characters long", i + 1));
        }
        if let Some(c) = group.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(format!("non-hex character {c:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn formats() {
        for (name, good, bad) in [
            ("ipv4", "10.0.0.1", "10.0.0.256"),
            ("ipv6", "::1", "10.0.0.1"),
            ("hostname", "a.b-c", "-a"),
            ("email", "a@b.c", "a.b.c"),
            ("date-time", "2024-02-29T10:00:00Z", "2023-02-29T10:00:00Z"),
            ("uri", "http://a/b", "a/b"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
            ("regex", "^a+$", "(?!a)"),
        ] {
            assert!(check(name, good).is_ok(), "{name} {good}");
            assert!(check(name, bad).is_err(), "{name} {bad}");
        }
    }
}
