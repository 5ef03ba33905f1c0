//! `cargo xtask`: everything that a developer runs, and the helpers that the tests of the root
//! package share with it (a cluster, a Git server).
//!
//! It knows how to build and start programs and how to look at their output. It must not know how
//! Tiphys works inside: it uses the binary and the Kubernetes API, as a user does.

pub mod bench;
pub mod cluster;
pub mod console;
pub mod crds;
pub mod demo;
pub mod error;
pub mod git_server;
pub mod go_build;
pub mod golden;
pub mod http;
pub mod interrupt;
pub mod metrics_api;
pub mod openapi;
pub mod operator;
pub mod paths;
pub mod process;
pub mod suites;
