//! Base64, base32 and checksums.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::error::Error;
use crate::exec::Exec;
use crate::func::{Func, args};
use crate::value::{Str, Type, Value};

const S: &[Type] = &[Type::String];

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::new("b64enc", S, |exec, a| {
        let bytes = charged(exec, a)?;
        Ok(Value::from(STANDARD.encode(bytes)))
    }),
    Func::new("b64dec", S, |exec, a| {
        Ok(Value::String(base64_decode(charged(exec, a)?).map_or_else(Str::from, Str::from)))
    }),
    Func::new("b32enc", S, |exec, a| Ok(Value::from(base32_encode(charged(exec, a)?)))),
    Func::new("b32dec", S, |exec, a| {
        Ok(Value::String(base32_decode(charged(exec, a)?).map_or_else(Str::from, Str::from)))
    }),
    Func::new("sha1sum", S, |exec, a| Ok(Value::from(hex(&Sha1::digest(charged(exec, a)?))))),
    Func::new("sha256sum", S, |exec, a| Ok(Value::from(hex(&Sha256::digest(charged(exec, a)?))))),
    Func::new("sha512sum", S, |exec, a| Ok(Value::from(hex(&Sha512::digest(charged(exec, a)?))))),
    Func::new("adler32sum", S, |exec, a| Ok(Value::from(adler32(charged(exec, a)?).to_string()))),
];

/// The bytes of the argument, charged for the reading.
fn charged<'a>(exec: &mut Exec<'_>, a: &'a [Value]) -> Result<&'a [u8], Error> {
    let bytes = args::string(a, 0)?.as_bytes();
    exec.charge_steps(bytes.len() as u64 / 64)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n & 15)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(*b)]).collect()
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % MODULUS;
        b = (b + a) % MODULUS;
    }
    b << 16 | a
}

/// Go's `base64.StdEncoding.DecodeString`: line breaks are skipped, padding is required.
///
/// # Errors
/// `illegal base64 data at input byte N`.
pub(super) fn base64_decode(text: &[u8]) -> Result<Vec<u8>, String> {
    if let Ok(bytes) = STANDARD.decode(text) {
        return Ok(bytes);
    }
    decode_blocks(text, 4, base64_digit).map_err(|at| format!("illegal base64 data at input byte {at}"))
}

fn base64_digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Decodes blocks of four digits; the error is the position that Go reports.
fn decode_blocks(text: &[u8], block: usize, digit: fn(u8) -> Option<u32>) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len() / block * 3);
    let mut digits: Vec<u32> = Vec::with_capacity(block);
    let mut input = text.iter().copied().enumerate().filter(|(_, b)| !matches!(b, b'\n' | b'\r'));
    while let Some((at, byte)) = input.next() {
        if let Some(value) = digit(byte) {
            digits.push(value);
            if digits.len() == block {
                push_bytes(&mut out, &digits, 3);
                digits.clear();
            }
            continue;
        }
        if byte != b'=' || digits.len() < 2 {
            return Err(at);
        }
        // Padding: `==` after two digits, `=` after three, and nothing behind it.
        if digits.len() == 2 {
            match input.next() {
                Some((_, b'=')) => {}
                Some((second, _)) => return Err(second - 1),
                None => return Err(text.len()),
            }
        }
        if let Some((rest, _)) = input.next() {
            return Err(rest);
        }
        push_bytes(&mut out, &digits, digits.len() - 1);
        return Ok(out);
    }
    if digits.is_empty() { Ok(out) } else { Err(text.len() - digits.len()) }
}

fn push_bytes(out: &mut Vec<u8>, digits: &[u32], count: usize) {
    let bits = (0..4).fold(0, |bits, i| bits << 6 | digits.get(i).copied().unwrap_or(0));
    out.extend_from_slice(bits.to_be_bytes().get(1..1 + count).unwrap_or(&[]));
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32_encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for block in bytes.chunks(5) {
        let bits = (0..5).fold(0_u64, |bits, i| bits << 8 | u64::from(block.get(i).copied().unwrap_or(0)));
        let used = (block.len() * 8).div_ceil(5);
        for i in 0..8 {
            let index = (bits >> (35 - 5 * i) & 31) as usize;
            out.push(if i < used { char::from(BASE32[index]) } else { '=' });
        }
    }
    out
}

/// Go's `base32.StdEncoding.DecodeString`.
fn base32_decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let input: Vec<u8> = text.iter().copied().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
    let corrupt = |at: usize| format!("illegal base32 data at input byte {at}");
    let mut out = Vec::with_capacity(input.len() / 8 * 5);
    let mut pos = 0;
    while pos < input.len() {
        let (mut bits, mut count, mut end) = (0_u64, 0, false);
        while count < 8 {
            let Some(byte) = input.get(pos) else { return Err(corrupt(input.len() - count)) };
            pos += 1;
            if *byte == b'=' && count >= 2 && input.len() - pos < 8 {
                let missing = 8 - count - 1;
                if input.len() - pos < missing {
                    return Err(corrupt(input.len()));
                }
                if let Some(at) = (0..missing).find(|k| input.get(pos + k) != Some(&b'=')) {
                    return Err(corrupt(pos + at - 1));
                }
                // 1, 3 and 6 digits make no whole byte.
                if matches!(count, 1 | 3 | 6) {
                    return Err(corrupt(pos - 1));
                }
                end = true;
                break;
            }
            let Some(value) = BASE32.iter().position(|d| d == byte) else { return Err(corrupt(pos - 1)) };
            bits |= (value as u64) << (35 - 5 * count);
            count += 1;
        }
        let bytes = bits.to_be_bytes();
        out.extend_from_slice(bytes.get(3..3 + count * 5 / 8).unwrap_or(&[]));
        if end {
            return Ok(out);
        }
    }
    Ok(out)
}
