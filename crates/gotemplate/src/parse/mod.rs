//! From text to syntax tree.

use std::sync::Arc;

use crate::error::Error;
use crate::func::Funcs;

/// One parsed template.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) name: Arc<str>,
}

impl Tree {
    pub(crate) fn is_empty(&self) -> bool {
        false
    }
}

pub(crate) fn parse(name: &str, _text: &str, _funcs: &Funcs) -> Result<Vec<Arc<Tree>>, Error> {
    Ok(vec![Arc::new(Tree { name: name.into() })])
}
