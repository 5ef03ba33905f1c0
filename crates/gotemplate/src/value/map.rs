//! Maps with string keys, shared by reference, walked in the order of their keys.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::rc::{Rc, Weak};

use super::types::{DICT, MapType};
use super::{Str, Value, reclaim};

/// The entries of a [`Map`], sorted by the bytes of the key, as Go's templates and `fmt` walk maps.
pub type Entries = BTreeMap<Str, Value>;

/// A shared, mutable map: cloning it shares the entries, as copying a Go map does.
#[derive(Clone)]
pub struct Map {
    ty: &'static MapType,
    inner: Rc<Inner>,
}

struct Inner {
    nil: bool,
    /// Known to the [`CycleGuard`] already.
    tracked: Cell<bool>,
    entries: RefCell<Entries>,
}

thread_local! {
    /// The maps that were changed after they were made, while a [`CycleGuard`] lives.
    static CHANGED: RefCell<Option<Vec<Weak<Inner>>>> = const { RefCell::new(None) };
}

/// Frees values that contain themselves.
///
/// `set` can put a map into itself. Go's garbage collector takes such a map; reference counts never do. Only a map that
/// is changed after it was made can be part of a cycle, so those are remembered while the guard lives, and emptied when
/// it is dropped. Make it before the data of a render, and drop it after the last of its values: a map that was changed
/// and is still held then is empty afterwards.
///
/// Guards do not nest: an inner one does nothing.
#[derive(Debug)]
pub struct CycleGuard {
    outermost: bool,
    /// Bound to its thread.
    _thread: PhantomData<Rc<()>>,
}

impl CycleGuard {
    /// Begins to remember changed maps of this thread.
    pub fn new() -> Self {
        let outermost = CHANGED.with_borrow_mut(|changed| match changed {
            Some(_) => false,
            None => {
                *changed = Some(Vec::new());
                true
            }
        });
        CycleGuard { outermost, _thread: PhantomData }
    }
}

impl Default for CycleGuard {
    fn default() -> Self {
        CycleGuard::new()
    }
}

impl Drop for CycleGuard {
    fn drop(&mut self) {
        if !self.outermost {
            return;
        }
        let changed = CHANGED.with_borrow_mut(Option::take);
        for inner in changed.into_iter().flatten().filter_map(|weak| weak.upgrade()) {
            let entries = inner.entries.take();
            drop(entries);
        }
    }
}

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Self {
        Map::of(&DICT, Entries::new())
    }

    /// A map of the given type. The values must be of its element type.
    pub fn of(ty: &'static MapType, entries: Entries) -> Self {
        Map {
            ty,
            inner: Rc::new(Inner { nil: false, tracked: Cell::new(false), entries: RefCell::new(entries) }),
        }
    }

    /// A nil map: prints as `map[]`, is encoded as `null`, cannot be written to.
    pub fn nil(ty: &'static MapType) -> Self {
        Map {
            ty,
            inner: Rc::new(Inner { nil: true, tracked: Cell::new(false), entries: RefCell::default() }),
        }
    }

    /// The same entries under another type: Go's conversion of a map, which copies nothing.
    #[must_use]
    pub fn with_type(&self, ty: &'static MapType) -> Self {
        Map { ty, inner: Rc::clone(&self.inner) }
    }

    /// Whether this is a nil map.
    pub fn is_nil(&self) -> bool {
        self.inner.nil
    }

    /// The static type.
    pub fn map_type(&self) -> &'static MapType {
        self.ty
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.inner.entries.borrow().len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A shared handle on the value of a key (`&str`, `&Str` or bytes).
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.inner.entries.borrow().get(key.as_ref()).cloned()
    }

    /// Whether there is an entry for the key.
    pub fn contains_key(&self, key: impl AsRef<[u8]>) -> bool {
        self.inner.entries.borrow().contains_key(key.as_ref())
    }

    /// Sets an entry; returns what was there.
    pub fn insert(&self, key: impl Into<Str>, value: impl Into<Value>) -> Option<Value> {
        self.borrow_mut().insert(key.into(), value.into())
    }

    /// Removes an entry; returns what was there.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.inner.entries.borrow_mut().remove(key.as_ref())
    }

    /// The keys, sorted.
    pub fn keys(&self) -> Vec<Str> {
        self.inner.entries.borrow().keys().cloned().collect()
    }

    /// Shared handles on all entries, sorted by key: safe to hold while the map changes.
    pub fn entries(&self) -> Vec<(Str, Value)> {
        self.inner.entries.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// The entries in place. Drop the guard before anything else can touch the map.
    pub fn borrow(&self) -> Ref<'_, Entries> {
        self.inner.entries.borrow()
    }

    /// The entries in place, to change them. Drop the guard before anything else can touch the map.
    pub fn borrow_mut(&self) -> RefMut<'_, Entries> {
        self.track();
        self.inner.entries.borrow_mut()
    }

    fn track(&self) {
        if !self.inner.tracked.replace(true) {
            CHANGED.with_borrow_mut(|changed| {
                if let Some(changed) = changed {
                    changed.push(Rc::downgrade(&self.inner));
                }
            });
        }
    }

    /// Whether both are the same map (not merely equal ones).
    pub fn ptr_eq(&self, other: &Map) -> bool {
        Rc::ptr_eq(&self.inner, &other.inner)
    }

    /// Where the map lives, for `%p` and for noticing cycles.
    pub fn address(&self) -> usize {
        Rc::as_ptr(&self.inner).addr()
    }

    /// The values, when this is the last handle.
    pub(super) fn take_if_last(self) -> Option<Vec<Value>> {
        Rc::into_inner(self.inner).map(|inner| inner.entries.take().into_values().collect())
    }
}

impl Default for Map {
    fn default() -> Self {
        Map::new()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let entries = self.entries.take();
        if !entries.is_empty() {
            reclaim(entries.into_values().collect());
        }
    }
}

impl std::fmt::Debug for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}(len {})", self.ty.name, self.len())
    }
}

impl<K: Into<Str>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(iter: I) -> Self {
        Map::of(&DICT, iter.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }
}
