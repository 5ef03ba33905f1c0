//! Random texts and values.

use serde_json::{Map, Number, Value};

/// A small random number generator (splitmix64); the same seed gives the same cases.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// Words that mean something to one YAML or the other.
const WORDS: &[&str] = &[
    "a",
    "b",
    "name",
    "value",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "Y",
    "N",
    "true",
    "False",
    "TRUE",
    "null",
    "~",
    "Null",
    "",
    "0",
    "1",
    "-1",
    "+12",
    "007",
    "0755",
    "08",
    "0o14",
    "0x1F",
    "0b101",
    "0b-1",
    "-0b1",
    "1_000",
    "_1",
    "1e3",
    "1e400",
    "-1.5",
    ".5",
    "1.",
    "+.inf",
    "-.INF",
    ".nan",
    "12:30:45",
    "1:2",
    "190:20:30.15",
    "2001-12-14",
    "2001-12-14T21:59:43.10-05:00",
    "2001-1-1 1:2:3",
    "2001-13-01",
    "2001-02-29",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "-9223372036854775808",
    "<<",
    "=",
    "-",
    "--",
    "---",
    "...",
    "--- a",
    "?",
    ":",
    "a:b",
    "a: b",
    "a #b",
    "a#b",
    "#c",
    " a",
    "a ",
    "\ta",
    "a\tb",
    "[a]",
    "{a}",
    "a,b",
    "'a'",
    "\"a\"",
    "it's",
    "a\\b",
    "%a",
    "@a",
    "`a",
    "&a",
    "*a",
    "!a",
    "|a",
    ">a",
    "é",
    "日本",
    "🦀",
    "\u{85}",
    "\u{2028}",
    "\u{FEFF}",
    "\u{A0}",
    "a\nb",
    "a\n",
    "\na",
    "a\n\nb\n\n",
    " a\nb",
    "a\n b\n",
    "\n",
    "a \nb",
    "\u{7F}",
    "\u{1}",
    "a\r\nb",
    "key",
    "image: nginx:1.2",
    "1.2.3",
    "v1",
    "0.1",
    "100m",
    "1e21",
    "1E5",
    "0x",
    "0xg",
    "+",
    "1__0",
    "0_7",
    "1e+06",
    "123456789012345678901234567890",
];

/// A string: a word, words in a row, or characters.
pub fn string(random: &mut Random) -> String {
    match random.below(10) {
        0..=4 => random.pick(WORDS).to_owned(),
        5 | 6 => {
            let separator = random.pick(&[" ", "  ", "\n", ", ", ": ", "\n  ", " #"]);
            let count = 1 + random.below(24);
            (0..count).map(|_| random.pick(WORDS)).collect::<Vec<_>>().join(separator)
        }
        7 => {
            let long = random.below(200);
            (0..long).map(|_| random.pick(&['a', 'b', ' ', 'c', 'd', 'é', '0', '-', '.', '\''])).collect()
        }
        _ => {
            let length = random.below(8);
            (0..length).map(|_| character(random)).collect()
        }
    }
}

/// A string without a number that overflows in Go's order of keys, which is then no order at all.
fn key(random: &mut Random) -> String {
    let text = string(random);
    let longest = text.split(|character: char| !character.is_numeric()).map(str::len).max();
    if longest > Some(17) { "k".to_owned() } else { text }
}

fn character(random: &mut Random) -> char {
    match random.below(20) {
        0 => random.pick(&[
            '\u{80}', '\u{85}', '\u{A0}', '\u{2028}', '\u{2029}', '\u{FEFF}', '\u{FFFD}', '\u{FFFE}', '🦀',
            'ß', '٣', 'ǅ',
        ]),
        1 => char::from(random.below(32) as u8),
        2 => random.pick(&['\n', ' ', '\t', '\r']),
        _ => char::from(32 + random.below(95) as u8),
    }
}

pub fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth > 4 { 7 } else { 12 }) {
        0 => Value::Null,
        1 => Value::Bool(random.chance(50)),
        2 => number(random),
        3..=6 => Value::String(string(random)),
        7 | 8 => (0..random.below(5)).map(|_| value(random, depth + 1)).collect(),
        _ => {
            let count = random.below(6);
            let pairs = (0..count).map(|_| (key(random), value(random, depth + 1)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

fn number(random: &mut Random) -> Value {
    let bits = random.next();
    match random.below(6) {
        0 => Value::from(bits % 100),
        1 => Value::from(bits as i64),
        2 => Value::from(bits),
        3 => Number::from_f64(f64::from_bits(bits)).map_or(Value::Null, Value::Number),
        4 => Value::from((bits % 100_000) as f64 / 100.0),
        _ => Value::from(10f64.powi((bits % 60) as i32 - 30)),
    }
}

/// A node tree as JSON, as no parser would make it: any style, tag and comment anywhere.
pub fn tree(random: &mut Random, depth: usize) -> Value {
    let kind = match random.below(if depth > 3 { 5 } else { 10 }) {
        0..=4 => 8,
        5 | 6 => 2,
        7..=8 => 4,
        _ => random.pick(&[16, 4, 2, 8]),
    };
    let mut node = serde_json::json!({ "kind": kind });
    if random.chance(40) {
        node["style"] = random.pick(&[0, 0, 1, 2, 4, 8, 16, 32, 3, 40]).into();
    }
    if random.chance(50) {
        let tag = match kind {
            2 => random.pick(&["!!seq", "!!seq", "!!map", "!t", ""]),
            4 => random.pick(&["!!map", "!!map", "!!str", "!t", ""]),
            _ => random.pick(&[
                "!!str",
                "!!str",
                "!!str",
                "!!int",
                "!!null",
                "!t",
                "!",
                "!!binary",
                "tag:yaml.org,2002:bool",
                "x y/é",
                "!!merge",
            ]),
        };
        node["tag"] = tag.into();
    }
    if random.chance(4) {
        node["anchor"] = random.pick(&["a", "b-1", "a b", "é"]).into();
    }
    for (name, chance) in [("head", 12), ("line", 10), ("foot", 8)] {
        if random.chance(chance) {
            node[name] = random.pick(&["# c", "c", "# c\n# d", "# c\n\n# d", "#c\nd", "\n# c"]).into();
        }
    }
    match kind {
        8 => node["value"] = string(random).into(),
        16 => node["value"] = random.pick(&["a", "b-1", ""]).into(),
        2 => node["content"] = (0..random.below(4)).map(|_| tree(random, depth + 1)).collect(),
        _ => {
            let count = 2 * random.below(4) + usize::from(random.chance(2));
            node["content"] = (0..count)
                .map(|at| {
                    let depth = if at % 2 == 0 && random.chance(90) { 9 } else { depth + 1 };
                    tree(random, depth)
                })
                .collect();
        }
    }
    node
}

/// Pieces of YAML text that hit the edges of the grammar when they are put side by side.
const PIECES: &[&str] = &[
    "a",
    "b: ",
    "c:",
    "- ",
    "-",
    "? ",
    ": ",
    "\n",
    "\n",
    "\n",
    "\n",
    "  ",
    " ",
    "    ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ",",
    "# c\n",
    " # c\n",
    "\n# c\n\n",
    "\n\n",
    "'",
    "\"",
    "'x'",
    "\"x\"",
    "'x\n y'",
    "\"x\\\n y\"",
    "\"\\u0041\\x\"",
    "|\n",
    ">\n",
    "|-\n  x\n",
    ">+\n  x\n\n  y\n\n",
    "|2\n   x\n",
    "&a ",
    "*a",
    "&b ",
    "*b",
    "!t ",
    "!!str ",
    "!!int ",
    "!<x> ",
    "! ",
    "<<: ",
    "<<: *a\n",
    "---\n",
    "--- ",
    "...\n",
    "%YAML 1.1\n",
    "%TAG ! x:\n",
    "\t",
    "1",
    "yes",
    "null",
    "~",
    "0x1",
    "é",
    "\r\n",
    "\u{85}",
    "\u{2028}",
    "\u{FEFF}",
    "key: value\n",
    "- item\n",
    "  k: v\n",
    "  - i\n",
    "a: &a {x: 1}\n",
    "x:\n",
    "\"k\": 1\n",
    "@",
    "`",
    "%",
    "!!binary aGk=\n",
    "!!float 1",
    "'k' : v\n",
    "? q\n: r\n",
    "# h\nk: v # l\n# f\n\n",
];

/// Text that is YAML only by chance.
pub fn soup(random: &mut Random) -> String {
    let count = 1 + random.below(14);
    (0..count).map(|_| random.pick(PIECES)).collect()
}

/// Text that is nearly always YAML: nested collections in all styles, with comments.
pub fn document(random: &mut Random) -> String {
    let mut out = String::new();
    let comments = random.chance(70);
    if random.chance(10) {
        out.push_str("# top\n\n");
    }
    node(random, &mut out, 0, comments, 0);
    if random.chance(15) {
        out.push_str("---\n");
        node(random, &mut out, 0, comments, 0);
    }
    if comments && random.chance(20) {
        out.push_str(random.pick(&["# end\n", "\n# end\n", "  # end\n", "# end"]));
    }
    out
}

const SCALARS: &[&str] = &[
    "a",
    "b c",
    "1",
    "yes",
    "null",
    "'q'",
    "\"d\"",
    "1.5",
    "2001-01-01",
    "",
    "x:y",
    "*x",
    "a b # c",
    "~",
    "!!str 1",
    "!t u",
    "0x10",
    "\"a\\nb\"",
    "'it''s'",
];

fn node(random: &mut Random, out: &mut String, indent: usize, comments: bool, depth: usize) {
    match random.below(if depth > 3 { 2 } else { 8 }) {
        0..=3 => mapping(random, out, indent, comments, depth),
        4..=6 => sequence(random, out, indent, comments, depth),
        _ => {
            out.push_str(&" ".repeat(indent));
            out.push_str(random.pick(SCALARS).trim_start_matches('*'));
            line_end(random, out, comments);
        }
    }
}

fn comment(random: &mut Random, out: &mut String, indent: usize, comments: bool) {
    if !comments {
        return;
    }
    for _ in 0..random.pick(&[0, 0, 0, 0, 1, 1, 2]) {
        let indent = if random.chance(80) { indent } else { random.below(8) };
        out.push_str(&" ".repeat(indent));
        out.push_str(random.pick(&["# h\n", "#h2\n", "# h\n\n", "\n# h\n", "\n# h\n\n"]));
    }
    if random.chance(5) {
        out.push('\n');
    }
}

fn line_end(random: &mut Random, out: &mut String, comments: bool) {
    if comments && random.chance(20) {
        out.push_str(random.pick(&[" # l", "  #l", " # l é"]));
    }
    out.push('\n');
}

fn mapping(random: &mut Random, out: &mut String, indent: usize, comments: bool, depth: usize) {
    for at in 0..1 + random.below(4) {
        comment(random, out, indent, comments);
        out.push_str(&" ".repeat(indent));
        let key = random.pick(&["k", "a", "b", "'q'", "\"d\"", "1", "long key"]);
        if random.chance(3) {
            out.push_str(&format!("? {key}{at}\n"));
            out.push_str(&" ".repeat(indent));
            out.push(':');
        } else {
            out.push_str(key.trim_end_matches(['\'', '"']));
            out.push_str(&at.to_string());
            if let Some(quote @ ('\'' | '"')) = key.chars().next_back() {
                out.push(quote);
            }
            out.push(':');
        }
        pair_value(random, out, indent, comments, depth);
    }
}

fn pair_value(random: &mut Random, out: &mut String, indent: usize, comments: bool, depth: usize) {
    match random.below(if depth > 3 { 6 } else { 10 }) {
        0..=3 => {
            out.push(' ');
            out.push_str(random.pick(SCALARS).trim_start_matches('*'));
            line_end(random, out, comments);
        }
        4 => block_scalar(random, out, indent, comments),
        5 => {
            out.push(' ');
            flow(random, out, comments, 0);
            line_end(random, out, comments);
        }
        6 | 7 => {
            if random.chance(10) {
                out.push_str(&format!(" &n{depth}"));
            }
            line_end(random, out, comments);
            let deeper = indent + random.pick(&[2, 2, 2, 4]);
            mapping(random, out, deeper, comments, depth + 1);
        }
        _ => {
            line_end(random, out, comments);
            let deeper = indent + random.pick(&[0, 2, 2]);
            sequence(random, out, deeper, comments, depth + 1);
        }
    }
}

fn sequence(random: &mut Random, out: &mut String, indent: usize, comments: bool, depth: usize) {
    for _ in 0..1 + random.below(4) {
        comment(random, out, indent, comments);
        out.push_str(&" ".repeat(indent));
        out.push('-');
        match random.below(if depth > 3 { 5 } else { 9 }) {
            0..=2 => {
                out.push(' ');
                out.push_str(random.pick(SCALARS).trim_start_matches('*'));
                line_end(random, out, comments);
            }
            3 => block_scalar(random, out, indent, comments),
            4 => {
                out.push(' ');
                flow(random, out, comments, 0);
                line_end(random, out, comments);
            }
            5 | 6 => {
                let mut inner = String::new();
                mapping(random, &mut inner, indent + 2, comments, depth + 1);
                hang(random, out, &inner, indent + 2, comments);
            }
            _ => {
                let mut inner = String::new();
                sequence(random, &mut inner, indent + 2, comments, depth + 1);
                hang(random, out, &inner, indent + 2, comments);
            }
        }
    }
}

/// Puts a collection behind a `-`, on the same line if it starts with its own indentation.
fn hang(random: &mut Random, out: &mut String, inner: &str, indent: usize, comments: bool) {
    match inner.strip_prefix(&" ".repeat(indent)) {
        Some(rest) if random.chance(80) => {
            out.push(' ');
            out.push_str(rest);
        }
        _ => {
            line_end(random, out, comments);
            out.push_str(inner);
        }
    }
}

fn block_scalar(random: &mut Random, out: &mut String, indent: usize, comments: bool) {
    out.push(' ');
    out.push_str(random.pick(&["|", ">", "|-", ">-", "|+", ">+"]));
    line_end(random, out, comments);
    for _ in 0..1 + random.below(4) {
        let line = random.pick(&["x", "x y", "", " x", "# no comment", "x  y", "\tx", "é"]);
        if !line.is_empty() {
            out.push_str(&" ".repeat(indent + 2));
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn flow(random: &mut Random, out: &mut String, comments: bool, depth: usize) {
    let mapping = random.chance(50);
    out.push(if mapping { '{' } else { '[' });
    for at in 0..random.below(4) {
        if at > 0 {
            out.push_str(random.pick(&[", ", ",", ",\n        "]));
        }
        if comments && random.chance(6) {
            out.push_str(" # f\n        ");
        }
        if mapping {
            out.push_str(random.pick(&["a: ", "'b': ", "\"c\":", "? d : "]));
        }
        if depth < 2 && random.chance(25) {
            flow(random, out, comments, depth + 1);
        } else {
            out.push_str(random.pick(&["1", "x", "'y'", "\"z\"", "~", "a b", "!!str 2"]));
        }
    }
    if comments && random.chance(5) {
        out.push_str(" # e\n      ");
    }
    out.push(if mapping { '}' } else { ']' });
}
