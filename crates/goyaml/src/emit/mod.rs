//! Writing YAML in both flavours.

mod analysis;
mod collections;
mod nodes;
mod roundtrip;
mod scalar;
mod sort;
mod unicode;
mod values;
mod writer;

use serde_json::Value;

use crate::scanner::token::Flavour;
use crate::{Error, Node};
use nodes::NodeEmitter;
use writer::Writer;

/// Where the items of a sequence below a mapping key stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SequenceIndent {
    /// On the column of the key (`CompactSeqIndent`; kustomize's output).
    #[default]
    Compact,
    /// Indented (the default of yaml.v3; kyaml's "wide").
    Wide,
}

/// How the v3 encoder writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmitOptions {
    /// Spaces of indentation, 2 to 9 (`SetIndent`); other numbers mean 2. The default is 2, as kyaml sets it.
    pub indent: usize,
    /// Where the items of a sequence below a mapping key stand.
    pub sequences: SequenceIndent,
}

impl Default for EmitOptions {
    fn default() -> Self {
        Self { indent: 2, sequences: SequenceIndent::Compact }
    }
}

/// Writes one node (or document) as the yaml.v3 encoder does, with a final line break.
///
/// # Errors
/// In Go's words, for example `yaml: anchor value must contain alphanumerical characters only`.
pub fn emit(node: &Node, options: &EmitOptions) -> Result<String, Error> {
    emit_all(std::slice::from_ref(node), options)
}

/// Writes several documents to one stream with `---` between them, as one yaml.v3 encoder does.
///
/// # Errors
/// As [`emit`].
pub fn emit_all(nodes: &[Node], options: &EmitOptions) -> Result<String, Error> {
    let compact = options.sequences == SequenceIndent::Compact;
    let mut emitter = NodeEmitter::new(Writer::new(Flavour::V3, options.indent, compact));
    for node in nodes {
        emitter.document(node)?;
    }
    Ok(emitter.writer.out)
}

/// Writes a value as `yaml.Marshal` of `sigs.k8s.io/yaml` does (Helm's `toYaml`), with a final line break.
///
/// # Errors
/// Go goes through JSON text, and fails on what the reader then refuses: control characters such as DEL
/// in a string, keys longer than 1,024 characters; Helm's `toYaml` then prints nothing.
pub fn to_yaml(value: &Value) -> Result<String, Error> {
    let writer = Writer::new(Flavour::V2, 2, false);
    if roundtrip::is_faithful(value) {
        return values::write_document(writer, value);
    }
    values::write_document(writer, &roundtrip::through_json(value)?)
}

/// Writes a value as the yaml.v3 encoder with two spaces of indentation does (Helm's `toYamlPretty`), with
/// a final line break.
///
/// # Errors
/// When the value nests deeper than the default of [`Limits`](crate::Limits).
pub fn to_yaml_pretty(value: &Value) -> Result<String, Error> {
    values::write_document(Writer::new(Flavour::V3, 2, false), value)
}
