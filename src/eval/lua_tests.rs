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
