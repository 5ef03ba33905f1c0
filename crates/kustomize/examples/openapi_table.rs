//! Makes `data/openapi.txt` from an OpenAPI v2 document: `openapi_table swagger.json > data/openapi.txt`.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: openapi_table swagger.json")?;
    let document: serde_json::Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let table = kustomize::Table::from_openapi(&document);
    println!("# Shapes of Kubernetes objects, made by examples/openapi_table.rs. See src/schema/table.rs.");
    print!("{}", table.to_text());
    Ok(())
}
