//! `cargo xtask`: everything that a developer runs.
fn main() {}
