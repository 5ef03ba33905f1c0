//! Health of objects and of applications: a pure room.
//!
//! [`assess`] gives the raw rule of a kind, equal to Argo CD's: first the user's own customisation, then the rules
//! as data ([`rules`]), then the rules in code ([`builtin`]). [`roll_up`] makes an application's health of them.
//! Nothing here reads a clock, a file or a cluster; what a rule needs comes as a value.

mod builtin;
pub mod catalogue;
pub mod cause;
mod customization_map;
mod customizations;
pub mod devices;
mod ecosystem;
pub mod facts;
mod field;
pub mod gate;
pub mod hook;
pub mod kueue;
pub mod neighbours;
pub mod placement;
pub mod pod_owner;
pub mod pod_sets;
mod quantity;
mod rollup;
mod rules;
pub mod volume;
pub mod workload;

use jiff::Timestamp;
use serde_json::Value;

pub use customization_map::{CustomizationProblem, health_scripts};
pub use customizations::{Customizations, HealthScript};
pub use rollup::{Member, RolledUp, roll_up};

use crate::flow::{HealthStatus, Reason};
use crate::object::{GroupVersionKind, str_at};

/// The health of one live object by the raw rule of its kind, or nothing where the kind has none.
///
/// An object under deletion is Progressing whatever its kind, except a hook whose finalizer is still held.
pub fn assess(object: &Value, customizations: &Customizations<'_>) -> Option<HealthStatus> {
    if is_being_deleted(object) && !hook::has_hook_finalizer(object) {
        return Some(HealthStatus::progressing("Pending deletion").because(Reason::PendingDeletion));
    }
    let gvk = kind_of(object)?;
    match own_rule(&gvk, object, customizations) {
        Some(health) => health,
        None => builtin::assess(&gvk.group, &gvk.version, &gvk.kind, object),
    }
}

/// What the rule of the object's kind says, and nothing besides: where a script or a rule as data speaks for the
/// kind, it is asked even while the object is being deleted. For people who write and debug rules.
pub fn assess_rule(object: &Value, customizations: &Customizations<'_>) -> Option<HealthStatus> {
    match own_rule(&kind_of(object)?, object, customizations) {
        Some(health) => health,
        None => assess(object, customizations),
    }
}

fn kind_of(object: &Value) -> Option<GroupVersionKind> {
    let (api_version, kind) = (str_at(object, &["apiVersion"])?, str_at(object, &["kind"])?);
    Some(GroupVersionKind::from_api_version(api_version, kind))
}

fn own_rule(
    gvk: &GroupVersionKind,
    object: &Value,
    customizations: &Customizations<'_>,
) -> Option<Option<HealthStatus>> {
    customizations
        .assess(gvk, object)
        .or_else(|| ecosystem::assess(&gvk.group, &gvk.kind, object).map(Some))
        .or_else(|| rules::assess(&gvk.group, &gvk.kind, object))
}

/// Whether the object has a time of deletion that can be read as a time.
fn is_being_deleted(object: &Value) -> bool {
    str_at(object, &["metadata", "deletionTimestamp"]).is_some_and(|text| text.parse::<Timestamp>().is_ok())
}

/// Group and kind of everything that has a rule.
pub fn kinds_with_rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    builtin::kinds().chain(ecosystem::kinds()).chain(rules::kinds())
}

#[cfg(test)]
mod tests;
