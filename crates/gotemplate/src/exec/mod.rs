//! The executor: walks parsed templates over data and writes text.

mod arg;
mod builtin;
mod call;
mod compare;
mod escape;
mod eval;
mod slot;
mod walk;

use std::any::Any;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::fmt;
use crate::func::Funcs;
use crate::limits::Limits;
use crate::parse::ast::At;
use crate::parse::{self, Tree};
use crate::stack::StackGuard;
use crate::strconv::quote;
use crate::template::TemplateSet;
use crate::value::{Str, Value};
pub(crate) use builtin::Builtin;
use slot::Slot;

/// One execution: templates, functions, the host's state, and what is left of the limits.
///
/// One `Exec` may execute many templates of a set, one after the other (a chart); the limits are for all together.
/// Functions get it too, to execute templates themselves and to charge for what they do.
pub struct Exec<'a> {
    set: Arc<TemplateSet>,
    funcs: &'a Funcs,
    host: &'a dyn Any,
    limits: Limits,
    steps_left: u64,
    bytes_left: u64,
    depth: u32,
    guard: Option<StackGuard>,
    out: Vec<u8>,
    vars: Vec<Var>,
    /// Where the variables of the current template begin.
    frame: usize,
    /// The template being executed and the node it came to last: the place that an error names.
    tree: Option<Arc<Tree>>,
    at: At,
    /// Texts that [`Exec::execute_text`] has parsed. They count as bytes built, so the limit bounds this too.
    texts: HashMap<Box<[u8]>, Rc<[Arc<Tree>]>>,
}

/// A variable, by the identity of its name in its source.
struct Var {
    name: u32,
    slot: Slot,
}

/// Machine stack that must be left when a template is entered.
const TEMPLATE_RESERVE: usize = 128 << 10;

/// The dollar sign alone.
const DOLLAR: u32 = 0;

/// What an execution inside another one must put back when it ends.
struct Outer {
    out: Vec<u8>,
    frame: usize,
    vars: usize,
    tree: Option<Arc<Tree>>,
    at: At,
    depth: u32,
}

impl<'a> Exec<'a> {
    /// Prepares an execution. `host` is whatever the functions want to find with [`Exec::host`].
    pub fn new(set: &Arc<TemplateSet>, funcs: &'a Funcs, limits: Limits, host: &'a dyn Any) -> Self {
        Exec {
            set: Arc::clone(set),
            funcs,
            host,
            limits,
            steps_left: limits.steps,
            bytes_left: limits.bytes,
            depth: 0,
            guard: None,
            out: Vec::new(),
            vars: Vec::new(),
            frame: 0,
            tree: None,
            at: At::default(),
            texts: HashMap::new(),
        }
    }

    /// Executes the template `name` of the current set: Go's `t.ExecuteTemplate`, and Helm's `include` when a function
    /// calls it. Inside [`Exec::execute_text`] the current set includes what that text defined.
    ///
    /// # Errors
    /// An [`ErrorKind::Exec`] in Go's wording, `template: NAME:LINE:COLUMN: executing …`, or
    /// `template: no template "x" associated with template "y"`, or an [`ErrorKind::Limit`].
    pub fn execute_template(&mut self, name: &str, data: Value) -> Result<Str, Error> {
        let Some(tree) = self.set.lookup(name).cloned() else {
            let (name, set) = (quote(name.as_bytes()), quote(self.set.name().as_bytes()));
            return Err(Error::new(format!("template: no template {name} associated with template {set}")));
        };
        self.execute_tree(tree, data)
    }

    /// Parses a text on top of the current set and executes it: Helm's `tpl`. The text gets the name of the set.
    ///
    /// # Errors
    /// An [`ErrorKind::Parse`], or what [`Exec::execute_template`] gives.
    pub fn execute_text(&mut self, text: impl AsRef<[u8]>, data: Value) -> Result<Str, Error> {
        let text = text.as_ref();
        self.charge_bytes(text.len() as u64)?;
        if memchr::memmem::find(text, b"{{").is_none() {
            return Ok(Str::from_bytes(text));
        }
        let trees = self.parsed(text)?;
        let Some(main) = trees.iter().find(|t| *t.name == *self.set.name()).cloned() else {
            return Ok(Str::default());
        };
        let mut set = TemplateSet::extend(&self.set);
        set.add(trees.iter().cloned());
        let outer = std::mem::replace(&mut self.set, Arc::new(set));
        let result = self.execute_tree(main, data);
        self.set = outer;
        result
    }

    /// Parses a text, or finds it among those parsed before: charts evaluate the same one again and again.
    fn parsed(&mut self, text: &[u8]) -> Result<Rc<[Arc<Tree>]>, Error> {
        if let Some(trees) = self.texts.get(text) {
            return Ok(Rc::clone(trees));
        }
        let guard = self.guard.unwrap_or(StackGuard::new(parse::PARSE_STACK));
        let trees: Rc<[_]> = parse::parse(self.set.name(), &Arc::from(text), self.funcs, guard)?.into();
        self.texts.insert(text.into(), Rc::clone(&trees));
        Ok(trees)
    }

    fn execute_tree(&mut self, tree: Arc<Tree>, data: Value) -> Result<Str, Error> {
        let outermost = self.guard.is_none();
        if outermost {
            self.guard = Some(StackGuard::new(self.limits.stack));
        }
        let outer = Outer {
            out: std::mem::take(&mut self.out),
            frame: self.frame,
            vars: self.vars.len(),
            tree: self.tree.take(),
            at: self.at,
            depth: self.depth,
        };
        self.depth += 1;
        let result = self.run(tree, Slot::of(data));
        self.depth = outer.depth;
        let text = std::mem::replace(&mut self.out, outer.out);
        self.vars.truncate(outer.vars);
        self.frame = outer.frame;
        self.tree = outer.tree;
        self.at = outer.at;
        if outermost {
            self.guard = None;
        }
        result.map(|()| text.into())
    }

    /// Executes a tree into the current output, in a frame of variables of its own.
    fn run(&mut self, tree: Arc<Tree>, dot: Slot) -> Result<(), Error> {
        self.frame = self.vars.len();
        self.vars.push(Var { name: DOLLAR, slot: dot.clone() });
        self.at = tree.root.at;
        self.tree = Some(Arc::clone(&tree));
        self.check_depth()?;
        self.walk_list(&tree, &dot, &tree.root)?;
        Ok(())
    }

    /// Before one more template is entered. Recursion without end is noticed here and not somewhere inside a template,
    /// so that the error names the invocation, as Go's does.
    fn check_depth(&self) -> Result<(), Error> {
        let exhausted = self.guard.is_some_and(|g| g.exhausted(TEMPLATE_RESERVE.min(self.limits.stack / 4)));
        if exhausted || self.depth > self.limits.depth {
            let message = format!("exceeded maximum template depth ({})", self.limits.depth);
            return Err(self.limit_error(&message));
        }
        Ok(())
    }

    /// Before a control structure or pipeline is entered.
    fn check_stack(&self) -> Result<(), Error> {
        match &self.guard {
            Some(guard) if guard.exhausted(0) => {
                let message =
                    format!("expressions are nested too deep for a stack of {} bytes", self.limits.stack);
                Err(self.limit_error(&message))
            }
            _ => Ok(()),
        }
    }

    /// The host's state, when it is of this type.
    pub fn host<T: 'static>(&self) -> Option<&'a T> {
        self.host.downcast_ref()
    }

    /// The set whose templates are executed now.
    pub fn templates(&self) -> &Arc<TemplateSet> {
        &self.set
    }

    /// The functions that templates may call.
    pub fn funcs(&self) -> &'a Funcs {
        self.funcs
    }

    /// The limits that this execution began with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Charges `n` steps: a function calls it for work that grows with its arguments (elements visited, bytes scanned / 64).
    ///
    /// # Errors
    /// The limit is used up.
    pub fn charge_steps(&mut self, n: u64) -> Result<(), Error> {
        match self.steps_left.checked_sub(n) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => Err(self.limit_error(&format!("exceeded the limit of {} steps", self.limits.steps))),
        }
    }

    /// Charges `n` bytes of text that is about to be built (`repeat`, `toYaml`): call it before building.
    ///
    /// # Errors
    /// The limit is used up.
    pub fn charge_bytes(&mut self, n: u64) -> Result<(), Error> {
        match self.bytes_left.checked_sub(n) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            }
            None => {
                Err(self.limit_error(&format!("exceeded the limit of {} bytes of text", self.limits.bytes)))
            }
        }
    }

    fn bytes_max(&self) -> usize {
        usize::try_from(self.bytes_left).unwrap_or(usize::MAX)
    }

    fn charged(&mut self, text: Result<Str, Error>) -> Result<Str, Error> {
        let text = text.map_err(|e| self.limit_error(e.message()))?;
        self.charge_bytes(text.len() as u64)?;
        Ok(text)
    }

    /// Go's `fmt.Sprint`, charged.
    ///
    /// # Errors
    /// The result would be larger than what is left, or the value contains itself.
    pub fn sprint(&mut self, values: &[Value]) -> Result<Str, Error> {
        let text = fmt::sprint(values, self.bytes_max());
        self.charged(text)
    }

    /// Go's `fmt.Sprintf`, charged.
    ///
    /// # Errors
    /// As [`Exec::sprint`].
    pub fn sprintf(&mut self, format: &Str, values: &[Value]) -> Result<Str, Error> {
        let text = fmt::sprintf(format, values, self.bytes_max());
        self.charged(text)
    }

    /// An error at the current place.
    fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::of(ErrorKind::Exec, self.located(message))
    }

    /// An error at the current place that wraps another one, whose text follows the prefix.
    fn wrap(&self, prefix: impl std::fmt::Display, cause: Error) -> Error {
        Error::with_cause(ErrorKind::Exec, self.located(prefix), cause)
    }

    fn limit_error(&self, message: &str) -> Error {
        Error::of(ErrorKind::Limit, self.located(message))
    }

    fn located(&self, message: impl std::fmt::Display) -> String {
        match &self.tree {
            Some(tree) => {
                let (place, name) = (tree.source.location(self.at.pos), quote(tree.name.as_bytes()));
                format!("template: {place}: executing {name} at <{}>: {message}", tree.node_text(self.at))
            }
            None => message.to_string(),
        }
    }
}
