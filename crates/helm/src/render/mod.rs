//! Rendering: values and capabilities in, manifests out.

mod context;
mod dependencies;
mod durations;
mod engine;
mod error_text;
pub(crate) mod functions;
mod host;
mod input;
pub(crate) mod instance;
mod single;
mod toml;
mod types;

pub use engine::TemplateCache;
pub use host::Lookup;
pub use input::{RenderInput, Rendered, render};
pub use single::{name_from_template, render_text};
