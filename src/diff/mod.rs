//! How Git and cluster compare: Manifests + Observation + ignore rules → Comparison.
//!
//! Pure: no client, no clock. The truth about an object that exists is the API server's own prediction
//! (a server-side dry-run, in the observation), so that defaults, mutating webhooks and list merge keys never give a
//! false difference. Where there is no prediction (offline, or the dry-run was refused) the structural overlay of
//! `structural` stands in. A problem with one object never hides the others.

mod compare;
mod defaults;
mod differences;
mod field_set;
mod ignore;
mod kinds;
mod managed;
mod merge_keys;
mod normalize;
#[cfg(test)]
mod oracle_tests;
mod ownership;
mod pointer;
mod quantity;
mod remembered;
mod respect;
mod shared;
mod structural;

pub use compare::{Comparing, compare, structural_diff};
pub use differences::differences;
pub use field_set::managed_fields;
pub use ignore::{IgnoreRules, InvalidRule};
pub use kinds::{KnownFields, normalize_kind};
pub use normalize::{normalized, strip_server_fields};
pub use ownership::{FieldManagers, drop_migrated, is_book, with_ownership, without_mutations};
pub use remembered::Remembered;
pub use shared::{Owner, shared_resources};
