//! Tests against a real API server: `cargo xtask test` starts one and names it in `TIPHYS_TEST_KUBECONFIG`.
//!
//! They are marked `ignore` so that a plain `cargo test` needs no cluster; `cargo xtask test` runs them, and fails where
//! the cluster cannot start. Each test has a namespace and a controller process of its own.

mod actions;
mod attacks;
mod converge;
mod deletion;
mod explain;
mod faults;
mod gate;
mod guards;
mod harness;
mod health;
mod impersonation;
mod kill;
mod large;
mod leader;
mod ledger;
mod mistakes;
mod ml;
mod model;
mod operate;
mod operations;
mod options;
mod ownership;
mod placement;
mod proxy;
mod rights;
mod rollback;
mod settings;
mod sources;
mod webhook;
