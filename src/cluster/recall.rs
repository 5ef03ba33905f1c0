//! What was read for one target, kept for as long as somebody looks at it again and again.
//!
//! The watches keep objects compressed. While an operation is stepped through, all of its objects are looked at after
//! each step, and few of them have changed: these alone are read anew.

use std::sync::Arc;

use crate::object::{Manifest, ResourceKey};

use super::observe::Bodies;
use super::store::Stored;

/// The objects of the last observation of a target. Empty it, and the next observation reads everything.
#[derive(Debug, Default)]
pub struct Recall {
    bodies: Bodies,
}

impl Recall {
    /// The body of an object, read only where it is not what was read before.
    pub(super) fn body(&self, key: &ResourceKey, stored: &Arc<Stored>) -> Option<Arc<Manifest>> {
        match self.bodies.get(key) {
            Some((known, body)) if Arc::ptr_eq(known, stored) => Some(Arc::clone(body)),
            _ => stored.manifest(),
        }
    }

    /// Keeps an observation in the place of the one before.
    pub(super) fn keep(&mut self, bodies: Bodies) {
        self.bodies = bodies;
    }
}
