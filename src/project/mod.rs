//! What a project allows: sources, destinations, kinds, and when syncs may run.
//!
//! Pure. Enforced three times: when an application is validated, on what it renders, and on what is about to be
//! written.

mod cron;
mod impersonation;
mod orphans;
mod permits;
mod windows;

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod windows_tests;

pub use cron::{InvalidSchedule, Schedule};
pub use impersonation::service_account;
pub use orphans::is_orphan;
pub use permits::{
    names_namespace, permits_cluster, permits_destination, permits_kind, permits_namespace, permits_object,
    permits_source,
};
pub use windows::{WindowQuestion, WindowVerdict, sync_window_verdict};
