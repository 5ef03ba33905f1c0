//! Passwords, keys, certificates, ciphers and random values.
//!
//! The arithmetic is RustCrypto's; this room only arranges it into the texts that sprig gives.

mod certificates;
mod keys;
mod passwords;
mod pem;
mod random;

use crate::func::{Func, args};
use crate::value::{Type, Value, types};
use certificates::{Request, Signer};

const S: Type = Type::String;
const I: Type = Type::Int;
const LIST: Type = Type::List(&types::ANY_LIST);
const CERTIFICATE: Type = Type::Object(certificates::TYPE);

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::new("bcrypt", &[S], |_, a| Ok(Value::from(passwords::bcrypt(args::string(a, 0)?.as_bytes())))),
    Func::new("htpasswd", &[S, S], |_, a| passwords::htpasswd(args::string(a, 0)?, args::string(a, 1)?)),
    Func::new("derivePassword", &[Type::Uint32, S, S, S, S], passwords::derive),
    Func::new("encryptAES", &[S, S], |_, a| passwords::encrypt(args::string(a, 0)?, args::string(a, 1)?)),
    Func::new("decryptAES", &[S, S], |_, a| passwords::decrypt(args::string(a, 0)?, args::string(a, 1)?)),
    Func::new("randAlphaNum", &[I], |exec, a| random::text(exec, args::int(a, 0)?, random::ALPHANUMERIC)),
    Func::new("randAlpha", &[I], |exec, a| random::text(exec, args::int(a, 0)?, random::ALPHABETIC)),
    Func::new("randNumeric", &[I], |exec, a| random::text(exec, args::int(a, 0)?, random::NUMERIC)),
    Func::new("randAscii", &[I], |exec, a| random::text(exec, args::int(a, 0)?, random::PRINTABLE)),
    Func::new("randBytes", &[I], |exec, a| random::bytes(exec, args::int(a, 0)?)),
    Func::new("randInt", &[I, I], |_, a| random::int(args::int(a, 0)?, args::int(a, 1)?)),
    Func::new("shuffle", &[S], |_, a| random::shuffle(args::string(a, 0)?)),
    Func::new("uuidv4", &[], |_, _| random::uuid()),
    // Asked of the network in Go; Helm replaces it by one that gives an empty text.
    Func::new("getHostByName", &[S], |_, _| Ok(Value::from(""))),
    Func::new("env", &[S], |_, _| Ok(Value::from(""))),
    Func::new("expandenv", &[S], |_, _| Ok(Value::from(""))),
    Func::new("genPrivateKey", &[S], |exec, a| keys::generate_pem(exec, args::string(a, 0)?)),
    Func::new("buildCustomCert", &[S, S], |_, a| {
        certificates::custom(args::string(a, 0)?, args::string(a, 1)?)
    }),
    Func::new("genCA", &[S, I], |exec, a| {
        Request::authority(a)?.issue(keys::Key::generate_rsa(exec, 2_048)?, &Signer::Own)
    }),
    Func::new("genCAWithKey", &[S, I, S], |_, a| {
        Request::authority(a)?.issue(keys::Key::given(args::string(a, 2)?)?, &Signer::Own)
    }),
    Func::new("genSelfSignedCert", &[S, LIST, LIST, I], |exec, a| {
        Request::leaf(a)?.issue(keys::Key::generate_rsa(exec, 2_048)?, &Signer::Own)
    }),
    Func::new("genSelfSignedCertWithKey", &[S, LIST, LIST, I, S], |_, a| {
        let key = keys::Key::given(args::string(a, 4)?)?;
        Request::leaf(a)?.issue(key, &Signer::Own)
    }),
    Func::new("genSignedCert", &[S, LIST, LIST, I, CERTIFICATE], |exec, a| {
        let key = keys::Key::generate_rsa(exec, 2_048)?;
        let signer = Signer::authority(&args::any(a, 4))?;
        Request::leaf(a)?.issue(key, &signer)
    }),
    Func::new("genSignedCertWithKey", &[S, LIST, LIST, I, CERTIFICATE, S], |_, a| {
        let key = keys::Key::given(args::string(a, 5)?)?;
        let signer = Signer::authority(&args::any(a, 4))?;
        Request::leaf(a)?.issue(key, &signer)
    }),
];
