//! The dialect, the limits, and that nothing is left behind.

use serde_json::{Value, json};

use super::*;
use crate::flow::HealthCode;

fn run(text: &str) -> Result<Value, String> {
    run_in_process(text, false, &json!({"status": {"phase": "Ready", "list": [1, 2, 3], "none": null}}))
}

#[test]
fn runs_what_scripts_are_made_of() {
    let script = r#"
        local hs = { status = "Progressing", message = "waiting" }
        for i, n in ipairs(obj.status.list) do
          if n == 1 then goto continue end
          hs.message = "at " .. i .. " of " .. table.getn(obj.status.list)
          ::continue::
        end
        if obj.status.none == nil and obj.status.phase == "Ready" then hs.status = "Healthy" end
        return hs
    "#;
    assert_eq!(run(script), Ok(json!({"status": "Healthy", "message": "at 3 of 3"})));
    assert_eq!(run("return unpack({1, 2})"), Ok(json!(2)));
    assert_eq!(run("return {}"), Ok(json!([])));
    assert_eq!(run("x = 3.0; return {n = tostring(x)}"), Ok(json!({"n": "3"})));
    assert_eq!(run("return os.time({year = 1970, month = 1, day = 2, hour = 0})"), Ok(json!(86_400)));
    assert_eq!(run("return require('os').date('!%Y-%m-%d', 86400)"), Ok(json!("1970-01-02")));
}

#[test]
fn a_failure_is_told_with_its_line() {
    assert_eq!(
        run("\nreturn obj.spec.replicas").unwrap_err(),
        "script:2: attempt to index field 'spec' (a nil value)"
    );
    assert!(run("return (").unwrap_err().contains("script:1:"));
}

#[test]
fn nothing_harmful_is_there() {
    for name in
        ["io", "load", "loadstring", "dofile", "loadfile", "collectgarbage", "string", "debug", "coroutine"]
    {
        assert_eq!(run(&format!("return {name}")), Ok(Value::Null), "{name}");
    }
    assert_eq!(run("return os.execute"), Ok(Value::Null));
    assert!(run("setmetatable({}, {__gc = function() end})").is_err());
    assert!(run("\u{1b}Lua").is_err());
}

#[test]
fn each_run_has_a_fresh_environment() {
    assert_eq!(run("leaked = 1; table.insert = nil; return 1"), Ok(json!(1)));
    assert_eq!(run("return leaked"), Ok(Value::Null));
    assert_eq!(run("local t = {}; table.insert(t, 'a'); return t"), Ok(json!(["a"])));
}

#[test]
fn loops_end_even_inside_of_pcall() {
    for script in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "local function f() return f() end return f()",
    ] {
        assert_eq!(run(script).unwrap_err(), "the script ran longer than 1 s", "{script}");
    }
}

#[test]
fn memory_is_bounded_and_the_next_script_runs() {
    for script in [
        "local t = {} while true do t[#t + 1] = {1, 2, 3, 4, 5, 6, 7, 8} end",
        "local s = 'x' while true do s = s .. s end",
        "local function f() return 1 + f() end return f()",
    ] {
        assert!(run(script).is_err(), "{script}");
    }
    assert_eq!(run("return 1"), Ok(json!(1)));
}

/// Each goes round a limit in its own way. A run that comes back at all has been cut off: nothing else ends them.
#[test]
fn bombs_are_cut_off() {
    let time = "the script ran longer than 1 s";
    let memory = "the script used more memory than it may";
    let cases = [
        ("::again:: goto again", time),
        ("local t = {} for i = 1, 1e8 do t[i] = i end", memory),
        ("local t = {} while true do t[{}] = {} end", memory),
        ("local s = ('x') for i = 1, 24 do s = s .. s end while true do local t = s .. 'y' end", time),
        ("local function f(n) return pcall(f, n) end while true do f() end", time),
        ("while true do xpcall(error, function() error('again') end) end", "again"),
        (
            "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return t[1]",
            "stack overflow",
        ),
        ("local t = {} setmetatable(t, {__index = t, __newindex = t}) return t.x", "loop in gettable"),
        (
            "local t = setmetatable({}, {__len = function() return 1e9 end}) table.insert(t, 1, 'x')",
            "length of its own",
        ),
        (
            "local t = setmetatable({}, {__len = function() return 1e9 end}) table.remove(t, 1)",
            "length of its own",
        ),
        (
            "local t = setmetatable({}, {__len = function() return 1e9 end}) table.sort(t, rawequal)",
            "length of its own",
        ),
        ("local t = {} for i = 1, 2e5 do t[i] = {} end table.sort(t, rawequal)", "is not sorted"),
        ("local t = {} for i = 1, 1e6 do t[i] = 1 end while true do table.insert(t, 1, 1) end", time),
        ("table.unpack({}, 1, 1e8)", "too many results to unpack"),
        ("return select('#', unpack({}, 1, 1e7))", "too many results to unpack"),
        ("local t = {1, 2, 3} table.sort(t, function() while true do end end)", time),
        ("setmetatable({}, {__tostring = function() while true do end end}).x = tostring(1)", ""),
        ("local t = {x = 1} for i = 1, 60 do t = {t, t} end return t", "more than it may"),
        ("local t = {} t.t = t return t", "holds itself"),
        (
            "local s = ('x') for i = 1, 20 do s = s .. s end local t = {} for i = 1, 1000 do t[i] = s end return t",
            "more than it may",
        ),
        ("string.rep('x', 1e9)", "attempt to index global 'string'"),
        ("coroutine.wrap(function() end)()", "attempt to index global 'coroutine'"),
        ("error(setmetatable({}, {__tostring = function() while true do end end}))", ""),
        ("collectgarbage('stop')", "attempt to call global 'collectgarbage'"),
    ];
    for (script, words) in cases {
        let outcome = run(script);
        if words.is_empty() {
            continue;
        }
        let failure = outcome.expect_err(script);
        // On a slow machine the time may be over before the memory is full.
        let cut_off = failure.contains(words) || words == memory && failure == time;
        assert!(cut_off, "{script}: {failure}");
    }
    assert_eq!(run("return 1"), Ok(json!(1)));
}

#[test]
fn actions_get_their_parameters() {
    let runner = LuaRunner::new(None);
    let script = "obj.spec.replicas = tonumber(actionParams['replicas']); return obj";
    let parameters = std::collections::BTreeMap::from([("replicas".to_owned(), "3".to_owned())]);
    let returned = runner.run(script, &json!({"spec": {"replicas": 1, "list": []}}), &parameters);
    assert_eq!(returned, Ok(json!({"spec": {"replicas": 3, "list": []}})));
    assert_eq!(run("return actionParams['replicas']"), Ok(Value::Null));
}

#[test]
fn a_health_is_a_table_with_two_texts() {
    let runner = LuaRunner::new(None);
    let health = |text: &str| runner.health(text, false, &json!({}));
    let healthy = health("return {status = 'Healthy', message = 'fine'}").unwrap().unwrap();
    assert_eq!((healthy.status, healthy.message.as_str()), (HealthCode::Healthy, "fine"));
    let invalid = health("return {status = 'Great'}").unwrap().unwrap();
    assert_eq!(invalid.message, "Lua returned an invalid health status");
    assert_eq!(health("return nil"), Ok(None));
    assert_eq!(health("return {}"), Ok(None));
    assert!(health("return 'Healthy'").is_err());
    assert!(health("return {status = 1}").is_err());
}
