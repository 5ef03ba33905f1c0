//! The functions of sprig 3.3.0 (with its libraries in the versions of helm 4.3.1), one file for each family.
//!
//! They behave as in Go down to the wording of errors, except:
//!
//! - maps are walked in the order of their keys, so `keys` and `values` are sorted;
//! - what would take memory without bound (`repeat`, `until`, `indent`, …) is charged to the execution's
//!   [`Limits`](crate::Limits) before it is built;
//! - `env` and `expandenv` give an empty text and `getHostByName` too: a render reads no environment and asks
//!   no network. Helm takes the first two away and replaces the third.
//!
//! `README.md` of this folder lists every function.

mod conversions;
mod crypto;
mod dates;
mod decimal;
mod dicts;
pub mod duration;
mod encodings;
pub mod json;
mod json_read;
mod layout;
mod layout_parse;
mod lists;
mod math;
mod merge;
mod paths;
mod reflect;
mod regex;
mod regex_classes;
mod regex_escapes;
mod regex_syntax;
pub mod semver;
mod strings;
mod time_methods;
mod times;
mod unicode;
mod urls;
mod versions;
mod words;

use crate::func::Func;

pub use conversions::{to_float64, to_int64};
pub use json_read::read as read_json;
pub use reflect::{deep_equal, is_empty};
pub use regex::go_regex;
pub use times::Duration;

/// The tables of all families.
const FAMILIES: [&[Func]; 14] = [
    conversions::FUNCS,
    crypto::FUNCS,
    dates::FUNCS,
    dicts::FUNCS,
    encodings::FUNCS,
    json::FUNCS,
    lists::FUNCS,
    math::FUNCS,
    paths::FUNCS,
    reflect::FUNCS,
    regex::FUNCS,
    strings::FUNCS,
    urls::FUNCS,
    versions::FUNCS,
];

const COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
};

/// All functions of sprig's text function map.
pub const FUNCS: &[Func] = &joined::<COUNT>(&FAMILIES);

const fn joined<const N: usize>(tables: &[&[Func]]) -> [Func; N] {
    let mut all = [paths::FUNCS[0]; N];
    let (mut table, mut at) = (0, 0);
    while table < tables.len() {
        let mut i = 0;
        while i < tables[table].len() {
            all[at] = tables[table][i];
            at += 1;
            i += 1;
        }
        table += 1;
    }
    all
}

/// Functions whose result depends on the clock or on chance: two renders of the same input differ.
pub const NON_DETERMINISTIC: &[&str] = &[
    "ago",
    "bcrypt",
    "encryptAES",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "htpasswd",
    "now",
    "randAlpha",
    "randAlphaNum",
    "randAscii",
    "randBytes",
    "randInt",
    "randNumeric",
    "shuffle",
    "uuidv4",
];

/// Whether two calls of the function with the same arguments always agree. Functions on dates count as such, though
/// `date` and its relatives use the clock for what is no date.
pub fn is_deterministic(name: &str) -> bool {
    !NON_DETERMINISTIC.contains(&name)
}
