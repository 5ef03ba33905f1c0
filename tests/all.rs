//! The one integration-test binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod architecture;
mod cluster;
mod health_fuzz;
mod health_target;
mod kustomize_charts;
mod lua_bombs;
mod plan;
mod render_limits;
mod source;

#[path = "../fuzz/mutate.rs"]
mod mutate;
