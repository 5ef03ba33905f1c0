//! What stands behind the `?` of a reference: `ref`, `version`, `timeout`, `submodules`.

use std::time::Duration;

/// What a query says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) reference: String,
    pub(super) timeout: Option<Duration>,
    pub(super) submodules: bool,
}

impl Query {
    /// Reads a query. One that is not well-formed says nothing at all.
    pub(super) fn parse(text: &str) -> Self {
        let pairs: Option<Vec<(String, String)>> = text.split('&').map(pair).collect();
        let pairs = pairs.unwrap_or_default();
        let get = |name: &str| {
            let first = pairs.iter().find(|(known, _)| known == name);
            first.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        Self {
            reference: get("ref").or_else(|| get("version")).unwrap_or_default().to_owned(),
            timeout: get("timeout").and_then(timeout),
            submodules: !get("submodules")
                .is_some_and(|value| matches!(value, "0" | "f" | "F" | "false" | "FALSE" | "False")),
        }
    }
}

fn pair(text: &str) -> Option<(String, String)> {
    if text.contains(';') {
        return None;
    }
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Some((decode(name)?, decode(value)?))
}

/// Whole seconds, or a duration as Go writes it (`1m30s`, `500ms`); what is neither, or not above zero, says nothing.
fn timeout(text: &str) -> Option<Duration> {
    let seconds = text.parse::<u64>().ok().filter(|_| !text.starts_with('+'));
    let duration = match seconds {
        Some(seconds) => Duration::from_secs(seconds),
        None => go_duration(text)?,
    };
    Some(duration).filter(|duration| !duration.is_zero())
}

fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut sum = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let number: f64 = number.parse().ok()?;
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let factor = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        sum += number * factor;
        rest = after;
    }
    Duration::try_from_secs_f64(sum).ok()
}

/// Takes percent signs and pluses out of a part of a query.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let hex = rest.get(..2).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
                rest = rest.get(2..).unwrap_or_default();
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(*byte),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_as_kustomize_reads_them() {
        let read = |text: &str| {
            let query = Query::parse(text);
            (query.reference, query.timeout.map(|timeout| timeout.as_millis()), query.submodules)
        };
        let none = || (String::new(), None, true);
        assert_eq!(read(""), none());
        assert_eq!(read("ref=v1&timeout=120&submodules=0"), ("v1".into(), Some(120_000), false));
        assert_eq!(read("version=v1&ref=v2&submodules=no"), ("v2".into(), None, true));
        assert_eq!(read("ref=&version=a%2Fb+c"), ("a/b c".into(), None, true));
        for (text, millis) in [
            ("61s", Some(61_000)),
            ("1m30s", Some(90_000)),
            ("1.5h", Some(5_400_000)),
            ("500ms", Some(500)),
            ("0", None),
            ("-3s", None),
            ("3x", None),
            ("s", None),
            ("soon", None),
        ] {
            assert_eq!(read(&format!("timeout={text}")), (String::new(), millis, true), "{text}");
        }
        assert_eq!(read("timeout=&timeout=5"), none(), "the first one counts");
        assert_eq!(read("ref=v1&timeout=%zz"), none(), "not well-formed");
        assert_eq!(read("ref=v1;timeout=1"), none());
    }
}
