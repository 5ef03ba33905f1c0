//! Integer and floating-point arithmetic. Every function takes whatever `int64` or `float64` can convert.

use super::conversions::{to_float64, to_int64};
use super::decimal::Decimal;
use crate::error::Error;
use crate::exec::Exec;
use crate::func::{Call, Func, args};
use crate::value::{List, Type, Value, types};

const ONE: &[Type] = &[Type::Any];
const TWO: &[Type] = &[Type::Any, Type::Any];

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::new("add1", ONE, |_, a| Ok(Value::Int64(int(a, 0).wrapping_add(1)))),
    Func::variadic("add", &[], Type::Any, |_, a| {
        Ok(Value::Int64(a.iter().fold(0, |sum, v| sum.wrapping_add(to_int64(v)))))
    }),
    Func::new("sub", TWO, |_, a| Ok(Value::Int64(int(a, 0).wrapping_sub(int(a, 1))))),
    Func::variadic("mul", ONE, Type::Any, |_, a| {
        Ok(Value::Int64(a.iter().fold(1, |product, v| product.wrapping_mul(to_int64(v)))))
    }),
    Func::new("div", TWO, |_, a| divide(a, i64::wrapping_div)),
    Func::new("mod", TWO, |_, a| divide(a, i64::wrapping_rem)),
    Func::new("add1f", ONE, |_, a| fold(&[args::any(a, 0), Value::Int(1)], Decimal::add)),
    Func::variadic("addf", &[], Type::Any, |_, a| fold(&[&[Value::Float64(0.0)], a].concat(), Decimal::add)),
    Func::variadic("subf", ONE, Type::Any, |_, a| fold(a, Decimal::sub)),
    Func::variadic("mulf", ONE, Type::Any, |_, a| fold(a, Decimal::mul)),
    Func::variadic("divf", ONE, Type::Any, |_, a| fold(a, Decimal::div)),
    Func::variadic("max", ONE, Type::Any, MAX),
    Func::variadic("biggest", ONE, Type::Any, MAX),
    Func::variadic("min", ONE, Type::Any, |_, a| {
        Ok(Value::Int64(a.iter().map(to_int64).min().unwrap_or_default()))
    }),
    Func::variadic("maxf", ONE, Type::Any, |_, a| {
        Ok(Value::Float64(a.iter().map(to_float64).reduce(larger).unwrap_or_default()))
    }),
    Func::variadic("minf", ONE, Type::Any, |_, a| {
        Ok(Value::Float64(a.iter().map(to_float64).reduce(smaller).unwrap_or_default()))
    }),
    Func::new("ceil", ONE, |_, a| Ok(Value::Float64(float(a, 0).ceil()))),
    Func::new("floor", ONE, |_, a| Ok(Value::Float64(float(a, 0).floor()))),
    Func::variadic("round", &[Type::Any, Type::Int], Type::Float64, |_, a| {
        let half = if a.len() > 2 { args::float(a, 2)? } else { 0.5 };
        Ok(Value::Float64(round(float(a, 0), args::int(a, 1)?, half)))
    }),
    Func::new("until", &[Type::Int], |exec, a| {
        let stop = args::int(a, 0)?;
        until(exec, 0, stop, if stop < 0 { -1 } else { 1 })
    }),
    Func::new("untilStep", &[Type::Int, Type::Int, Type::Int], |exec, a| {
        until(exec, args::int(a, 0)?, args::int(a, 1)?, args::int(a, 2)?)
    }),
    Func::variadic("seq", &[], Type::Int, seq),
];

const MAX: Call = |_, a| Ok(Value::Int64(a.iter().map(to_int64).max().unwrap_or_default()));

fn int(a: &[Value], index: usize) -> i64 {
    a.get(index).map_or(0, to_int64)
}

fn float(a: &[Value], index: usize) -> f64 {
    a.get(index).map_or(0.0, to_float64)
}

fn divide(a: &[Value], operation: fn(i64, i64) -> i64) -> Result<Value, Error> {
    match int(a, 1) {
        0 => Err(Error::new("runtime error: integer divide by zero")),
        divisor => Ok(Value::Int64(operation(int(a, 0), divisor))),
    }
}

/// Combines all arguments from left to right in decimal.
fn fold(a: &[Value], operation: fn(&Decimal, &Decimal) -> Result<Decimal, String>) -> Result<Value, Error> {
    let mut numbers = a.iter().map(|v| Decimal::from_f64(to_float64(v)));
    let mut total = numbers.next().unwrap_or_else(|| Decimal::from_f64(0.0)).map_err(Error::new)?;
    for number in numbers {
        total = operation(&total, &number.map_err(Error::new)?).map_err(Error::new)?;
    }
    Ok(Value::Float64(total.to_f64()))
}

/// `math.Max`: NaN if either is, positive zero over negative zero.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_infinite() && a > 0.0 || b.is_infinite() && b > 0.0 {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        if a.is_sign_negative() { b } else { a }
    } else {
        a.max(b)
    }
}

/// `math.Min`.
fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

/// Rounds to `places`; a fraction of at least `half` goes up. Negative numbers keep Go's peculiarity: their
/// fraction is negative, so they are cut towards minus infinity.
fn round(value: f64, places: i64, half: f64) -> f64 {
    let power = power_of_ten(places);
    let shifted = power * value;
    let fraction = if shifted.is_infinite() { f64::NAN } else { shifted.fract() };
    let rounded = if fraction >= half { shifted.ceil() } else { shifted.floor() };
    rounded / power
}

/// `math.Pow(10, n)` bit for bit: repeated squaring of the fraction, the exponent kept apart.
fn power_of_ten(n: i64) -> f64 {
    // 10 = 0.625 × 2^4
    let (mut base, mut base_exponent) = (0.625_f64, 4_i64);
    let (mut result, mut exponent) = (1.0_f64, 0_i64);
    let mut bits = n.unsigned_abs();
    while bits != 0 {
        if base_exponent.abs() > 1 << 12 {
            exponent += base_exponent;
            break;
        }
        if bits & 1 == 1 {
            result *= base;
            exponent += base_exponent;
        }
        base *= base;
        base_exponent <<= 1;
        if base < 0.5 {
            base += base;
            base_exponent -= 1;
        }
        bits >>= 1;
    }
    if n < 0 {
        result = 1.0 / result;
        exponent = -exponent;
    }
    // Two steps, so that a subnormal result is rounded once.
    let exponent = exponent.clamp(-2_100, 2_100) as i32;
    result * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2)
}

/// How many numbers `start`, `start + step`, … come before `stop`.
fn count(start: i64, stop: i64, step: i64) -> u64 {
    let span = i128::from(stop) - i128::from(start);
    let step = i128::from(step);
    if step == 0 || span == 0 || (span < 0) != (step < 0) {
        return 0;
    }
    u64::try_from((span.abs() + step.abs() - 1) / step.abs()).unwrap_or(u64::MAX)
}

fn until(exec: &mut Exec<'_>, start: i64, stop: i64, step: i64) -> Result<Value, Error> {
    let count = count(start, stop, step);
    exec.charge_bytes(count.saturating_mul(size_of::<Value>() as u64))?;
    exec.charge_steps(count)?;
    let numbers = (0..count as i64).map(|i| Value::Int(start.wrapping_add(i.wrapping_mul(step))));
    Ok(Value::List(List::of(&types::INT_LIST, numbers.collect())))
}

/// `seq end`, `seq start end` or `seq start step end`, the end included, as text.
fn seq(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let at = |index| args::int(a, index);
    let (start, step, end) = match a.len() {
        1 => (1, None, at(0)?),
        2 => (at(0)?, None, at(1)?),
        3 => (at(0)?, Some(at(1)?), at(2)?),
        _ => return Ok(Value::from("")),
    };
    let direction = if end < start { -1 } else { 1 };
    let step = step.unwrap_or(direction);
    if direction < 0 && step > 0 {
        return Ok(Value::from(""));
    }
    let count = count(start, end.wrapping_add(direction), step);
    let width = start.unsigned_abs().max(end.unsigned_abs()).checked_ilog10().unwrap_or(0) + 3;
    exec.charge_bytes(count.saturating_mul(u64::from(width)))?;
    exec.charge_steps(count)?;
    let mut text = String::new();
    for i in 0..count as i64 {
        if i > 0 {
            text.push(' ');
        }
        text.push_str(&start.wrapping_add(i.wrapping_mul(step)).to_string());
    }
    Ok(Value::from(text))
}
