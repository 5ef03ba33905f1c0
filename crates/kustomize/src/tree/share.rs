//! Scalars that stand in several places of one object at once.
//!
//! kustomize's label and annotation transformers put one and the same node into every map to which they
//! add a key. Whoever later changes the value in one place changes it in all of them (a patch of
//! `metadata.labels.app` then also changes the selector that `commonLabels` made). Users see this in
//! the output, so it is kept here: such scalars carry a number (in `column`, with `line` 0, which no
//! parsed node has), and a change of one is carried over to its siblings by [`settle`].

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use goyaml::Node;

thread_local! {
    static CHANGED: RefCell<Vec<Node>> = const { RefCell::new(Vec::new()) };
}

/// The number of the group that a node belongs to.
pub(crate) fn group(node: &Node) -> Option<u32> {
    (node.line == 0 && node.column != 0).then_some(node.column)
}

/// Makes `node` a member of a new group.
pub(crate) fn begin(node: &mut Node) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    node.line = 0;
    node.column = NEXT.fetch_add(1, Ordering::Relaxed).max(1);
}

/// Takes a node out of its group: it is a copy.
pub(crate) fn leave(node: &mut Node) {
    node.line = 0;
    node.column = 0;
}

/// Overwrites what `target` holds, in place: every other place where the same scalar stands follows at
/// the next [`settle`].
pub(crate) fn overwrite(target: &mut Node, mut with: Node) {
    let group = group(target);
    leave(&mut with);
    *target = with;
    if let Some(group) = group {
        target.column = group;
        note(target);
    }
}

/// Says that the content of `node` was changed in place.
pub(crate) fn note(node: &Node) {
    if group(node).is_some() {
        CHANGED.with_borrow_mut(|changed| changed.push(node.clone()));
    }
}

/// Carries the noted changes over to all members of their groups below `root`.
pub(crate) fn settle(root: &mut Node) {
    let changed = CHANGED.take();
    if !changed.is_empty() {
        carry(root, &changed);
    }
}

fn carry(node: &mut Node, changed: &[Node]) {
    if let Some(group) = group(node)
        && let Some(last) = changed.iter().rev().find(|candidate| candidate.column == group)
    {
        *node = last.clone();
    }
    for child in &mut node.content {
        carry(child, changed);
    }
}
