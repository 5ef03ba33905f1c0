//! Random values from the operating system.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Error;
use crate::exec::Exec;
use crate::value::{Str, Value};

pub(super) const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(super) const ALPHABETIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const NUMERIC: &[u8] = b"0123456789";
pub(super) const PRINTABLE: &[u8] =
    b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

/// Fills `buffer` with random bytes.
pub(super) fn fill(buffer: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(buffer).map_err(|e| Error::new(format!("no random bytes from the operating system: {e}")))
}

/// A number below `bound`, each equally likely. `bound` is not 0.
fn below(bound: u64) -> Result<u64, Error> {
    // Numbers above the last whole multiple of the bound would favour small results.
    let zone = u64::MAX - u64::MAX % bound;
    loop {
        let mut bytes = [0; 8];
        fill(&mut bytes)?;
        let n = u64::from_le_bytes(bytes);
        if n < zone {
            return Ok(n % bound);
        }
    }
}

/// `count` characters of `alphabet`; none for a negative count.
pub(super) fn text(exec: &mut Exec<'_>, count: i64, alphabet: &[u8]) -> Result<Value, Error> {
    let count = usize::try_from(count).unwrap_or(0);
    exec.charge_bytes(count as u64)?;
    exec.charge_steps(count as u64)?;
    let size = alphabet.len();
    let accepted = 256 - 256 % size;
    let mut out = Vec::with_capacity(count);
    let mut buffer = [0; 256];
    while out.len() < count {
        fill(&mut buffer)?;
        let usable = buffer.iter().map(|b| usize::from(*b)).filter(|b| *b < accepted);
        out.extend(usable.filter_map(|b| alphabet.get(b % size)).take(count - out.len()));
    }
    Ok(Value::String(out.into()))
}

/// `count` bytes in base64.
pub(super) fn bytes(exec: &mut Exec<'_>, count: i64) -> Result<Value, Error> {
    let count =
        usize::try_from(count).map_err(|_| Error::new("runtime error: makeslice: len out of range"))?;
    exec.charge_bytes((count as u64).saturating_mul(3))?;
    let mut buffer = vec![0; count];
    fill(&mut buffer)?;
    Ok(Value::from(STANDARD.encode(buffer)))
}

/// A number from `low` up to, not including, `high`.
pub(super) fn int(low: i64, high: i64) -> Result<Value, Error> {
    match high.wrapping_sub(low) {
        span @ 1.. => Ok(Value::Int(low.wrapping_add(below(span.unsigned_abs())? as i64))),
        _ => Err(Error::new("invalid argument to Intn")),
    }
}

/// The characters in random order.
pub(super) fn shuffle(text: &Str) -> Result<Value, Error> {
    let mut chars: Vec<char> = text.to_text().chars().collect();
    for i in (1..chars.len()).rev() {
        chars.swap(i, below(i as u64 + 1)? as usize);
    }
    Ok(Value::from(chars.into_iter().collect::<String>()))
}

/// A random UUID (version 4).
pub(super) fn uuid() -> Result<Value, Error> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    let n = u128::from_be_bytes(bytes) & !(0xF << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let hex = format!("{n:032x}");
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or(""));
    Ok(Value::from(groups.join("-")))
}
