//! The fuzz target: readers and writers of both flavours on any bytes.

use goyaml::{
    DecodeOptions, EmitOptions, Limits, Numbers, Target, decode, emit, from_yaml_strict, parse,
    read_documents, split_documents, to_yaml, to_yaml_pretty,
};

/// Reads the bytes in every way, and writes what was read. What was written must be readable.
pub(crate) fn run(bytes: &[u8]) {
    let limits = Limits { values: 100_000, nodes: 100_000, ..Limits::default() };
    for (target, numbers) in
        [(Target::Any, Numbers::Float64), (Target::Map, Numbers::Json), (Target::List, Numbers::Yaml)]
    {
        let options = DecodeOptions { target, numbers, limits, ..DecodeOptions::default() };
        if let Ok(value) = decode(bytes, &options) {
            let _ = to_yaml(&value);
            let _ = to_yaml_pretty(&value);
            let _ = goyaml::json::to_string(&value, true);
        }
    }
    let _ = from_yaml_strict(bytes);
    for node in parse(bytes, &limits).into_iter().flatten() {
        let _ = node.decode(Numbers::Json);
        if let Ok(text) = emit(&node, &EmitOptions::default()) {
            let _ = parse(text.as_bytes(), &limits);
        }
    }
    let _ = read_documents(bytes).count() + split_documents(bytes).count();
}
