//! Kustomize overlays built as pure values: what `kustomize build` (v5.8.2) prints, without a process.
//!
//! A build reads files through [`Files`], renders charts through [`Charts`], and gives [`Output`]: the text
//! byte for byte, the objects, and warnings; or, when a kustomization refers to something remote that is
//! not there yet, the list of what it [needs](Outcome::Needs). Errors have kustomize's words.
//!
//! The way of a build: [`loader`](Files) → `kustomization` (fields, old ones fixed) → `accumulate`
//! (resources, generators, components, transformers, validators, bases first) → `build` (hashes, name
//! references, vars, order, text). `tree` holds the operations on nodes, `merge` strategic merge,
//! `schema` what is known of kinds, `transform` and `generate` the built-in plugins.
//!
//! The crate knows nothing of disks, networks or clusters.

mod accumulate;
mod build;
mod charts;
mod config;
mod configure;
mod decode;
mod error;
mod files;
mod generate;
mod go_syntax;
mod id;
mod kustomization;
mod label_selector;
mod loader;
mod merge;
mod options;
mod origin;
mod parse;
mod plugin;
mod repo_spec;
mod resmap;
mod resource;
mod schema;
mod transform;
mod tree;

pub use build::{Build, Outcome, Output};
pub use charts::{ChartRef, ChartRelease, Charts, NoCharts};
pub use error::{Error, ErrorKind, Result};
pub use files::{Entry, Fetched, Files, Tree, clean_path, missing};
pub use id::{Gvk, ResId};
pub use options::{Limits, LoadRestrictor, MergeKeys, Options, Reorder};
pub use parse::ParseCache;
pub use repo_spec::RepoSpec;
pub use schema::Table;
