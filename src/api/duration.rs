//! Durations as users of Argo CD write them.

use std::time::Duration;

/// A duration that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a duration: write a number with a unit, for example \"30s\", \"5m\" or \"1h30m\"")]
pub struct InvalidDuration {
    /// What was written.
    pub text: String,
}

const UNITS: &[(&str, f64)] = &[
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// Reads what Go's `time.ParseDuration` reads, without a sign: `1h30m`, `1.5s`, `0`.
///
/// # Errors
/// For any other text, and for durations beyond Go's range of 290 years.
pub fn parse_go_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration { text: text.to_owned() };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut seconds = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(invalid)?;
        let (number, tail) = rest.split_at(digits);
        let unit_length = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_length);
        let scale = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?.1;
        seconds += number.parse::<f64>().map_err(|_| invalid())? * scale;
        rest = tail;
    }
    // Go's durations are 64-bit nanoseconds.
    if seconds > 9.2e9 {
        return Err(invalid());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| invalid())
}

/// Reads a duration of `retry.backoff`: Go's form, or a bare number of seconds.
///
/// # Errors
/// Where neither form fits.
pub fn parse_retry_duration(text: &str) -> Result<Duration, InvalidDuration> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => parse_go_duration(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_go_durations_and_bare_seconds() {
        assert_eq!(parse_go_duration("1h30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(parse_go_duration("1.5s").unwrap(), Duration::from_millis(1500));
        assert_eq!(parse_retry_duration("5").unwrap(), Duration::from_secs(5));
        for bad in ["", "5", "abc", "5 minutes", "1h-", "s", "99999999h", "1..5s", "-5s"] {
            assert!(parse_go_duration(bad).is_err(), "{bad}");
        }
    }
}
