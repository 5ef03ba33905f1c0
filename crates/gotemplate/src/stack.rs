//! How much machine stack a recursion has used.
//!
//! Counting levels is not enough: a level costs a hundred bytes in one place and kilobytes in another, and four times
//! as much in a debug build. The distance between two local variables is what really is used, and reading it is safe.

/// Marks where a recursion began and how far it may go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StackGuard {
    base: usize,
    limit: usize,
}

impl StackGuard {
    /// The caller's frame and everything that it calls may use `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        StackGuard { base: here(), limit }
    }

    /// Whether less than `reserve` bytes are left.
    pub(crate) fn exhausted(&self, reserve: usize) -> bool {
        self.base.abs_diff(here()).saturating_add(reserve) > self.limit
    }
}

#[inline(never)]
fn here() -> usize {
    let local = 0u8;
    std::hint::black_box(std::ptr::from_ref(&local)).addr()
}
