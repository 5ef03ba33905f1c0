//! What was seen and done → `ApplicationStatus`, and the smallest patch that brings it there.
//!
//! Pure. A status is bounded (`bounded`): what it leaves out is counted in it. Status is written only when something changed: `reconciledAt` alone never causes a write.

mod bounded;
mod causes;
mod compose;
mod conditions;
mod drift;
mod note;
mod patch;
mod reassess;
mod state;

pub use bounded::{OMITTED, OMITTED_RESULTS};
pub use causes::{causes, failing_since};
pub use compose::{Seen, compose};
pub use conditions::merge_conditions;
pub use drift::{Drift, Fight, FightLimits, drifts, fights, is_open, key_of, record};
pub use note::set_note;
pub use patch::merge_patch;
pub use reassess::with_health;
pub use state::state_annotation;
