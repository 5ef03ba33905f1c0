//! What an object of Kubernetes is, to every other room: its key, its body, its place in the order of kinds,
//! and how a Secret is kept from being seen.
//!
//! The lowest room of layer 0: it imports no other room, no client, no runtime. Bodies are plain JSON values
//! with sorted keys, so that whatever is printed from them is stable.

mod glob;
mod key;
mod kind_order;
mod manifest;
mod masking;
mod path;

pub use glob::{glob_matches, glob_matches_parts};
pub use key::{GroupKind, GroupVersionKind, ResourceKey};
pub use kind_order::{compare_kinds, kind_rank};
pub use manifest::{Manifest, ManifestError};
pub use masking::{MASKED_KEYS_NOTE, Masked, mask_pair, mask_secret};
pub use path::{at, at_mut, bool_at, i64_at, list_at, str_at};
