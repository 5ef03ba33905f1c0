//! Kubernetes quantities: `500m`, `2`, `4Gi`, `1e3`.

/// Thousandths of a unit, rounded up as the scheduler does; nothing for a text that is no quantity or is negative.
fn milli(text: &str) -> Option<u128> {
    let text = text.trim();
    let split = text.find(|sign: char| sign.is_ascii_alphabetic()).unwrap_or(text.len());
    let (mut number, mut unit) = text.split_at(split);
    let mut exponent = 0_i32;
    if let Some(power) = unit.strip_prefix(['e', 'E'])
        && let Ok(power) = power.parse::<i32>()
    {
        exponent = power.clamp(-30, 30);
        unit = "";
    }
    number = number.strip_prefix('+').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty()
        || !(whole.to_owned() + fraction).bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let (factor, power): (u128, i32) = match unit {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => return None,
    };
    let fraction = fraction.get(..fraction.len().min(9))?;
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = 3 + power + exponent - i32::try_from(fraction.len()).ok()?;
    let scaled = digits.checked_mul(factor)?;
    if shift >= 0 {
        scaled.checked_mul(10_u128.checked_pow(u32::try_from(shift).ok()?)?)
    } else {
        let divisor = 10_u128.checked_pow(u32::try_from(-shift).ok()?)?;
        Some(scaled.div_ceil(divisor))
    }
}

/// The amount of a resource: CPU in thousandths, everything else in units, rounded up.
/// Beyond 64 bits it is the largest number.
pub(super) fn amount(resource: &str, value: &serde_json::Value) -> Option<u64> {
    let text = match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let milli = milli(&text)?;
    let is_cpu = resource == "cpu" || resource.ends_with(".cpu");
    Some(u64::try_from(if is_cpu { milli } else { milli.div_ceil(1000) }).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_kubernetes_reads() {
        assert_eq!(amount("cpu", &json!("500m")), Some(500));
        assert_eq!(amount("cpu", &json!(2)), Some(2000));
        assert_eq!(amount("cpu", &json!("0.1")), Some(100));
        assert_eq!(amount("memory", &json!("4Gi")), Some(4 << 30));
        assert_eq!(amount("memory", &json!("1.5Gi")), Some(3 << 29));
        assert_eq!(amount("memory", &json!("128974848")), Some(128_974_848));
        assert_eq!(amount("memory", &json!("129e6")), Some(129_000_000));
        assert_eq!(amount("nvidia.com/gpu", &json!("4")), Some(4));
        assert_eq!(amount("memory", &json!("100m")), Some(1));
        assert_eq!(amount("nvidia.com/gpu", &json!("-1")), None);
        assert_eq!(amount("nvidia.com/gpu", &json!("many")), None);
        assert_eq!(amount("memory", &json!("1e30")), Some(u64::MAX));
    }
}
