//! Users' code under limits: health scripts and resource actions in Lua, path expressions in jq.
//!
//! Scripts that do without the standard libraries run in process: no clock but `os.time`, no files, no strings
//! library (whose patterns cannot be interrupted), an instruction hook with a deadline, a memory limit. Scripts with
//! `useOpenLibs` run in a `tiphys sandbox` child that is killed when its second is over.
//!
//! The dialect is what Argo CD runs, Lua 5.1 with `goto`: Lua 5.2 with the functions of 5.1 that scripts use.

mod jq;
mod jq_run;
mod lua;
mod lua_clock;
mod lua_env;
mod lua_json;
mod sandbox;

pub use jq::JqPaths;
pub use lua::{LuaRunner, MAX_RUN};
pub use sandbox::{SandboxPool, serve_sandbox};
