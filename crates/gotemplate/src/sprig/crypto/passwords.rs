//! Password hashes, derived passwords and AES.

use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::super::encodings::base64_decode;
use super::random::fill;
use crate::error::Error;
use crate::exec::Exec;
use crate::func::args;
use crate::value::{Str, Value};

/// Go's default cost of bcrypt.
const COST: u32 = 10;

/// A bcrypt hash, or why there is none, as a text.
pub(super) fn bcrypt(password: &[u8]) -> String {
    if password.len() > 72 {
        return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".to_owned();
    }
    let mut salt = [0; 16];
    let hash = fill(&mut salt)
        .map_err(|e| e.to_string())
        .and_then(|()| bcrypt::hash_with_salt(password, COST, salt).map_err(|e| e.to_string()));
    match hash {
        Ok(parts) => parts.format_for_version(bcrypt::Version::TwoA),
        Err(e) => format!("failed to encrypt string with bcrypt: {e}"),
    }
}

/// A line of a password file.
pub(super) fn htpasswd(user: &Str, password: &Str) -> Result<Value, Error> {
    if user.as_bytes().contains(&b':') {
        return Ok(Value::String([b"invalid username: ", user.as_bytes()].concat().into()));
    }
    let hash = bcrypt(password.as_bytes());
    Ok(Value::String([user.as_bytes(), b":", hash.as_bytes()].concat().into()))
}

/// The scope in which the Master Password algorithm derives.
const SCOPE: &[u8] = b"com.lyndir.masterpassword";

/// The shapes of a password type: each letter names a class of characters.
fn shapes(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

/// The characters of a class.
fn class(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// `derivePassword COUNTER TYPE PASSWORD USER SITE`: always the same password for the same five.
pub(super) fn derive(exec: &mut Exec<'_>, a: &[Value]) -> Result<Value, Error> {
    let counter = match a.first() {
        Some(Value::Uint64(n)) => u32::try_from(*n).ok(),
        _ => u32::try_from(args::int(a, 0)?).ok(),
    };
    let counter = counter.ok_or_else(|| Error::new("wrong type for value; expected uint32; got int"))?;
    let (kind, password, user, site) =
        (args::string(a, 1)?, args::string(a, 2)?, args::string(a, 3)?, args::string(a, 4)?);
    let Some(shapes) = shapes(kind.as_bytes()) else {
        return Ok(Value::from(format!("cannot find password template {kind}")));
    };
    // 32 MiB of scrypt cost about as much as this many steps of a template.
    exec.charge_steps(1_000_000)?;
    let scoped = |name: &Str| [SCOPE, &(name.len() as u32).to_be_bytes(), name.as_bytes()].concat();
    let mut key = [0; 64];
    let derived = scrypt::Params::new(15, 8, 2).map_err(|e| e.to_string()).and_then(|p| {
        scrypt::scrypt(password.as_bytes(), &scoped(user), &p, &mut key).map_err(|e| e.to_string())
    });
    if let Err(e) = derived {
        return Ok(Value::from(format!("failed to derive password: {e}")));
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|e| Error::new(e.to_string()))?;
    mac.update(&scoped(site));
    mac.update(&counter.to_be_bytes());
    let seed = mac.finalize().into_bytes();
    let pick = |from: usize, count: usize| usize::from(seed.get(from).copied().unwrap_or(0)) % count;
    let shape = shapes.get(pick(0, shapes.len())).copied().unwrap_or("");
    let letters = shape.bytes().enumerate().filter_map(|(i, letter)| {
        let chars = class(letter);
        chars.get(pick(i + 1, chars.len())).copied()
    });
    Ok(Value::String(letters.collect::<Vec<u8>>().into()))
}

/// The password cut or filled with zeros to the length of a key.
fn aes_key(password: &Str) -> [u8; 32] {
    let mut key = [0; 32];
    for (to, from) in key.iter_mut().zip(password.as_bytes()) {
        *to = *from;
    }
    key
}

/// AES-256 in CBC mode, the initialisation vector first, in base64.
pub(super) fn encrypt(password: &Str, text: &Str) -> Result<Value, Error> {
    if text.is_empty() {
        return Ok(Value::from(""));
    }
    let mut iv = [0; 16];
    fill(&mut iv)?;
    let cipher = cbc::Encryptor::<Aes256>::new(&aes_key(password).into(), &iv.into());
    let sealed = cipher.encrypt_padded_vec::<Pkcs7>(text.as_bytes());
    Ok(Value::from(STANDARD.encode([iv.as_slice(), &sealed].concat())))
}

/// What [`encrypt`] sealed. As in Go, only the last byte of the padding is looked at.
pub(super) fn decrypt(password: &Str, sealed: &Str) -> Result<Value, Error> {
    if sealed.is_empty() {
        return Ok(Value::from(""));
    }
    let bytes = base64_decode(sealed.as_bytes()).map_err(Error::new)?;
    let out_of_range =
        |range: String| Error::new(format!("runtime error: slice bounds out of range {range}"));
    let Some((iv, body)) = bytes.split_at_checked(16) else {
        // Go reserves three bytes for each four digits.
        return Err(out_of_range(format!("[:16] with capacity {}", sealed.len() / 4 * 3)));
    };
    if body.len() % 16 != 0 {
        return Err(Error::new("crypto/cipher: input not full blocks"));
    }
    if body.is_empty() {
        return Err(Error::new("runtime error: index out of range [-1]"));
    }
    let iv: [u8; 16] = iv.try_into().unwrap_or_default();
    let cipher = cbc::Decryptor::<Aes256>::new(&aes_key(password).into(), &iv.into());
    let plain = cipher
        .decrypt_padded_vec::<NoPadding>(body)
        .map_err(|_| Error::new("crypto/cipher: input not full blocks"))?;
    let padding = plain.last().copied().map_or(0, usize::from);
    match plain.len().checked_sub(padding).and_then(|end| plain.get(..end)) {
        Some(text) => Ok(Value::String(Str::from_bytes(text))),
        None => Err(out_of_range(format!("[:{}]", plain.len() as i64 - padding as i64))),
    }
}
