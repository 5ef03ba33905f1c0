//! Helm charts, rendered as a pure function: files and values in, the text of `helm template` out.
//!
//! ```ignore
//! let chart = Chart::load(files, &ArchiveLimits::default())?;          // once; Send + Sync, keeps parsed templates
//! let input = RenderInput { release_name: "web".into(), ..RenderInput::default() };
//! let rendered = helm::render(&chart, &input)?;                        // as often as values change
//! print!("{}", rendered.text());                                       // what `helm template web .` prints
//! ```
//!
//! The contract is Helm 4.3.1, byte for byte, errors included. `README.md` lists the features and the public charts
//! that were compared.
//!
//! | room | what it knows |
//! |---|---|
//! | [`chart`] | files → [`Chart`]: `Chart.yaml`, archives, `.helmignore`, subcharts |
//! | [`values`] | value files and the languages of `--set…`; merging them with defaults |
//! | [`schema`] | `values.schema.json` |
//! | [`render`] | dependencies, contexts, functions, execution |
//! | [`manifest`] | rendered text → documents, hooks, order, printing |
//! | [`command`] | the flags of `helm template` |
//!
//! The crate knows no file system, no process, no network and no cluster: files come as bytes, a cluster through
//! [`Lookup`] and [`Capabilities`].

mod capabilities;
mod chart;
mod command;
mod error;
mod glob;
mod manifest;
mod path_pattern;
mod render;
mod schema;
mod values;

pub use capabilities::{Capabilities, KubeVersion};
pub use chart::{ArchiveLimits, Chart, Dependency, File, IgnoreRules, Maintainer, Metadata, Warning};
pub use command::TemplateCommand;
pub use error::{Error, Result};
pub use manifest::{Hook, HookEvent, Manifest};
pub use render::{Lookup, RenderInput, Rendered, TemplateCache, name_from_template, render, render_text};
pub use values::{ValuesLayer, merge_layers};
