//! The functions of sprig 3.3.

use crate::func::Func;

/// All functions of sprig's text function map.
pub const FUNCS: &[Func] = &[];
