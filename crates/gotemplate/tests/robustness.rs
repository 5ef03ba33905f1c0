//! Bad input: no panic, no overflow of the stack, no end of patience.

use std::sync::Arc;

use gotemplate::value::CycleGuard;
use gotemplate::value::types::DICT;
use gotemplate::{ErrorKind, Func, Funcs, Limits, Map, MissingKey, TemplateSet, Type, Value};
use serde_json::Value as Json;

use crate::case::Case;
use crate::generate::{Generator, Random};

const SET: &[Type] = &[Type::Map(&DICT), Type::String, Type::Any];

const FUNCS: &[Func] = &[
    Func::variadic("list", &[], Type::Any, |_, args| Ok(args.to_vec().into())),
    Func::new("dict", &[], |_, _| Ok(Map::new().into())),
    Func::new("set", SET, |_, args| {
        if let [Value::Map(map), Value::String(key), value] = args {
            map.insert(key.clone(), value.clone());
        }
        Ok(args[0].clone())
    }),
    Func::new("include", &[Type::String, Type::Any], |exec, args| {
        let name = args[0].as_str().unwrap().to_string();
        exec.execute_template(&name, args[1].clone()).map(Value::from)
    }),
    Func::new("tpl", &[Type::String, Type::Any], |exec, args| {
        exec.execute_text(args[0].as_str().unwrap(), args[1].clone()).map(Value::from)
    }),
];

fn run(text: &str, limits: &Limits) -> Result<String, gotemplate::Error> {
    let funcs = Funcs::new().with(FUNCS);
    let mut set = TemplateSet::new("gotpl", MissingKey::Zero);
    set.parse("t", text, &funcs)?;
    Arc::new(set).execute("t", Map::new().into(), &funcs, limits).map(|s| s.to_string())
}

fn limited(text: &str) -> String {
    let error = run(text, &Limits { steps: 1_000_000, bytes: 1 << 20, ..Limits::default() }).unwrap_err();
    assert!(error.is(ErrorKind::Limit), "{text}: {error}");
    error.to_string()
}

#[test]
fn random_bytes_do_not_panic() {
    let mut random = Random::new(3);
    for _ in 0..3_000 {
        let length = random.below(60);
        let text: String = (0..length)
            .map(|_| {
                let alphabet =
                    "{{{}}}()|.$:=\"'`\\ \n-/*,09xie+ab_éif end range with define template nil true";
                alphabet.chars().nth(random.below(alphabet.chars().count())).unwrap()
            })
            .collect();
        let _ = Case::one(&text, Json::Null).run();
    }
}

#[test]
fn invalid_utf8_is_text() {
    let mut set = TemplateSet::new("gotpl", MissingKey::Zero);
    set.parse("t", b"\xff{{\"\xfe\"}}{{`\xfe`}}\xff{{- /* \xff */ -}}", &Funcs::new()).unwrap();
    let text = Arc::new(set).execute("t", Value::Nil, &Funcs::new(), &Limits::default()).unwrap();
    assert_eq!(text.as_bytes(), b"\xff\xef\xbf\xbd\xfe\xff");
}

#[test]
fn generated_templates_do_not_panic() {
    for seed in 0..2_000 {
        let _ = Generator::new(seed, seed % 2 == 1).case().run();
    }
}

#[test]
fn endless_work_ends() {
    assert!(limited("{{range 9000000000000000000}}{{end}}").contains("exceeded the limit of 1000000 steps"));
    assert!(limited("{{range 9000000000000000000}}xxxxxxxxxxxxxxxxx{{end}}").contains("bytes of text"));
    assert!(limited("{{printf \"%1000000d%1000000d\" 1 1}}").contains("limit of bytes"));
    assert!(limited("{{$x := \"a\"}}{{range 100}}{{$x = print $x $x}}{{end}}").contains("limit of bytes"));
    limited("{{define \"r\"}}{{template \"r\" .}}{{template \"r\" .}}{{end}}{{template \"r\" .}}");
    limited("{{define \"r\"}}{{include \"r\" .}}{{end}}{{include \"r\" .}}");
    limited("{{$t := \"{{tpl . .}}\"}}{{tpl $t $t}}");
}

#[test]
fn recursion_is_gos_error() {
    let error = limited("{{define \"r\"}}{{template \"r\" .}}{{end}}{{template \"r\" .}}");
    assert_eq!(
        error,
        "template: t:1:25: executing \"r\" at <{{template \"r\" .}}>: exceeded maximum template depth (100000)"
    );
}

#[test]
fn deep_nesting_is_refused() {
    for text in [
        format!("{{{{{}1{}}}}}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("{}{}", "{{if true}}".repeat(100_000), "{{end}}".repeat(100_000)),
        format!("{}{}", "{{if true}}{{else if true}}".repeat(50_000), "{{end}}".repeat(100_000)),
        "{{block \"x\" .}}".repeat(100_000),
    ] {
        let error = run(&text, &Limits::default()).unwrap_err().to_string();
        assert_eq!(error, "template: t:1: max expression depth exceeded");
    }
}

#[test]
fn moderate_nesting_is_not() {
    let text = format!("{{{{{}1{}}}}}", "(".repeat(100), ")".repeat(100));
    assert_eq!(run(&text, &Limits::default()).unwrap(), "1");
    let text = format!("{}x{}", "{{if true}}".repeat(60), "{{end}}".repeat(60));
    assert_eq!(run(&text, &Limits::default()).unwrap(), "x");
}

#[test]
fn deep_values_are_dropped_and_not_printed() {
    let limits = Limits::default();
    let build = "{{$x := list}}{{range 200000}}{{$x = list $x}}{{end}}";
    assert_eq!(run(build, &limits).unwrap(), "");
    let error = run(&format!("{build}{{{{$x}}}}"), &limits).unwrap_err();
    assert!(error.is(ErrorKind::Limit), "{error}");
}

#[test]
fn wide_values_are_not_printed() {
    limited("{{$x := list 1}}{{range 60}}{{$x = list $x $x}}{{end}}{{$x}}");
}

#[test]
fn a_map_in_itself_is_freed() {
    let held = Map::new();
    {
        let _guard = CycleGuard::new();
        let error = run("{{$d := dict}}{{$_ := set $d \"d\" $d}}{{$d}}", &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("contains itself"), "{error}");
        held.insert("self", held.clone());
    }
    assert!(held.is_empty());
}

#[test]
fn an_error_of_many_levels_is_bounded() {
    let text = "{{define \"r\"}}{{if gt (len .) 1500}}{{index . 9999}}{{end}}{{include \"r\" (print . \"x\")}}{{end}}{{include \"r\" \"\"}}";
    let work = move || {
        let error = run(text, &Limits { stack: 60 << 20, ..Limits::default() }).unwrap_err();
        assert_eq!(error.chain().count(), 1200);
        assert!(error.to_string().ends_with("error calling index: index out of range: 9999"));
    };
    std::thread::Builder::new().stack_size(64 << 20).spawn(work).unwrap().join().unwrap();
}
