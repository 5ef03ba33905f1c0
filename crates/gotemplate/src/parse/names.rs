//! Names that occur again and again in a text, kept once each.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::ast::FunctionName;
use crate::exec::Builtin;
use crate::func::Funcs;

/// The names of one text.
#[derive(Default)]
pub(super) struct Names<'a> {
    /// Fields and chains of them.
    words: HashMap<&'a [u8], Arc<str>, RandomState>,
    /// Variables and their identities.
    variables: HashMap<&'a [u8], (u32, Arc<str>), RandomState>,
    functions: HashMap<&'a [u8], Arc<FunctionName>, RandomState>,
}

impl<'a> Names<'a> {
    pub(super) fn word(&mut self, text: &'a [u8]) -> Arc<str> {
        let word = self.words.entry(text).or_insert_with(|| String::from_utf8_lossy(text).into());
        Arc::clone(word)
    }

    /// The identity of a variable of this name, and the name. The first one asked for is 0.
    pub(super) fn variable(&mut self, text: &'a [u8]) -> (u32, Arc<str>) {
        let next = u32::try_from(self.variables.len()).unwrap_or(u32::MAX);
        let new = || (next, String::from_utf8_lossy(text).into());
        let (id, name) = self.variables.entry(text).or_insert_with(new);
        (*id, Arc::clone(name))
    }

    /// The function of this name, when there is one.
    pub(super) fn function(&mut self, text: &'a [u8], funcs: &Funcs) -> Option<Arc<FunctionName>> {
        if let Some(known) = self.functions.get(text) {
            return Some(Arc::clone(known));
        }
        let name: Box<str> = String::from_utf8_lossy(text).into();
        let builtin = Builtin::named(&name);
        if builtin.is_none() && funcs.get(&name).is_none() {
            return None;
        }
        let function = Arc::new(FunctionName { name, builtin });
        self.functions.insert(text, Arc::clone(&function));
        Some(function)
    }
}
