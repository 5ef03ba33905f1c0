//! TOML as the library that Helm uses reads and writes it: `toToml`, `fromToml`.

mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;
