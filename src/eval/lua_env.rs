//! What a script finds: the functions of the base and table libraries that cannot harm, a safe `os`, and, where the
//! standard libraries are open, `string` and `math`. Made anew for each run.

use std::rc::Rc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use mlua::{Function, Lua, MultiValue, StdLib, Table, Value as LuaValue};

use super::lua_clock::Clock;

/// Longer lists are not sorted: nothing interrupts a sort whose order is not a script's.
const MAX_SORTED: usize = 100_000;

/// Base functions that are handed on as they are.
const BASE: &[&str] = &[
    "assert", "error", "ipairs", "next", "pairs", "rawequal", "rawget", "rawlen", "rawset", "select",
    "tonumber", "tostring", "type",
];

/// The libraries that the interpreter is made with.
pub(super) fn libraries(open_libs: bool) -> StdLib {
    if open_libs { StdLib::TABLE | StdLib::STRING | StdLib::MATH } else { StdLib::TABLE }
}

/// The functions of one interpreter, made once; scripts only ever see copies of the tables.
pub(super) struct Prototype {
    base: Vec<(&'static str, LuaValue)>,
    modules: Vec<(&'static str, Vec<(String, LuaValue)>)>,
}

impl Prototype {
    pub(super) fn new(lua: &Lua, open_libs: bool, clock: &Rc<Clock>) -> mlua::Result<Self> {
        let globals = lua.globals();
        let mut base = Vec::new();
        for name in BASE {
            base.push((*name, globals.raw_get(*name)?));
        }
        let mut table = entries(&globals.raw_get("table")?)?;
        for (name, function) in &mut table {
            if let LuaValue::Function(original) = function {
                *function = LuaValue::Function(bounded(lua, name, original.clone(), clock)?);
            }
        }
        let unpack = table.iter().find(|(name, _)| name == "unpack").map(|(_, function)| function.clone());
        base.push(("unpack", unpack.unwrap_or(LuaValue::Nil)));
        let getn = lua.create_function(|_, list: Table| Ok(list.raw_len()))?;
        table.push(("getn".to_owned(), LuaValue::Function(getn)));
        base.push(("print", LuaValue::Function(lua.create_function(|_, _: MultiValue| Ok(()))?)));
        base.push(("pcall", LuaValue::Function(protected_call(lua, clock)?)));
        base.push(("xpcall", LuaValue::Function(protected_call_with_handler(lua, clock)?)));
        base.push(("setmetatable", LuaValue::Function(set_metatable(lua)?)));
        base.push(("getmetatable", LuaValue::Function(get_metatable(lua)?)));
        base.push(("_VERSION", LuaValue::String(lua.create_string("Lua 5.1")?)));
        let mut modules = vec![("table", table), ("os", safe_os(lua)?)];
        for name in if open_libs { &["string", "math"][..] } else { &[] } {
            modules.push((*name, entries(&globals.raw_get(*name)?)?));
        }
        Ok(Self { base, modules })
    }

    /// A fresh environment with the object in it.
    pub(super) fn environment(&self, lua: &Lua, object: LuaValue) -> mlua::Result<Table> {
        let environment = lua.create_table_with_capacity(0, 32)?;
        for (name, value) in &self.base {
            environment.raw_set(*name, value)?;
        }
        let loaded = lua.create_table_with_capacity(0, self.modules.len())?;
        for (name, functions) in &self.modules {
            let module = lua.create_table_with_capacity(0, functions.len())?;
            for (function, value) in functions {
                module.raw_set(function.as_str(), value)?;
            }
            loaded.raw_set(*name, &module)?;
            environment.raw_set(*name, module)?;
        }
        let require = lua.create_function(move |_, name: String| match loaded.raw_get(name.as_str())? {
            LuaValue::Nil => Err(mlua::Error::runtime(format!("module {name:?} is not there"))),
            module => Ok(module),
        })?;
        environment.raw_set("require", require)?;
        environment.raw_set("obj", object)?;
        environment.raw_set("_G", &environment)?;
        Ok(environment)
    }
}

/// A function of the table library, whose loops no hook interrupts, for lists of a true length alone and not after the
/// script's time.
fn bounded(lua: &Lua, name: &str, original: Function, clock: &Rc<Clock>) -> mlua::Result<Function> {
    let (clock, sorts) = (Rc::clone(clock), name == "sort");
    lua.create_function(move |_, arguments: MultiValue| {
        clock.check()?;
        if let Some(LuaValue::Table(list)) = arguments.front() {
            if let Some(metatable) = list.metatable()
                && metatable.raw_get::<LuaValue>("__len")? != LuaValue::Nil
            {
                return Err(mlua::Error::runtime("the table library takes no list with a length of its own"));
            }
            if sorts && list.raw_len() > MAX_SORTED {
                return Err(mlua::Error::runtime(format!("a list of more than {MAX_SORTED} is not sorted")));
            }
        }
        original.call::<MultiValue>(arguments)
    })
}

fn entries(table: &Table) -> mlua::Result<Vec<(String, LuaValue)>> {
    table.pairs::<String, LuaValue>().collect()
}

/// `pcall` that cannot swallow the end of a script's time.
fn protected_call(lua: &Lua, clock: &Rc<Clock>) -> mlua::Result<Function> {
    let clock = Rc::clone(clock);
    lua.create_function(move |lua, (function, arguments): (LuaValue, MultiValue)| {
        answer(lua, call(&function, arguments), &clock)
    })
}

fn protected_call_with_handler(lua: &Lua, clock: &Rc<Clock>) -> mlua::Result<Function> {
    let clock = Rc::clone(clock);
    lua.create_function(move |lua, (function, handler, arguments): (LuaValue, Function, MultiValue)| {
        let mut values = answer(lua, call(&function, arguments), &clock)?;
        if matches!(values.front(), Some(LuaValue::Boolean(false))) {
            values.pop_front();
            let mut handled: MultiValue = handler.call(values)?;
            handled.push_front(LuaValue::Boolean(false));
            return Ok(handled);
        }
        Ok(values)
    })
}

fn call(function: &LuaValue, arguments: MultiValue) -> mlua::Result<MultiValue> {
    match function {
        LuaValue::Function(function) => function.call(arguments),
        other => Err(mlua::Error::runtime(format!("attempt to call a {} value", other.type_name()))),
    }
}

fn answer(lua: &Lua, result: mlua::Result<MultiValue>, clock: &Clock) -> mlua::Result<MultiValue> {
    match result {
        Ok(mut values) => {
            values.push_front(LuaValue::Boolean(true));
            Ok(values)
        }
        Err(error) if clock.has_expired() || matches!(error, mlua::Error::MemoryError(_)) => Err(error),
        Err(error) => {
            let message = LuaValue::String(lua.create_string(super::lua::message_of(&error))?);
            Ok(MultiValue::from_iter([LuaValue::Boolean(false), message]))
        }
    }
}

/// `setmetatable` without `__gc`: finalizers run where no hook can stop them.
fn set_metatable(lua: &Lua) -> mlua::Result<Function> {
    lua.create_function(|_, (table, metatable): (Table, Option<Table>)| {
        if let Some(metatable) = &metatable
            && metatable.raw_get::<LuaValue>("__gc")? != LuaValue::Nil
        {
            return Err(mlua::Error::runtime("finalizers are not allowed"));
        }
        table.set_metatable(metatable)?;
        Ok(table)
    })
}

/// `getmetatable` of tables alone: the one of strings is shared between runs.
fn get_metatable(lua: &Lua) -> mlua::Result<Function> {
    lua.create_function(|_, value: LuaValue| match value {
        LuaValue::Table(table) => Ok(table.metatable()),
        _ => Ok(None),
    })
}

fn safe_os(lua: &Lua) -> mlua::Result<Vec<(String, LuaValue)>> {
    let time = lua.create_function(|_, fields: Option<Table>| match fields {
        None => Ok(Timestamp::now().as_second() as f64),
        Some(fields) => time_of(&fields),
    })?;
    let date = lua.create_function(|lua, (format, time): (Option<String>, Option<f64>)| {
        date_of(lua, &format.unwrap_or_else(|| "%c".to_owned()), time)
    })?;
    Ok(vec![("time".to_owned(), LuaValue::Function(time)), ("date".to_owned(), LuaValue::Function(date))])
}

/// Seconds since 1970 of broken-down time; fields beyond their range carry over.
fn time_of(fields: &Table) -> mlua::Result<f64> {
    let field = |name: &str, otherwise: Option<i64>| -> mlua::Result<i64> {
        let value = match fields.get::<LuaValue>(name)? {
            LuaValue::Integer(number) => Some(number),
            LuaValue::Number(number) => Some(number as i64),
            LuaValue::String(text) => text.to_string_lossy().trim().parse().ok(),
            _ => None,
        };
        value
            .or(otherwise)
            .ok_or_else(|| mlua::Error::runtime(format!("field '{name}' missing in date table")))
    };
    let (year, month, day) = (field("year", None)?, field("month", None)?, field("day", None)?);
    let (hour, minute, second) = (field("hour", Some(12))?, field("min", Some(0))?, field("sec", Some(0))?);
    let outside = || mlua::Error::runtime("the time is out of range");
    let months = year.checked_mul(12).and_then(|months| months.checked_add(month - 1)).ok_or_else(outside)?;
    let year = i16::try_from(months.div_euclid(12)).map_err(|_| outside())?;
    let month = i8::try_from(months.rem_euclid(12) + 1).map_err(|_| outside())?;
    let start = civil::Date::new(year, month, 1).map_err(|_| outside())?.at(0, 0, 0, 0);
    let start = start.to_zoned(TimeZone::UTC).map_err(|_| outside())?.timestamp().as_second();
    let rest = (day - 1) as f64 * 86_400.0 + hour as f64 * 3600.0 + minute as f64 * 60.0 + second as f64;
    Ok(start as f64 + rest)
}

fn date_of(lua: &Lua, format: &str, time: Option<f64>) -> mlua::Result<LuaValue> {
    let outside = |_| mlua::Error::runtime("the time is out of range");
    let timestamp = match time {
        Some(seconds) => Timestamp::from_second(seconds as i64).map_err(outside)?,
        None => Timestamp::now(),
    };
    let zoned = timestamp.to_zoned(TimeZone::UTC);
    let format = format.strip_prefix('!').unwrap_or(format);
    if format.starts_with("*t") {
        let table = lua.create_table()?;
        let fields: [(&str, i64); 8] = [
            ("year", zoned.year().into()),
            ("month", zoned.month().into()),
            ("day", zoned.day().into()),
            ("hour", zoned.hour().into()),
            ("min", zoned.minute().into()),
            ("sec", zoned.second().into()),
            ("wday", i64::from(zoned.weekday().to_sunday_one_offset())),
            ("yday", zoned.day_of_year().into()),
        ];
        for (name, value) in fields {
            table.raw_set(name, value)?;
        }
        return Ok(LuaValue::Table(table));
    }
    let text = jiff::fmt::strtime::format(format, &zoned)
        .map_err(|error| mlua::Error::runtime(format!("cannot format a date: {error}")))?;
    Ok(LuaValue::String(lua.create_string(text)?))
}
