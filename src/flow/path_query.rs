//! What finds the places in an object that a jq expression names: traits here, so that pure rooms can ask without
//! knowing an interpreter.

use std::fmt::Debug;
use std::sync::Arc;

use serde_json::Value;

use super::ScriptError;

/// One step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathStep {
    /// An item of a list.
    Item(usize),
    /// A field of an object.
    Field(String),
}

/// A compiled expression that selects places in a value.
pub trait PathQuery: Debug + Send + Sync {
    /// The places, in the order in which the expression gives them. A place need not exist in the value.
    ///
    /// # Errors
    /// Where the expression fails on this value, names something that is no place, or runs into a limit.
    fn paths(&self, value: &Value) -> Result<Vec<Vec<PathStep>>, ScriptError>;
}

/// Compiles path expressions. Implemented by `eval`.
pub trait PathLanguage {
    /// Compiles the text of an expression such as `.spec.containers[] | select(.name == "proxy")`.
    ///
    /// # Errors
    /// Where the text is no expression, or one that is not allowed here; the message says what to write.
    fn compile(&self, text: &str) -> Result<Arc<dyn PathQuery>, ScriptError>;
}
