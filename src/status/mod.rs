//! What was seen and done → `ApplicationStatus`, and the smallest patch that brings it there.
//!
//! Pure. A status is bounded (`bounded`): what it leaves out is counted in it. Status is written only when something changed: `reconciledAt` alone never causes a write.

mod bounded;
mod compose;
mod conditions;
mod patch;

pub use bounded::{OMITTED, OMITTED_RESULTS};
pub use compose::{Seen, compose};
pub use conditions::merge_conditions;
pub use patch::merge_patch;
