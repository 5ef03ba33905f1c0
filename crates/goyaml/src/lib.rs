//! YAML as Go reads and writes it.
//!
//! Helm, kustomize and Kubernetes all read and write YAML with Go libraries whose exact choices (which
//! scalars are booleans, what is quoted, where lines fold, what an error says) are part of what users see.
//! This crate makes the same choices, in both flavours that these programs use:
//!
//! | | v2 flavour | v3 flavour |
//! |---|---|---|
//! | Go library | `sigs.k8s.io/yaml` 1.6.0 on `go.yaml.in/yaml/v2` 2.4.4 | `go.yaml.in/yaml/v3` 3.0.5 |
//! | used by | Helm's values, `toYaml`, `fromYaml`, manifests | kustomize, Helm's `toYamlPretty` |
//! | read with | [`from_yaml`], [`decode()`] | [`parse`] |
//! | written with | [`to_yaml`] | [`emit()`], [`emit_all`], [`to_yaml_pretty`] |
//!
//! Values are [`serde_json::Value`]; documents whose style, comments and order matter are [`Node`].
//! The crate knows nothing of files, charts or Kubernetes objects.
//!
//! # How the flavours differ
//!
//! | | v2 | v3 |
//! |---|---|---|
//! | `yes`, `no`, `on`, `off`, `y`, `n` | booleans, also as keys | strings, but quoted when written |
//! | `2001-12-14` | string, quoted when written | `!!timestamp` |
//! | keys that are no strings | become strings | keep their type |
//! | duplicate keys | the last wins, or an error when strict | kept in the tree; an error when decoded |
//! | merge key `<<` | overrides the pairs before it | yields to the mapping's own pairs |
//! | comments, styles, order | dropped; keys are sorted | kept |
//! | long lines | folded behind column 80 | never folded |
//! | sequences below a key | on the key's column | compact or wide |
//!
//! # From text to value
//!
//! ```text
//! bytes ─ input ─▶ text ─ scanner ─▶ tokens ─ parser ─▶ events ┬ compose ─▶ Node ┬ decode ─▶ Value
//!                                                             │                 └ emit ─▶ text
//!                                                             └ decode::tree ─▶ Value ─ emit ─▶ text
//! ```
//!
//! Scanner, parser and emitter are our own, after the design of libyaml that both Go libraries share: their
//! acceptance, messages and comments depend on the scanner's look-ahead, which no event parser shows, and
//! which differs between the two. One machine with a switch for the flavour serves both.
//!
//! Everything is bounded by [`Limits`]; no input panics or overflows a 2 MiB stack.

mod alias;
mod compose;
mod decode;
mod emit;
mod error;
mod gofmt;
mod input;
pub mod json;
mod limits;
mod node;
mod parser;
mod resolve;
mod scanner;
mod split;
mod tag;
mod timestamp;

pub use decode::{
    DecodeOptions, Numbers, Target, decode, from_yaml, from_yaml_strict, scalar_text, yaml_to_json,
};
pub use emit::{EmitOptions, SequenceIndent, emit, emit_all, to_yaml, to_yaml_pretty};
pub use error::{Error, ErrorKind};
pub use limits::Limits;
pub use node::{Comments, Kind, Node, Style, Tag, tags};
pub use serde_json::Value;
pub use split::{Documents, read_documents, split_documents};

/// Parses all documents of `text` as yaml.v3 does, with styles, comments, anchors and positions.
///
/// Each node of the result is a [`Kind::Document`] with one root. An empty text has no documents. The text
/// is UTF-8, or UTF-16 with a byte order mark.
///
/// # Errors
/// What `yaml.Decoder` of yaml.v3 says: `yaml: line 3: did not find expected key`; or a passed limit.
pub fn parse(text: &[u8], limits: &Limits) -> Result<Vec<Node>, Error> {
    compose::compose(text, limits, usize::MAX)
}

/// Parses the first document of `text` as `yaml.Unmarshal` of yaml.v3 into a `yaml.Node` does. The rest of
/// the text is not looked at.
///
/// # Errors
/// As [`parse`].
pub fn parse_first(text: &[u8], limits: &Limits) -> Result<Option<Node>, Error> {
    Ok(compose::compose(text, limits, 1)?.pop())
}
