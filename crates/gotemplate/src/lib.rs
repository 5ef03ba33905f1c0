//! Go's `text/template` with sprig's functions, natively.
//!
//! Text goes into a [`TemplateSet`], which is immutable and shared once parsed. An [`Exec`] walks it over a [`Value`]
//! with [`Funcs`] and within [`Limits`], and gives the bytes that Go would write, or an [`Error`] with Go's wording.
//!
//! ```ignore
//! let funcs = Funcs::new().with(gotemplate::sprig::FUNCS);
//! let mut set = TemplateSet::new("gotpl", MissingKey::Zero);
//! set.parse("a.yaml", "name: {{ .Values.name | upper }}", &funcs)?;
//! let text = Arc::new(set).execute("a.yaml", data, &funcs, &Limits::default())?;
//! ```
//!
//! What is supported is in `README.md`, with its limits. `parse` turns text into a syntax tree and knows nothing of values;
//! `exec` walks it; `fmt` and `strconv` print as Go does and know nothing of templates; `sprig` is a table of functions
//! like any other.
//!
//! The crate knows nothing of charts, files, processes or the network. What a function needs of the world it gets from
//! [`Exec::host`].

pub mod error;
pub mod exec;
pub mod fmt;
pub mod func;
mod gostr;
pub mod limits;
mod parse;
pub mod sprig;
mod stack;
pub mod strconv;
pub mod template;
pub mod value;

pub use error::{Error, ErrorKind};
pub use exec::Exec;
pub use func::{Func, Funcs, Method};
pub use limits::Limits;
pub use template::{MissingKey, TemplateSet};
pub use value::{Kind, List, Map, Object, Str, Type, Value};
