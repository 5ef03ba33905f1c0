//! What a project allows: sources, destinations, kinds.
//!
//! Pure. Enforced three times: when an application is validated, on what it renders, and on what is about to be
//! written.

mod permits;

pub use permits::{permits_destination, permits_kind, permits_source};
