//! Whether to sync, in which order, and what comes next.
//!
//! Everything here but `apply` is pure and re-entrant: it never waits. Waiting for a wave means to come back, with the
//! progress in `status.operationState`, so that a restart, a newer commit or a terminate needs no special case.
//!
//! The order, as in Argo CD: phase (PreSync, Sync, PostSync, SyncFail) → wave → kind → name. A wave starts when all
//! waves before it are applied and healthy; the last one is not waited for, except its hooks. Prunes go in reverse
//! wave order.

mod apply;
mod auto;
mod guard;
mod namespace;
#[cfg(test)]
mod oracle_tests;
mod order;
mod plan;
mod results;
mod rollback;
mod step;

pub use apply::{Applying, apply, delete_hooks};
pub use auto::{AutoSync, decide_auto_sync, self_heal_wait};
pub use guard::{AWAITING, Guards, describe};
pub use namespace::NamespaceCreation;
pub use plan::{PlanRequest, delete_hook_tasks, plan};
pub use results::Results;
pub use rollback::{
    Rollback, asks_for_rollback, decide_rollback, may_roll_back, rolled_back_from, with_rejected,
};
pub use step::{Progress, TERMINATED, step};
