//! Editing of node trees, as kustomize does it.

use goyaml::{
    EmitOptions, Kind, Limits, Node, SequenceIndent, Style, emit, emit_all, parse, parse_first, tags,
};

fn one(text: &str) -> Node {
    parse_first(text.as_bytes(), &Limits::default()).unwrap().unwrap()
}

fn print(node: &Node) -> String {
    emit(node, &EmitOptions::default()).unwrap()
}

#[test]
fn edits_keep_comments_styles_and_order() {
    let mut node = one("# head\nb: 'x' # line\na:\n- 1\n# foot of 1\n\nc: {d: e}\n");
    assert_eq!(node.set("b", Node::string("true")).unwrap().line_comment(), "# line");
    node.get_mut("a").unwrap().content.push(Node::scalar("2"));
    node.set("new", Node::mapping([(Node::string("1"), Node::null())]));
    assert_eq!(
        print(&node),
        "# head\nb: \"true\"\na:\n- 1\n# foot of 1\n\n- 2\nc: {d: e}\nnew:\n  \"1\": null\n"
    );
    let (key, value) = node.remove("b").unwrap();
    assert_eq!((key.value.as_str(), value.value.as_str()), ("b", "true"));
    assert_eq!(key.head_comment(), "# head");
    assert!(node.get("b").is_none() && node.remove("b").is_none());
    assert_eq!(node.pairs().map(|(key, _)| key.value.as_str()).collect::<Vec<_>>(), ["a", "c", "new"]);
    assert_eq!(node.get_path(&["c", "d"]).unwrap().value, "e");
}

#[test]
fn comments_can_be_set_and_removed() {
    let mut node = Node::mapping([(Node::string("a"), Node::scalar("1"))]);
    node.get_mut("a").unwrap().set_line_comment("one");
    node.content[0].set_head_comment("# first\n# second");
    node.content[0].set_foot_comment("# after");
    assert_eq!(print(&node), "# first\n# second\na: 1 # one\n# after\n");
    node.content[0].set_head_comment("");
    node.content[0].set_foot_comment("");
    node.get_mut("a").unwrap().set_line_comment("");
    assert!(node.content.iter().all(|node| node.comments.is_none()));
    assert_eq!(print(&node), "a: 1\n");
}

#[test]
fn strings_are_quoted_where_their_text_means_something_else() {
    let texts = ["true", "1", "", "null", "yes", "2001-01-01", "x", "a: b", "12:30:45", "line\nline\n"];
    let node = Node::sequence(texts.map(Node::string));
    let expected = "- \"true\"\n- \"1\"\n- \"\"\n- \"null\"\n- yes\n- \"2001-01-01\"\n- x\n- 'a: b'\n- 12:30:45\n- |\n  line\n  line\n";
    assert_eq!(print(&node), expected);
    assert_eq!(print(&Node::sequence(texts.map(Node::scalar))).lines().next(), Some("- true"));
}

#[test]
fn tags_are_resolved_in_short_form() {
    let node = one("- 1\n- '1'\n- !!str 1\n- !x 1\n- ~\n- [a]\n- {a: b}\n- 2001-01-01\n- <<\n");
    let found: Vec<_> = node.root().content.iter().map(|node| node.short_tag().into_owned()).collect();
    let expected = [
        tags::INT,
        tags::STR,
        tags::STR,
        "!x",
        tags::NULL,
        tags::SEQ,
        tags::MAP,
        tags::TIMESTAMP,
        tags::MERGE,
    ];
    assert_eq!(found, expected);
    assert!(node.root().content[4].is_null() && node.root().content[1].is_string());
    assert_eq!(Node::default().short_tag(), tags::NULL);
}

#[test]
fn sequences_are_compact_or_wide() {
    let node = one("a:\n  b:\n  - c:\n    - d\n");
    let wide = EmitOptions { sequences: SequenceIndent::Wide, ..EmitOptions::default() };
    assert_eq!(print(&node), "a:\n  b:\n  - c:\n    - d\n");
    assert_eq!(emit(&node, &wide).unwrap(), "a:\n  b:\n    - c:\n        - d\n");
    assert_eq!(
        emit(&node, &EmitOptions { indent: 4, ..wide }).unwrap(),
        "a:\n    b:\n        - c:\n            - d\n"
    );
}

#[test]
fn documents_are_separated() {
    let nodes = parse(b"a: 1\n---\n# head\n\nb: 2\n...\n---\n", &Limits::default()).unwrap();
    assert_eq!(emit_all(&nodes, &EmitOptions::default()).unwrap(), "a: 1\n\n# head\n---\nb: 2\n---\n\n");
    assert_eq!(nodes.iter().map(|node| node.kind).collect::<Vec<_>>(), [Kind::Document; 3]);
    assert_eq!(nodes[1].clone().into_root().kind, Kind::Mapping);
}

#[test]
fn bad_nodes_are_refused_in_the_words_of_go() {
    let message = |node: &Node| emit(node, &EmitOptions::default()).unwrap_err().to_string();
    let anchored = Node { anchor: Some("a b".into()), ..Node::scalar("x") };
    assert_eq!(message(&anchored), "yaml: anchor value must contain alphanumerical characters only");
    let alias = Node { kind: Kind::Alias, ..Node::default() };
    assert_eq!(message(&alias), "yaml: alias value must not be empty");
    let empty = Node { kind: Kind::Document, ..Node::default() };
    assert_eq!(
        message(&empty),
        "yaml: expected SCALAR, SEQUENCE-START, MAPPING-START, or ALIAS, but got document end"
    );
}

#[test]
fn styles_are_sets_of_flags() {
    let both = Style::TAGGED | Style::FLOW;
    assert!(both.has(Style::FLOW) && !both.has(Style::ANY_QUOTED));
    assert_eq!(both.without(Style::FLOW), Style::TAGGED);
    assert_eq!(both.bits(), 33);
}
