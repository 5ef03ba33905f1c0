//! Makes `data/openapi.txt` from kustomize's own OpenAPI document and that of an API server:
//! `openapi_table kustomize.json.gz server.json > data/openapi.txt`. `cargo xtask openapi` runs it.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;
use std::io::Read;

use serde_json::Value;

fn document(path: &str) -> Result<Value, Box<dyn Error>> {
    let mut data = std::fs::read(path)?;
    if path.ends_with(".gz") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(data.as_slice()).read_to_end(&mut plain)?;
        data = plain;
    }
    Ok(serde_json::from_slice(&data)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [kustomize, server] = paths.as_slice() else { return Err("usage: openapi_table FILE FILE".into()) };
    let (kustomize, server) = (document(kustomize)?, document(server)?);
    let version = server.pointer("/info/version").and_then(Value::as_str).unwrap_or("unknown");
    println!("# Shapes of Kubernetes objects, made by `cargo xtask openapi`. See src/schema/table.rs.");
    println!(
        "# With ~ or the word server: only in the document of Kubernetes {version}, not in kustomize's own."
    );
    print!("{}", kustomize::Table::joined(&kustomize, &server).to_text());
    Ok(())
}
