//! Private keys: making, reading and writing them in the forms that Go's `crypto/x509` uses.

use der::asn1::UintRef;
use der::{Encode, Sequence};
use dsa::Components;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use p256::elliptic_curve::Generate;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey};

use super::{pem, random};
use crate::error::Error;
use crate::exec::Exec;
use crate::value::{Str, Value};

/// A private key that can sign certificates.
pub(super) enum Key {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::SecretKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// The random numbers of the operating system.
fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// DSA keys have no standard of their own; OpenSSL's form is this sequence.
#[derive(Sequence)]
struct DsaKey<'a> {
    version: u8,
    p: UintRef<'a>,
    q: UintRef<'a>,
    g: UintRef<'a>,
    y: UintRef<'a>,
    x: UintRef<'a>,
}

fn failed(what: &str, e: impl std::fmt::Display) -> Error {
    Error::new(format!("{what}: {e}"))
}

/// `genPrivateKey`: `rsa` (or nothing), `dsa`, `ecdsa` or `ed25519`.
pub(super) fn generate_pem(exec: &mut Exec<'_>, kind: &Str) -> Result<Value, Error> {
    let key = match kind.as_bytes() {
        b"" | b"rsa" => Key::generate_rsa(exec, 4_096)?,
        b"ecdsa" => Key::P256(p256::SecretKey::generate_from_rng(&mut rng())),
        b"ed25519" => {
            let mut secret = [0; 32];
            random::fill(&mut secret)?;
            Key::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&secret)))
        }
        b"dsa" => return generate_dsa(exec),
        _ => return Ok(Value::from(format!("Unknown type {kind}"))),
    };
    Ok(Value::from(key.to_pem()?))
}

fn generate_dsa(exec: &mut Exec<'_>) -> Result<Value, Error> {
    exec.charge_steps(20_000_000)?;
    let why = "failed to generate dsa params";
    #[allow(deprecated, reason = "the size that sprig asks for")]
    let size = dsa::KeySize::DSA_2048_256;
    let components =
        Components::try_generate_from_rng_with_key_size(&mut SysRng, size).map_err(|e| failed(why, e))?;
    let key = dsa::SigningKey::try_generate_from_rng_with_components(&mut SysRng, components)
        .map_err(|e| failed(why, e))?;
    let public = key.verifying_key();
    let components = public.components();
    let numbers = [
        components.p().to_be_bytes(),
        components.q().to_be_bytes(),
        components.g().to_be_bytes(),
        public.y().to_be_bytes(),
        key.x().to_be_bytes(),
    ];
    let [p, q, g, y, x] = numbers.each_ref().map(|n| UintRef::new(n));
    let asn1 = |e| failed(why, e);
    let sequence = DsaKey {
        version: 0,
        p: p.map_err(asn1)?,
        q: q.map_err(asn1)?,
        g: g.map_err(asn1)?,
        y: y.map_err(asn1)?,
        x: x.map_err(asn1)?,
    };
    Ok(Value::from(pem::encode("DSA PRIVATE KEY", &sequence.to_der().map_err(asn1)?)))
}

impl Key {
    /// A new RSA key. It takes time, which the execution is charged for.
    pub(super) fn generate_rsa(exec: &mut Exec<'_>, bits: usize) -> Result<Key, Error> {
        exec.charge_steps(bits as u64 * bits as u64)?;
        let key = RsaPrivateKey::new(&mut rng(), bits).map_err(|e| failed("error generating rsa key", e))?;
        Ok(Key::Rsa(Box::new(key)))
    }

    /// A key that the template gives as PEM.
    pub(super) fn given(text: &Str) -> Result<Key, Error> {
        Key::from_pem(text.as_bytes()).map_err(|e| Error::new(format!("parsing private key: {e}")))
    }

    /// Reads PKCS#1, PKCS#8 or SEC 1.
    pub(super) fn from_pem(text: &[u8]) -> Result<Key, String> {
        let block = pem::decode(text).ok_or("no PEM data in input")?;
        match block.label.strip_suffix("PRIVATE KEY").map(str::trim_end) {
            Some("") => Key::from_pkcs8(&block.der).ok_or_else(|| {
                "decoding PEM as PKCS#8: x509: PKCS#8 wrapping contained private key with unknown algorithm".to_owned()
            }),
            Some("RSA") => RsaPrivateKey::from_pkcs1_der(&block.der)
                .map(|k| Key::Rsa(Box::new(k)))
                .map_err(|e| format!("parsing RSA private key from PEM: {e}")),
            Some("EC") => p256::SecretKey::from_sec1_der(&block.der)
                .map(Key::P256)
                .map_err(|e| format!("parsing EC private key from PEM: {e}")),
            Some(_) => Err(format!("invalid private key type {}", block.label)),
            None => Err(format!("no private key data in PEM block of type {}", block.label)),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Option<Key> {
        if let Ok(key) = RsaPrivateKey::from_pkcs8_der(der) {
            return Some(Key::Rsa(Box::new(key)));
        }
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            return Some(Key::P256(key));
        }
        ed25519_dalek::SigningKey::from_pkcs8_der(der).ok().map(|k| Key::Ed25519(Box::new(k)))
    }

    /// The form that Go writes for each kind.
    pub(super) fn to_pem(&self) -> Result<String, Error> {
        let why = "failed to generate private key";
        let (label, der) = match self {
            Key::Rsa(k) => {
                ("RSA PRIVATE KEY", k.to_pkcs1_der().map_err(|e| failed(why, e))?.as_bytes().to_vec())
            }
            Key::P256(k) => ("EC PRIVATE KEY", k.to_sec1_der().map_err(|e| failed(why, e))?.to_vec()),
            // Without the public key, which Go leaves out.
            Key::Ed25519(k) => {
                let bytes = ed25519_dalek::pkcs8::KeypairBytes { secret_key: k.to_bytes(), public_key: None };
                ("PRIVATE KEY", bytes.to_pkcs8_der().map_err(|e| failed(why, e))?.as_bytes().to_vec())
            }
        };
        Ok(pem::encode(label, &der))
    }
}
