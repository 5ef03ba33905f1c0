//! Go's rule about how much of a document may come from aliases.

use crate::{Error, ErrorKind};

/// Up to this many values, 99 % may come from aliases.
const LOW: u64 = 400_000;
/// From this many values on, 10 % may.
const HIGH: u64 = 4_000_000;

/// The error when too much comes from aliases.
#[cold]
pub(crate) fn excessive() -> Error {
    Error::new(ErrorKind::Limit, "yaml: document contains excessive aliasing")
}

/// The error when an alias means a node around it.
#[cold]
pub(crate) fn contains_itself(name: &str) -> Error {
    Error::new(ErrorKind::Type, format!("yaml: anchor '{name}' value contains itself"))
}

/// Whether too many of the `decoded` values came from aliases.
pub(crate) fn is_excessive(from_aliases: u64, decoded: u64) -> bool {
    from_aliases > 100 && decoded > 1000 && from_aliases as f64 / decoded as f64 > allowed_ratio(decoded)
}

fn allowed_ratio(decoded: u64) -> f64 {
    match decoded {
        ..=LOW => 0.99,
        HIGH.. => 0.10,
        _ => 0.99 - 0.89 * ((decoded - LOW) as f64 / (HIGH - LOW) as f64),
    }
}
