//! Go's `fmt`: values as text, with every verb, flag and error form.
//!
//! Knows values, nothing of templates. All output is bounded, because a value may contain itself, or the same list a
//! million times over.

mod directive;
mod number;
mod text;
mod value;

use crate::error::{Error, ErrorKind};
use crate::value::{Str, Value};

/// How deep values may be nested in what is printed. Go has no such bound: it dies of stack overflow.
const MAX_DEPTH: u32 = 200;

/// Why printing stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The text would be longer than allowed.
    TooLong,
    /// Values are nested too deep, or contain themselves.
    TooDeep,
}

impl Stop {
    pub(crate) fn into_error(self) -> Error {
        Error::of(
            ErrorKind::Limit,
            match self {
                Stop::TooLong => "text exceeds the limit of bytes",
                Stop::TooDeep => "value is nested too deep to be printed, or contains itself",
            },
        )
    }
}

type Printed = Result<(), Stop>;

/// Flags, width and precision of one directive.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v`
    plus_v: bool,
    /// `%#v`
    sharp_v: bool,
}

/// Writes values to a buffer.
pub(crate) struct Printer<'o> {
    out: &'o mut Vec<u8>,
    /// Length that the buffer may reach.
    max: usize,
    flags: Flags,
    /// Inside an error form such as `%!d(…)`, where no `String` method is called.
    erroring: bool,
}

impl<'o> Printer<'o> {
    /// A printer that appends at most `max` bytes.
    pub(crate) fn new(out: &'o mut Vec<u8>, max: usize) -> Self {
        let max = out.len().saturating_add(max);
        Printer { out, max, flags: Flags::default(), erroring: false }
    }

    fn write(&mut self, bytes: &[u8]) -> Printed {
        if self.out.len().saturating_add(bytes.len()) > self.max {
            return Err(Stop::TooLong);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn put(&mut self, text: &str) -> Printed {
        self.write(text.as_bytes())
    }

    /// `fmt.Fprint`: a space between operands when neither is a string.
    pub(crate) fn print(&mut self, values: &[Value]) -> Printed {
        let mut after_string = true;
        for value in values {
            let string = value.kind() == crate::value::Kind::String;
            if !string && !after_string {
                self.put(" ")?;
            }
            self.argument(value, 'v')?;
            after_string = string;
        }
        Ok(())
    }

    /// `fmt.Fprintln`
    pub(crate) fn println(&mut self, values: &[Value]) -> Printed {
        for (i, value) in values.iter().enumerate() {
            if i > 0 {
                self.put(" ")?;
            }
            self.argument(value, 'v')?;
        }
        self.put("\n")
    }
}

fn collect(max: usize, print: impl FnOnce(&mut Printer<'_>) -> Printed) -> Result<Str, Error> {
    let mut out = Vec::new();
    print(&mut Printer::new(&mut out, max)).map_err(Stop::into_error)?;
    Ok(out.into())
}

/// Go's `fmt.Sprint`: a space between operands when neither is a string. At most `max` bytes.
///
/// # Errors
/// The text would be longer than `max`, or a value contains itself.
pub fn sprint(values: &[Value], max: usize) -> Result<Str, Error> {
    if let [Value::String(s)] = values
        && s.len() <= max
    {
        return Ok(s.clone());
    }
    collect(max, |p| p.print(values))
}

/// Go's `fmt.Sprintln`. At most `max` bytes.
///
/// # Errors
/// As [`sprint`].
pub fn sprintln(values: &[Value], max: usize) -> Result<Str, Error> {
    collect(max, |p| p.println(values))
}

/// Go's `fmt.Sprintf`. At most `max` bytes.
///
/// # Errors
/// As [`sprint`].
pub fn sprintf(format: &Str, values: &[Value], max: usize) -> Result<Str, Error> {
    collect(max, |p| p.printf(format.as_bytes(), values))
}
