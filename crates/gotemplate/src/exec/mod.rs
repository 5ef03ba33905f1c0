//! The executor: walks parsed templates over data and writes text.

use std::any::Any;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::func::Funcs;
use crate::limits::Limits;
use crate::template::TemplateSet;
use crate::value::{Str, Value};

/// One execution: templates, functions, the host's state, and what is left of the limits.
///
/// One `Exec` may execute many templates of a set, one after the other (a chart); the limits are for all together.
/// Functions get it too, to execute templates themselves and to charge for what they do.
pub struct Exec<'a> {
    set: Arc<TemplateSet>,
    funcs: &'a Funcs,
    host: &'a dyn Any,
    limits: Limits,
}

impl<'a> Exec<'a> {
    /// Prepares an execution. `host` is whatever the functions want to find with [`Exec::host`].
    pub fn new(set: &Arc<TemplateSet>, funcs: &'a Funcs, limits: Limits, host: &'a dyn Any) -> Self {
        Exec { set: Arc::clone(set), funcs, host, limits }
    }

    /// Executes the template `name` of the current set: Go's `t.ExecuteTemplate`, and Helm's `include` when a function
    /// calls it. Inside [`Exec::execute_text`] the current set includes what that text defined.
    ///
    /// # Errors
    /// An [`ErrorKind::Exec`] in Go's wording, `template: NAME:LINE:COLUMN: executing …`, or
    /// `template: no template "x" associated with template "y"`, or an [`ErrorKind::Limit`].
    pub fn execute_template(&mut self, name: &str, data: Value) -> Result<Str, Error> {
        let _ = (name, data);
        Err(Error::of(ErrorKind::Exec, "not implemented"))
    }

    /// Parses a text on top of the current set and executes it: Helm's `tpl`. The text gets the name of the set.
    ///
    /// # Errors
    /// An [`ErrorKind::Parse`], or what [`Exec::execute_template`] gives.
    pub fn execute_text(&mut self, text: &str, data: Value) -> Result<Str, Error> {
        let _ = (text, data);
        Err(Error::of(ErrorKind::Exec, "not implemented"))
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
        let _ = n;
        Ok(())
    }

    /// Charges `n` bytes of text that is about to be built (`repeat`, `toYaml`): call it before building.
    ///
    /// # Errors
    /// The limit is used up.
    pub fn charge_bytes(&mut self, n: u64) -> Result<(), Error> {
        let _ = n;
        Ok(())
    }

    /// Go's `fmt.Sprint`, charged.
    ///
    /// # Errors
    /// The result would be larger than what is left, or the value contains itself.
    pub fn sprint(&mut self, values: &[Value]) -> Result<Str, Error> {
        let _ = values;
        Ok(Str::default())
    }

    /// Go's `fmt.Sprintf`, charged.
    ///
    /// # Errors
    /// As [`Exec::sprint`].
    pub fn sprintf(&mut self, format: &Str, values: &[Value]) -> Result<Str, Error> {
        let _ = (format, values);
        Ok(Str::default())
    }
}
