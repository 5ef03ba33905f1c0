//! What was seen and done → `ApplicationStatus`, and the smallest patch that brings it there.
//!
//! Pure. Status is written only when something changed: `reconciledAt` alone never causes a write.

mod compose;
mod conditions;
mod patch;

pub use compose::{Seen, compose};
pub use conditions::merge_conditions;
pub use patch::merge_patch;
