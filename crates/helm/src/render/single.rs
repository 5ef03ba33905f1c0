//! One template on its own: release names, and debugging.

use std::sync::Arc;

use gotemplate::{Exec, Funcs, Limits, MissingKey, TemplateSet, Value};

use super::error_text::{exec_error, parse_error};
use super::functions::{FUNCTIONS, without_no_value};
use super::host::Host;
use super::input::STACK_RESERVE;
use crate::values::tree::value_from_json;
use crate::{Error, Result};

/// The name of a release from `--name-template`.
///
/// # Errors
/// The template cannot be parsed or executed, in Go's words.
pub fn name_from_template(template: &str) -> Result<String> {
    let funcs = Funcs::new().with(gotemplate::sprig::FUNCS);
    let mut set = TemplateSet::new("name-template", MissingKey::Default);
    let failed = |e: gotemplate::Error| Error::Template(e.to_string());
    set.parse("name-template", template.as_bytes(), &funcs).map_err(failed)?;
    let text = Arc::new(set).execute("name-template", Value::Nil, &funcs, &Limits::default());
    text.map(|t| t.to_text().into_owned()).map_err(failed)
}

/// Renders one text as a template named `name`, with Helm's functions and `data` as the dot.
///
/// # Errors
/// As for a chart's template.
pub fn render_text(name: &str, text: &[u8], data: &serde_json::Value, limits: Limits) -> Result<String> {
    let mut set = TemplateSet::new("gotpl", MissingKey::Zero);
    set.parse(name, text, &FUNCTIONS).map_err(|e| Error::Template(parse_error(name, &e)))?;
    let host = Host::new(None);
    let set = Arc::new(set);
    stacker::grow(limits.stack.saturating_add(STACK_RESERVE), || {
        let mut exec = Exec::new(&set, &FUNCTIONS, limits, &host);
        let rendered = exec.execute_template(name, value_from_json(data));
        let rendered = rendered.map_err(|e| Error::Template(exec_error(name, &e)))?;
        Ok(without_no_value(rendered).to_text().into_owned())
    })
}
