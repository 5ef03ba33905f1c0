//! Numbers compared as the decimals that they are written as, so that 0.3 is a multiple of 0.1.

use std::cmp::Ordering;

use serde_json::Number;

/// `digits` × 10^`exponent`, when that fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    digits: i128,
    exponent: i32,
    float: f64,
}

impl Decimal {
    pub(super) fn new(number: &Number) -> Self {
        let text = number.to_string();
        let float = number.as_f64().unwrap_or(f64::NAN);
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}").parse().unwrap_or(0);
        Decimal { digits, exponent: exponent - i32::try_from(fraction.len()).unwrap_or(0), float }
    }

    /// Both with the same exponent.
    fn aligned(self, other: Self) -> Option<(i128, i128)> {
        let low = self.exponent.min(other.exponent);
        let scale = |d: Self| {
            let by = u32::try_from(d.exponent - low).ok()?;
            d.digits.checked_mul(10_i128.checked_pow(by)?)
        };
        Some((scale(self)?, scale(other)?))
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        match self.aligned(other) {
            Some((a, b)) => a.cmp(&b),
            None => self.float.total_cmp(&other.float),
        }
    }

    pub(super) fn is_multiple_of(self, other: Self) -> bool {
        match self.aligned(other) {
            Some((_, 0)) => true,
            Some((a, b)) => a % b == 0,
            None => self.float % other.float == 0.0,
        }
    }

    pub(super) fn is_integer(self) -> bool {
        self.exponent >= 0 || self.is_multiple_of(Decimal { digits: 1, exponent: 0, float: 1.0 })
    }

    /// As it stands in messages.
    pub(super) fn shown(self) -> String {
        let text = format!("{}", self.float);
        let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |t| ("-", t));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.parse().map_or_else(|_| whole.to_owned(), super::failure::grouped);
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::new(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn decimals() {
        assert!(decimal("0.3").is_multiple_of(decimal("0.1")));
        assert!(!decimal("0.35").is_multiple_of(decimal("0.1")));
        assert!(decimal("1e3").is_integer() && decimal("2.0").is_integer() && !decimal("2.5").is_integer());
        assert_eq!(decimal("10").compare(decimal("9.5")), Ordering::Greater);
        assert_eq!(decimal("1000.5").shown(), "1,000.5");
    }
}
