//! The Go libraries as a process that answers questions, and the same questions answered by the crate.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Command, Stdio};

use base64::Engine as _;
use goyaml::{
    DecodeOptions, EmitOptions, Kind, Limits, Node, Numbers, SequenceIndent, Style, Target, Value, json,
};
use serde_json::json;

/// The environment variable with the path of the program built from `xtask/oracles/goyaml`.
const ORACLE: &str = "TIPHYS_ORACLE_GOYAML";

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub op: &'static str,
    pub data: Vec<u8>,
    pub indent: usize,
    pub wide: bool,
}

impl Question {
    pub fn new(op: &'static str, data: impl Into<Vec<u8>>) -> Self {
        Self { op, data: data.into(), indent: 2, wide: false }
    }
}

/// Text, or the message of an error.
pub type Answer = Result<String, String>;

/// Whether there is an oracle on this machine.
pub fn is_here() -> bool {
    std::env::var_os(ORACLE).is_some()
}

/// The answers of the Go libraries; `None` when there is no oracle on this machine.
pub fn ask_go(questions: &[Question]) -> Option<Vec<Answer>> {
    let path = std::env::var_os(ORACLE)?;
    let mut child = Command::new(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = BufWriter::new(child.stdin.take().unwrap());
    let output = BufReader::new(child.stdout.take().unwrap());
    let answers = std::thread::scope(|scope| {
        scope.spawn(move || {
            for question in questions {
                let data = base64::engine::general_purpose::STANDARD.encode(&question.data);
                let line =
                    json!({"op": question.op, "data": data, "indent": question.indent, "wide": question.wide});
                writeln!(input, "{line}").unwrap();
            }
        });
        output.lines().map(|line| answer(&line.unwrap())).collect::<Vec<_>>()
    });
    child.wait().unwrap();
    assert_eq!(answers.len(), questions.len(), "the oracle answers every question");
    Some(answers)
}

fn answer(line: &str) -> Answer {
    let reply: Value = serde_json::from_str(line).unwrap();
    match reply.get("error").and_then(Value::as_str) {
        Some(error) => Err(error.to_owned()),
        None => Ok(reply["text"].as_str().unwrap_or_default().to_owned()),
    }
}

/// The answer of the crate.
pub fn ask_us(question: &Question) -> Answer {
    let data = &question.data;
    let options = DecodeOptions { numbers: Numbers::Yaml, ..DecodeOptions::default() };
    let text = match question.op {
        "decode" => goyaml::yaml_to_json(data, &options).map(|value| json::to_string(&value, true)),
        "decode-strict" => goyaml::yaml_to_json(data, &DecodeOptions { strict: true, ..options })
            .map(|value| json::to_string(&value, true)),
        "decode-map" => decode(data, Target::Map),
        "decode-list" => decode(data, Target::List),
        "to-yaml" => goyaml::to_yaml(&value(data)),
        "to-pretty" => goyaml::to_yaml_pretty(&value(data)),
        "to-json" => Ok(json::to_string(&value(data), true)),
        "tree" => goyaml::parse(data, &Limits::default()).map(|documents| {
            let mut out = String::new();
            documents.iter().for_each(|document| dump(&mut out, document, 0));
            out
        }),
        "emit" => goyaml::parse(data, &Limits::default()).and_then(|documents| {
            let sequences = if question.wide { SequenceIndent::Wide } else { SequenceIndent::Compact };
            goyaml::emit_all(&documents, &EmitOptions { indent: question.indent, sequences })
        }),
        "build" => {
            let sequences = if question.wide { SequenceIndent::Wide } else { SequenceIndent::Compact };
            goyaml::emit(&build(&value(data)), &EmitOptions { indent: question.indent, sequences })
        }
        "value" => goyaml::parse_first(data, &Limits::default()).and_then(|document| match document {
            Some(document) => document.decode(Numbers::Yaml).map(|value| json::to_string(&value, true)),
            None => Ok("null".to_owned()),
        }),
        "split" => goyaml::read_documents(data)
            .map(|part| part.map(|part| String::from_utf8_lossy(&part).into_owned()))
            .collect::<Result<Vec<_>, _>>()
            .map(|documents| json::to_string(&documents.into(), true)),
        op => panic!("unknown op {op}"),
    };
    text.map_err(|error| error.to_string())
}

fn decode(data: &[u8], target: Target) -> Result<String, goyaml::Error> {
    let options = DecodeOptions { target, ..DecodeOptions::default() };
    goyaml::decode(data, &options).map(|value| json::to_string(&value, true))
}

fn value(data: &[u8]) -> Value {
    serde_json::from_slice(data).unwrap()
}

/// A node from its JSON, in which it is for the oracle.
fn build(tree: &Value) -> Node {
    let text = |name: &str| tree[name].as_str().unwrap_or_default().to_owned();
    let mut node = Node { value: text("value"), tag: text("tag").into(), ..Node::default() };
    node.kind = match tree["kind"].as_u64() {
        Some(1) => Kind::Document,
        Some(2) => Kind::Sequence,
        Some(4) => Kind::Mapping,
        Some(16) => Kind::Alias,
        _ => Kind::Scalar,
    };
    let flags = [
        Style::TAGGED,
        Style::DOUBLE_QUOTED,
        Style::SINGLE_QUOTED,
        Style::LITERAL,
        Style::FOLDED,
        Style::FLOW,
    ];
    let bits = tree["style"].as_u64().unwrap_or_default();
    flags.into_iter().filter(|flag| u64::from(flag.bits()) & bits != 0).for_each(|flag| node.style |= flag);
    node.anchor = Some(text("anchor")).filter(|name| !name.is_empty()).map(String::into_boxed_str);
    node.set_head_comment(text("head"));
    node.set_line_comment(text("line"));
    node.set_foot_comment(text("foot"));
    node.content = tree["content"].as_array().into_iter().flatten().map(build).collect();
    node
}

/// One line for each node, as the oracle writes it.
fn dump(out: &mut String, node: &Node, depth: usize) {
    let kind = format!("{:?}", node.kind).to_lowercase();
    let texts = json!([
        node.tag,
        node.value,
        node.anchor.as_deref().unwrap_or_default(),
        node.head_comment(),
        node.line_comment(),
        node.foot_comment()
    ]);
    let texts = json::to_string(&texts, true);
    let (style, line, column) = (node.style.bits(), node.line, node.column);
    out.push_str(&format!("{depth} {kind} {style} {line}:{column} {texts}\n"));
    for child in &node.content {
        dump(out, child, depth + 1);
    }
}
