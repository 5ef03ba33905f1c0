//! Hostile input: bounded in time, memory and stack.

use std::fmt::Write as _;

use goyaml::{
    DecodeOptions, EmitOptions, ErrorKind, Limits, Node, Value, decode, emit, from_yaml, parse, to_yaml,
    yaml_to_json,
};

/// Runs on a stack as small as those of worker threads.
fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

fn deep_flow(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

fn deep_block(depth: usize) -> String {
    (0..depth).fold(String::new(), |mut out, at| {
        writeln!(out, "{}a:", " ".repeat(at)).unwrap();
        out
    })
}

#[test]
fn deep_nesting_is_refused() {
    on_small_stack(|| {
        for text in [
            deep_flow(10_000),
            deep_block(10_000),
            "- ".repeat(10_000),
            "{a: ".repeat(10_000),
            "? ".repeat(10_000),
        ] {
            let parsed = parse(text.as_bytes(), &Limits::default()).unwrap_err();
            assert_eq!(parsed.kind(), ErrorKind::Limit);
            assert!(parsed.message().ends_with("exceeded max depth of 400"), "{parsed}");
            let decoded = from_yaml(text.as_bytes()).unwrap_err();
            assert_eq!(decoded.kind(), ErrorKind::Limit);
        }
    });
}

#[test]
fn nesting_up_to_the_limit_is_fine_on_a_small_stack() {
    on_small_stack(|| {
        for text in [deep_flow(399), deep_block(399), "- ".repeat(399), "a:\n- ".to_owned() + &deep_flow(390)]
        {
            let nodes = parse(text.as_bytes(), &Limits::default()).unwrap();
            let value = from_yaml(text.as_bytes()).unwrap();
            let written = emit(&nodes[0], &EmitOptions::default()).unwrap();
            assert_eq!(nodes[0].decode(goyaml::Numbers::Float64).unwrap(), value);
            assert_eq!(from_yaml(written.as_bytes()).unwrap(), value);
            assert_eq!(from_yaml(to_yaml(&value).unwrap().as_bytes()).unwrap(), value);
            drop(nodes.clone());
        }
    });
}

/// Sequences below keys that are not indented need no new level of indentation.
#[test]
fn aliases_do_not_lift_the_depth() {
    let mut text = "a0: &a0 []\n".to_owned();
    for at in 1..=400 {
        writeln!(text, "a{at}: &a{at} [[[[*a{}]]]]", at - 1).unwrap();
    }
    on_small_stack(move || {
        let error = yaml_to_json(text.as_bytes(), &DecodeOptions::default()).unwrap_err();
        assert_eq!(error.message(), "yaml: exceeded max depth of 400");
    });
}

#[test]
fn a_node_that_is_too_deep_is_not_written() {
    on_small_stack(|| {
        let node = (0..1500).fold(Node::scalar("x"), |inner, _| Node::sequence([inner]));
        assert_eq!(emit(&node, &EmitOptions::default()).unwrap_err().kind(), ErrorKind::Limit);
        let value = (0..1500).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert_eq!(to_yaml(&value).unwrap_err().kind(), ErrorKind::Limit);
    });
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h"].iter().zip(["a", "b", "c", "d", "e", "f", "g"]) {
        writeln!(text, "{name}: &{name} [{}]", vec![format!("*{of}"); 10].join(", ")).unwrap();
    }
    let error = from_yaml(text.as_bytes()).unwrap_err();
    assert_eq!(error.message(), "error converting YAML to JSON: yaml: document contains excessive aliasing");
    let nodes = parse(text.as_bytes(), &Limits::default()).unwrap();
    let error = nodes[0].decode(goyaml::Numbers::Json).unwrap_err();
    assert_eq!(error.message(), "yaml: document contains excessive aliasing");
}

#[test]
fn an_anchor_that_contains_itself_is_refused() {
    let error = from_yaml(b"a: &a [*a]").unwrap_err();
    assert_eq!(error.message(), "error converting YAML to JSON: yaml: anchor 'a' value contains itself");
    let nodes = parse(b"a: &a [*a]", &Limits::default()).unwrap();
    assert_eq!(
        nodes[0].decode(goyaml::Numbers::Json).unwrap_err().message(),
        "yaml: anchor 'a' value contains itself"
    );
}

#[test]
fn long_texts_are_bounded() {
    let limits =
        Limits { bytes: 1 << 20, documents: 1000, nodes: 10_000, values: 10_000, ..Limits::default() };
    let scalar = "x".repeat(2 << 20);
    assert_eq!(parse(scalar.as_bytes(), &limits).unwrap_err().kind(), ErrorKind::Limit);
    let documents = "---\na\n".repeat(5_000);
    assert_eq!(
        parse(documents.as_bytes(), &limits).unwrap_err().message(),
        "yaml: line 2001: more than 1000 documents"
    );
    let items = "- a\n".repeat(20_000);
    assert_eq!(parse(items.as_bytes(), &limits).unwrap_err().kind(), ErrorKind::Limit);
    let options = DecodeOptions { limits, ..DecodeOptions::default() };
    assert_eq!(decode(items.as_bytes(), &options).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn long_texts_within_the_limits_are_quick() {
    let scalar = format!(
        "a: \"{}\"\nb: {}\nc: |\n  {}\n",
        "x ".repeat(1 << 20),
        "y ".repeat(1 << 20),
        "z ".repeat(1 << 20)
    );
    assert_eq!(from_yaml(scalar.as_bytes()).unwrap()["b"].as_str().unwrap().len(), (2 << 20) - 1);
    let blanks = "\n".repeat(1 << 20) + &" ".repeat(1 << 20) + "a";
    assert_eq!(from_yaml(blanks.as_bytes()).unwrap(), "a");
    let documents = "---\n".repeat(100_000);
    assert_eq!(parse(documents.as_bytes(), &Limits::default()).unwrap().len(), 100_000);
    let comments = "# c\n\n".repeat(100_000) + "a: 1\n";
    assert_eq!(parse(comments.as_bytes(), &Limits::default()).unwrap().len(), 1);
}

#[test]
fn positions_are_true() {
    let error = from_yaml("a: 1\nb: [1\nc: é ]: x\n".as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Syntax);
    assert_eq!((error.line(), error.column()), (Some(3), Some(2)), "{error}");
    let error = goyaml::from_yaml_strict(b"a: 1\nb: 2\na: 3\n").unwrap_err();
    assert_eq!((error.line(), error.column()), (Some(3), Some(4)));
    assert_eq!(
        error.message(),
        "error converting YAML to JSON: yaml: unmarshal errors:\n  line 3: key \"a\" already set in map"
    );
}
