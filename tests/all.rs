//! The one integration-test binary.

mod architecture;
mod cluster;
mod plan;
mod source;
