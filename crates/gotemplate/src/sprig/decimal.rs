//! Decimal arithmetic as shopspring/decimal 1.4 does it: a float enters by its shortest decimal form, sums and
//! products are exact, quotients have 16 decimal places, and the result goes back to the nearest float.

use num_bigint::BigInt;

/// Decimal places of a quotient.
const DIVISION_PLACES: i64 = 16;
/// Largest power of ten that is computed; more only comes from chains of absurd factors.
const MAX_SCALE: i64 = 100_000;

/// `digits × 10^exponent`.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The shortest decimal that reads back as `f`.
    ///
    /// # Errors
    /// `f` is infinite or not a number.
    pub(super) fn from_f64(f: f64) -> Result<Self, String> {
        if !f.is_finite() {
            let name = if f.is_nan() {
                "NaN"
            } else if f > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(format!("Cannot create a Decimal from {name}"));
        }
        let text = format!("{f:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits =
            format!("{whole}{fraction}").parse().map_err(|_| "can't convert to decimal".to_owned())?;
        let exponent = exponent.parse::<i64>().unwrap_or(0) - fraction.len() as i64;
        Ok(Decimal { digits, exponent })
    }

    /// The nearest float.
    pub(super) fn to_f64(&self) -> f64 {
        let value: f64 = format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(0.0);
        if value == 0.0 { 0.0 } else { value }
    }

    fn at_exponent(&self, exponent: i64) -> Result<BigInt, String> {
        Ok(&self.digits * power_of_ten(self.exponent - exponent)?)
    }

    pub(super) fn add(&self, other: &Self) -> Result<Self, String> {
        let exponent = self.exponent.min(other.exponent);
        Ok(Decimal { digits: self.at_exponent(exponent)? + other.at_exponent(exponent)?, exponent })
    }

    pub(super) fn sub(&self, other: &Self) -> Result<Self, String> {
        self.add(&Decimal { digits: -&other.digits, exponent: other.exponent })
    }

    pub(super) fn mul(&self, other: &Self) -> Result<Self, String> {
        Ok(Decimal { digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent })
    }

    /// Halves are rounded away from zero.
    pub(super) fn div(&self, other: &Self) -> Result<Self, String> {
        if other.digits == BigInt::ZERO {
            return Err("decimal division by 0".to_owned());
        }
        let scale = self.exponent - other.exponent + DIVISION_PLACES;
        let over = &self.digits * power_of_ten(scale.max(0))?;
        let under = &other.digits * power_of_ten((-scale).max(0))?;
        let mut digits = &over / &under;
        let rest = &over % &under;
        if rest.magnitude() * 2_u32 >= *under.magnitude() {
            digits += if over.sign() == under.sign() { 1 } else { -1 };
        }
        Ok(Decimal { digits, exponent: -DIVISION_PLACES })
    }
}

fn power_of_ten(n: i64) -> Result<BigInt, String> {
    match u32::try_from(n) {
        Ok(exponent) if n <= MAX_SCALE => Ok(BigInt::from(10).pow(exponent)),
        _ => Err("overflow in decimal arithmetic".to_owned()),
    }
}
