//! Integers as Go reads them.

use super::NumberError;

/// Go's `ParseUint(s, base, 64)`. Base 0 takes the prefixes `0x`, `0o`, `0b`, `0` and underscores between digits.
///
/// # Errors
/// Not a number in this base, or above 2^64-1.
pub fn parse_uint(s: &[u8], base: u32) -> Result<u64, NumberError> {
    let (digits, radix) = if base == 0 { radix_of(s) } else { (s, base) };
    if s.is_empty() || !(2..=36).contains(&radix) {
        return Err(NumberError::Syntax);
    }
    let (mut n, mut underscores) = (0u64, false);
    for &c in digits {
        if c == b'_' && base == 0 {
            underscores = true;
            continue;
        }
        let d = char::from(c).to_digit(radix).ok_or(NumberError::Syntax)?;
        n = n
            .checked_mul(u64::from(radix))
            .and_then(|n| n.checked_add(u64::from(d)))
            .ok_or(NumberError::Range)?;
    }
    if underscores && !underscores_ok(s) { Err(NumberError::Syntax) } else { Ok(n) }
}

fn radix_of(s: &[u8]) -> (&[u8], u32) {
    match s {
        [b'0', b'b' | b'B', rest @ ..] if !rest.is_empty() => (rest, 2),
        [b'0', b'o' | b'O', rest @ ..] if !rest.is_empty() => (rest, 8),
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => (rest, 16),
        [b'0', rest @ ..] => (rest, 8),
        _ => (s, 10),
    }
}

/// Go's `ParseInt(s, base, 64)`: [`parse_uint`] with an optional sign.
///
/// # Errors
/// Not a number in this base, or outside of `int64`.
pub fn parse_int(s: &[u8], base: u32) -> Result<i64, NumberError> {
    let (negative, rest) = match s {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, s),
    };
    let magnitude = i128::from(parse_uint(rest, base)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).map_err(|_| NumberError::Range)
}

/// Whether underscores stand only between digits, or between a base prefix and a digit.
pub(super) fn underscores_ok(s: &[u8]) -> bool {
    let s = s.strip_prefix(b"-").or_else(|| s.strip_prefix(b"+")).unwrap_or(s);
    let (rest, mut after_digit, hex) = match s {
        [b'0', b'x' | b'X', rest @ ..] => (rest, true, true),
        [b'0', b'b' | b'B' | b'o' | b'O', rest @ ..] => (rest, true, false),
        _ => (s, false, false),
    };
    let mut after_underscore = false;
    for &c in rest {
        let digit = c.is_ascii_digit() || hex && c.is_ascii_hexdigit();
        if c == b'_' && !after_digit || after_underscore && !digit {
            return false;
        }
        after_underscore = c == b'_';
        after_digit = digit;
    }
    !after_underscore
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_go_literals() {
        for (text, want) in [
            ("0", Ok(0)),
            ("017", Ok(15)),
            ("0o17", Ok(15)),
            ("0x_FF", Ok(255)),
            ("0b11", Ok(3)),
            ("1_000", Ok(1000)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("9223372036854775808", Err(NumberError::Range)),
            ("1__0", Err(NumberError::Syntax)),
            ("_1", Err(NumberError::Syntax)),
            ("09", Err(NumberError::Syntax)),
            ("0x", Err(NumberError::Syntax)),
            ("", Err(NumberError::Syntax)),
        ] {
            assert_eq!(parse_int(text.as_bytes(), 0), want, "{text}");
        }
    }
}
