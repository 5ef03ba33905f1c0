//! Scripts that try to take the controller down, with the standard libraries open: they run in a child that is killed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;
use tiphys::api::HealthCode;
use tiphys::eval::{LuaRunner, SandboxPool};
use tiphys::flow::Reason;
use tiphys::health::{Customizations, HealthScript, assess};

/// Patterns and `rep` are loops that no hook interrupts, and texts are memory.
const BOMBS: [&str; 9] = [
    "return ('a'):rep(28):find(('a*'):rep(28) .. 'b')",
    "return (('x'):rep(1000)):gsub(('.-'):rep(20) .. 'y', '')",
    "return ('x'):rep(1e10)",
    "local s = 'x' while true do s = s:rep(2) end",
    "local t = {} for i = 1, 1e8 do t[i] = tostring(i) end",
    "while true do pcall(string.rep, 'x', 1e9) end",
    "return ('%99999d'):format(1)",
    "return math.random(0)(1)",
    "while true do pcall(function() return ('a'):rep(40):match(('a-'):rep(40) .. 'b') end) end",
];

#[test]
fn each_bomb_makes_its_object_unknown_and_nothing_else() {
    let runner = LuaRunner::new(Some(SandboxPool::new(PathBuf::from(env!("CARGO_BIN_EXE_tiphys")))));
    let object =
        json!({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g"}, "status": {}});
    let health = |text: &str| {
        let script = HealthScript { text: text.to_owned(), open_libs: true };
        let scripts = BTreeMap::from([("example.com/Gadget".to_owned(), script)]);
        assess(&object, &Customizations::new(scripts, &runner)).unwrap()
    };
    for bomb in BOMBS {
        let health = health(bomb);
        assert_eq!((health.status, health.reason), (HealthCode::Unknown, Some(Reason::RuleFailed)), "{bomb}");
        assert!(!health.message.is_empty(), "{bomb}");
    }
    let fine = health("return {status = 'Healthy', message = string.upper('fine')}");
    assert_eq!((fine.status, fine.message.as_str()), (HealthCode::Healthy, "FINE"));
}
