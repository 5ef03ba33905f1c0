//! Go's `fmt`: printing of values.

use crate::error::Error;
use crate::value::{Str, Value};

/// Go's `fmt.Sprint`: a space between operands when neither is a string. At most `max` bytes.
///
/// # Errors
/// The text would be longer than `max`, or a value contains itself.
pub fn sprint(values: &[Value], max: usize) -> Result<Str, Error> {
    let _ = (values, max);
    Ok(Str::default())
}

/// Go's `fmt.Sprintf`. At most `max` bytes.
///
/// # Errors
/// As [`sprint`].
pub fn sprintf(format: &Str, values: &[Value], max: usize) -> Result<Str, Error> {
    let _ = (format, values, max);
    Ok(Str::default())
}
