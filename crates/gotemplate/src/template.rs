//! Sets of named templates: parsed once, immutable and shared afterwards.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;
use crate::exec::Exec;
use crate::func::Funcs;
use crate::limits::Limits;
use crate::parse::{self, Tree};
use crate::stack::StackGuard;
use crate::value::{Str, Value};

/// Bytes of text from which on it is parsed by several threads.
const PARALLEL_FROM: usize = 128 << 10;

/// Most threads that parse the texts of one set.
const MOST_PARSERS: usize = 4;

/// What a field of a map that has no such key gives: Go's option `missingkey`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// No value: prints `<no value>`; further fields of it are no value either.
    #[default]
    Default,
    /// The zero value of the map's element type (Helm); a field of a nil `interface {}` is an error.
    Zero,
    /// An error.
    Error,
}

/// Templates that may invoke each other by name. `Send + Sync`: keep it in an `Arc` and share it.
///
/// A set may extend another one (`tpl`): it sees the templates of its parent, and its own first.
#[derive(Clone, Debug)]
pub struct TemplateSet {
    name: Arc<str>,
    missing_key: MissingKey,
    trees: HashMap<Arc<str>, Arc<Tree>>,
    parent: Option<Arc<TemplateSet>>,
}

impl TemplateSet {
    /// An empty set. The name only appears in `no template "x" associated with template "NAME"` and as the name of
    /// texts given to [`Exec::execute_text`]; Helm's is `gotpl`.
    pub fn new(name: &str, missing_key: MissingKey) -> Self {
        TemplateSet { name: Arc::from(name), missing_key, trees: HashMap::new(), parent: None }
    }

    /// An empty set on top of another one, with its name and options.
    #[must_use]
    pub fn extend(parent: &Arc<TemplateSet>) -> Self {
        TemplateSet {
            name: Arc::clone(&parent.name),
            missing_key: parent.missing_key,
            trees: HashMap::new(),
            parent: Some(Arc::clone(parent)),
        }
    }

    /// Parses a text as the template `name`, and adds it and all that it defines: Go's `t.New(name).Parse(text)`.
    ///
    /// As in Go, a definition replaces an earlier one of the same name, unless it is empty (space and comments).
    ///
    /// # Errors
    /// `template: NAME:LINE: …`; the set is unchanged then.
    pub fn parse(&mut self, name: &str, text: impl AsRef<[u8]>, funcs: &Funcs) -> Result<(), Error> {
        self.parse_shared(name, &Arc::from(text.as_ref()), funcs)
    }

    /// As [`TemplateSet::parse`], without a copy of the text.
    ///
    /// # Errors
    /// The same.
    pub fn parse_shared(&mut self, name: &str, text: &Arc<[u8]>, funcs: &Funcs) -> Result<(), Error> {
        let guard = StackGuard::new(parse::PARSE_STACK);
        self.add(parse::parse(name, text, funcs, guard)?);
        Ok(())
    }

    /// Parses many texts, as [`TemplateSet::parse_shared`] would one after the other; large ones on as many threads as
    /// the machine has processors.
    ///
    /// # Errors
    /// That of the first text that has one, with its position.
    pub fn parse_all(&mut self, texts: &[(&str, &Arc<[u8]>)], funcs: &Funcs) -> Result<(), (usize, Error)> {
        let threads = match texts.iter().map(|(_, text)| text.len()).sum::<usize>() {
            0..PARALLEL_FROM => 1,
            _ => std::thread::available_parallelism().map_or(1, |n| n.get().min(MOST_PARSERS)),
        };
        let next = AtomicUsize::new(0);
        let work = || {
            let mut parsed = Vec::new();
            let guard = StackGuard::new(parse::PARSE_STACK);
            while let Some((i, (name, text))) = {
                let i = next.fetch_add(1, Ordering::Relaxed);
                texts.get(i).map(|text| (i, text))
            } {
                parsed.push((i, parse::parse(name, text, funcs, guard)));
            }
            parsed
        };
        let mut parsed = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect();
            let mut parsed = work();
            for thread in others {
                parsed.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            parsed
        });
        parsed.sort_unstable_by_key(|(i, _)| *i);
        for (i, trees) in parsed {
            self.add(trees.map_err(|error| (i, error))?);
        }
        Ok(())
    }

    /// Adds parsed definitions by Go's rule of redefinition.
    pub(crate) fn add(&mut self, trees: impl IntoIterator<Item = Arc<Tree>>) {
        for tree in trees {
            if tree.is_empty() && self.lookup(&tree.name).is_some() {
                continue;
            }
            self.trees.insert(Arc::clone(&tree.name), tree);
        }
    }

    /// Name of the set.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a template of this name is defined.
    pub fn is_defined(&self, name: &str) -> bool {
        self.lookup(name).is_some()
    }

    /// The option `missingkey`.
    pub fn missing_key(&self) -> MissingKey {
        self.missing_key
    }

    pub(crate) fn lookup(&self, name: &str) -> Option<&Arc<Tree>> {
        let mut set = self;
        loop {
            match (set.trees.get(name), &set.parent) {
                (Some(tree), _) => return Some(tree),
                (None, Some(parent)) => set = parent,
                (None, None) => return None,
            }
        }
    }

    /// Executes one template: a shortcut for [`Exec::new`] and [`Exec::execute_template`].
    ///
    /// # Errors
    /// See [`Exec::execute_template`].
    pub fn execute(
        self: &Arc<Self>,
        name: &str,
        data: Value,
        funcs: &Funcs,
        limits: &Limits,
    ) -> Result<Str, Error> {
        let host: &dyn Any = &();
        Exec::new(self, funcs, *limits, host).execute_template(name, data)
    }
}
