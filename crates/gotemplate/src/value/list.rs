//! Lists: Go's slices, shared by reference.

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;

use super::types::{ANY_LIST, ListType, STRING_LIST};
use super::{Value, reclaim};

/// A shared, mutable list: cloning it shares the elements, as copying a Go slice does.
#[derive(Clone)]
pub struct List(Rc<Inner>);

struct Inner {
    ty: &'static ListType,
    nil: bool,
    items: RefCell<Vec<Value>>,
}

impl List {
    /// A `[]interface {}`.
    pub fn new(items: Vec<Value>) -> Self {
        List::of(&ANY_LIST, items)
    }

    /// A list of the given type. The elements must be of its element type.
    pub fn of(ty: &'static ListType, items: Vec<Value>) -> Self {
        List(Rc::new(Inner { ty, nil: false, items: RefCell::new(items) }))
    }

    /// A `[]string`.
    pub fn strings<S: Into<super::Str>>(items: impl IntoIterator<Item = S>) -> Self {
        List::of(&STRING_LIST, items.into_iter().map(|s| Value::String(s.into())).collect())
    }

    /// A nil slice: prints as `[]`, is encoded as `null`.
    pub fn nil(ty: &'static ListType) -> Self {
        List(Rc::new(Inner { ty, nil: true, items: RefCell::default() }))
    }

    /// Whether this is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The static type.
    pub fn list_type(&self) -> &'static ListType {
        self.0.ty
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.0.items.borrow().len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A shared handle on an element.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.0.items.borrow().get(index).cloned()
    }

    /// Shared handles on all elements: safe to hold while the list changes.
    pub fn to_vec(&self) -> Vec<Value> {
        self.0.items.borrow().clone()
    }

    /// The elements in place. Drop the guard before anything else can touch the list.
    pub fn borrow(&self) -> Ref<'_, Vec<Value>> {
        self.0.items.borrow()
    }

    /// The elements in place, to change them. Drop the guard before anything else can touch the list.
    pub fn borrow_mut(&self) -> RefMut<'_, Vec<Value>> {
        self.0.items.borrow_mut()
    }

    /// Whether both are the same list (not merely equal ones).
    pub fn ptr_eq(&self, other: &List) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Where the list lives, for `%p` and for noticing cycles.
    pub fn address(&self) -> usize {
        Rc::as_ptr(&self.0).addr()
    }

    /// The elements, when this is the last handle.
    pub(super) fn take_if_last(self) -> Option<Vec<Value>> {
        Rc::into_inner(self.0).map(|inner| inner.items.take())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        reclaim(self.items.take());
    }
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}(len {})", self.0.ty.name, self.len())
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(iter: I) -> Self {
        List::new(iter.into_iter().collect())
    }
}
