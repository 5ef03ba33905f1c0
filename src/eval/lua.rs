//! Runs one script under limits.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, Value as LuaValue, VmState};
use serde_json::Value;

use super::lua_clock::Clock;
use super::lua_env::{Prototype, libraries};
use super::lua_json::{from_lua, to_lua};
use super::sandbox::SandboxPool;
use crate::flow::{HealthStatus, Script, ScriptError};

/// How long a script may run.
pub const MAX_RUN: Duration = Duration::from_secs(1);
/// How much memory an interpreter may use, object included.
const MAX_MEMORY: usize = 64 << 20;
/// After so many instructions the deadline is looked at: few, since one that joins texts may copy megabytes.
const INSTRUCTIONS: u32 = 200;
/// So many compiled scripts are kept per interpreter.
const MAX_COMPILED: usize = 256;
/// Longer scripts are refused.
const MAX_SCRIPT: usize = 1 << 20;

/// Runs health scripts: those without the standard libraries in this process, the others in a sandbox.
#[derive(Default)]
pub struct LuaRunner {
    sandbox: Option<SandboxPool>,
}

impl LuaRunner {
    /// A runner whose scripts with `useOpenLibs` go to these sandboxes; without sandboxes they fail.
    pub fn new(sandbox: Option<SandboxPool>) -> Self {
        Self { sandbox }
    }
}

impl Script for LuaRunner {
    fn health(
        &self,
        text: &str,
        open_libs: bool,
        object: &Value,
    ) -> Result<Option<HealthStatus>, ScriptError> {
        let value = match (&self.sandbox, open_libs) {
            (_, false) => run_in_process(text, false, object),
            (Some(sandbox), true) => sandbox.run(text, object),
            (None, true) => Err("scripts with useOpenLibs need a sandbox, which is not there".to_owned()),
        };
        health_of(value.map_err(ScriptError)?).map_err(ScriptError)
    }

    fn run(
        &self,
        text: &str,
        object: &Value,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Value, ScriptError> {
        run_with_parameters(text, false, object, parameters).map_err(ScriptError)
    }
}

/// What a health script returned, as a health status. An empty table or nothing means: no health.
fn health_of(value: Value) -> Result<Option<HealthStatus>, String> {
    let fields = match value {
        Value::Null | Value::Array(_) => return Ok(None),
        Value::Object(fields) => fields,
        other => {
            let found = match other {
                Value::Bool(_) => "boolean",
                Value::Number(_) => "number",
                _ => "string",
            };
            return Err(format!("expect table output from Lua script, not {found}"));
        }
    };
    let text = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(format!("field {name} of the returned table must be a string")),
    };
    let (status, message) = (text("status")?, text("message")?);
    Ok(Some(match status.parse() {
        Ok(code) => HealthStatus::new(code, message),
        Err(_) => HealthStatus::unknown("Lua returned an invalid health status"),
    }))
}

thread_local! {
    /// Interpreters of this thread, without and with the standard libraries. One is dropped after any error.
    static POOL: RefCell<[Option<Interpreter>; 2]> = const { RefCell::new([None, None]) };
}

/// Runs a script on an object in this process, and gives what it returned.
///
/// # Errors
/// In words: syntax, a failure of the script, a limit.
pub(super) fn run_in_process(text: &str, open_libs: bool, object: &Value) -> Result<Value, String> {
    run_with_parameters(text, open_libs, object, &BTreeMap::new())
}

fn run_with_parameters(
    text: &str,
    open_libs: bool,
    object: &Value,
    parameters: &BTreeMap<String, String>,
) -> Result<Value, String> {
    if text.len() > MAX_SCRIPT {
        return Err(format!("the script is longer than {MAX_SCRIPT} bytes"));
    }
    let slot = usize::from(open_libs);
    let pooled = POOL.with_borrow_mut(|pool| pool.get_mut(slot).and_then(Option::take));
    let mut interpreter = match pooled {
        Some(interpreter) => interpreter,
        None => Interpreter::new(open_libs).map_err(|error| message_of(&error))?,
    };
    let result = interpreter.run(text, object, parameters);
    if result.is_ok() {
        POOL.with_borrow_mut(|pool| {
            if let Some(place) = pool.get_mut(slot) {
                *place = Some(interpreter);
            }
        });
    }
    result
}

struct Interpreter {
    lua: Lua,
    prototype: Prototype,
    compiled: BTreeMap<String, Function>,
    clock: Rc<Clock>,
}

impl Interpreter {
    fn new(open_libs: bool) -> mlua::Result<Self> {
        let lua = Lua::new_with(libraries(open_libs), LuaOptions::default())?;
        lua.set_memory_limit(MAX_MEMORY)?;
        let clock = Rc::new(Clock::default());
        let prototype = Prototype::new(&lua, open_libs, &clock)?;
        let of_hook = Rc::clone(&clock);
        lua.set_hook(HookTriggers::new().every_nth_instruction(INSTRUCTIONS), move |_, _| {
            of_hook.check().map(|()| VmState::Continue)
        })?;
        Ok(Self { lua, prototype, compiled: BTreeMap::new(), clock })
    }

    fn run(
        &mut self,
        text: &str,
        object: &Value,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Value, String> {
        let returned = self.call(text, object, parameters);
        self.clock.stop();
        if self.clock.has_expired() {
            return Err(format!("the script ran longer than {} s", MAX_RUN.as_secs()));
        }
        from_lua(&returned.map_err(|error| message_of(&error))?)
    }

    fn call(
        &mut self,
        text: &str,
        object: &Value,
        parameters: &BTreeMap<String, String>,
    ) -> mlua::Result<LuaValue> {
        let object = to_lua(&self.lua, object)?;
        let environment = self.prototype.environment(&self.lua, object)?;
        let given = self.lua.create_table_with_capacity(0, parameters.len())?;
        for (name, value) in parameters {
            given.raw_set(name.as_str(), value.as_str())?;
        }
        environment.raw_set("actionParams", given)?;
        let function = self.compile(text)?;
        function.set_environment(environment)?;
        self.clock.start(MAX_RUN);
        let mut returned: MultiValue = function.call(())?;
        Ok(returned.pop_back().unwrap_or(LuaValue::Nil))
    }

    fn compile(&mut self, text: &str) -> mlua::Result<Function> {
        if let Some(function) = self.compiled.get(text) {
            return Ok(function.clone());
        }
        let function = self.lua.load(text).set_mode(ChunkMode::Text).set_name("=script").into_function()?;
        if self.compiled.len() >= MAX_COMPILED {
            self.compiled.clear();
        }
        self.compiled.insert(text.to_owned(), function.clone());
        Ok(function)
    }
}

/// What went wrong, without the interpreter's stack.
pub(super) fn message_of(error: &mlua::Error) -> String {
    match error {
        mlua::Error::CallbackError { cause, .. } => message_of(cause),
        mlua::Error::MemoryError(_) => "the script used more memory than it may".to_owned(),
        mlua::Error::RuntimeError(message) | mlua::Error::SyntaxError { message, .. } => {
            message.split("\nstack traceback:").next().unwrap_or(message).to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
#[path = "lua_tests.rs"]
mod tests;
