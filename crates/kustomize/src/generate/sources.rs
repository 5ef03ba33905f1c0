//! Where generated data comes from: environment files, literals, files.

use super::data::Entries;
use crate::error::{Context, Error, Result};
use crate::kustomization::GeneratorArgs;
use crate::loader::Loader;

type Pair = (String, Vec<u8>);

/// All data of a generator. A key may come only once.
pub(super) fn load(args: &GeneratorArgs, loader: &Loader) -> Result<Entries> {
    let pairs = load_pairs(args, loader).context_with(|| "loading KV pairs")?;
    let mut entries = Entries::new();
    for (key, value) in pairs {
        if entries.contains_key(&key) {
            return Err(Error::new(format!("configmap {} illegally repeats the key `{key}`", args.name)));
        }
        entries.insert(key, value);
    }
    Ok(entries)
}

fn go_list(items: &[String]) -> String {
    format!("[{}]", items.join(" "))
}

fn load_pairs(args: &GeneratorArgs, loader: &Loader) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for path in &args.envs {
        let more = loader.load(path).and_then(|content| from_env_file(&content));
        pairs.extend(more.context_with(|| format!("env source files: {}", go_list(&args.envs)))?);
    }
    for literal in &args.literals {
        let pair = from_literal(literal);
        pairs.push(pair.context_with(|| format!("literal sources {}", go_list(&args.literals)))?);
    }
    for source in &args.files {
        let pair = from_file(source, loader);
        pairs.push(pair.context_with(|| format!("file sources: {}", go_list(&args.files)))?);
    }
    Ok(pairs)
}

fn from_literal(literal: &str) -> Result<Pair> {
    match literal.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), unquote(value).as_bytes().to_vec())),
        _ => Err(Error::new(format!("invalid literal source {literal}, expected key=value"))),
    }
}

fn unquote(text: &str) -> &str {
    let without = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    without('"').or_else(|| without('\'')).unwrap_or(text)
}

fn from_file(source: &str, loader: &Loader) -> Result<Pair> {
    let (key, path) = split_file_source(source)?;
    Ok((key.to_owned(), loader.load(path)?.to_vec()))
}

fn split_file_source(source: &str) -> Result<(&str, &str)> {
    let Some((key, path)) = source.split_once('=') else {
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
        return Ok((if source.is_empty() { "." } else { name }, source));
    };
    let problem = if path.contains('=') {
        format!("source {source:?} key name or file path contains '='")
    } else if key.is_empty() {
        format!("missing key name for file path {path:?} in source {source:?}")
    } else if path.is_empty() {
        format!("missing file path for key name {key:?} in source {source:?}")
    } else {
        return Ok((key, path));
    };
    Err(Error::new(problem))
}

fn from_env_file(content: &[u8]) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    for (i, line) in lines.into_iter().enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(text) = std::str::from_utf8(line) else {
            let bytes: Vec<String> = line.iter().map(u8::to_string).collect();
            return Err(Error::new(format!(
                "line [{}] has invalid utf8 bytes : {}",
                bytes.join(" "),
                String::from_utf8_lossy(line)
            )));
        };
        let text = if i == 0 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if !key.is_empty() {
            pairs.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    Ok(pairs)
}
