//! Random templates and data: mostly valid, often wrong in one place, sometimes broken.

use serde_json::{Value as Json, json};

use crate::case::Case;
use crate::vocabulary::{
    BROKEN_LITERALS, BUILTINS, FIELDS, FORMATS, LITERALS, SORTS, SUBFIELDS, Sort, TEXTS, VARIABLES, calls,
    plain, sprig_calls,
};

/// A small generator of numbers (xorshift64*): the same seed gives the same templates everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}

/// Writes one template.
pub(crate) struct Generator {
    pub(crate) random: Random,
    scope: Vec<&'static str>,
    in_range: bool,
    definitions: Vec<String>,
    /// Whether sprig's functions are called too.
    sprig: bool,
}

impl Generator {
    pub(crate) fn new(seed: u64, sprig: bool) -> Self {
        Generator {
            random: Random::new(seed),
            scope: Vec::new(),
            in_range: false,
            definitions: Vec::new(),
            sprig,
        }
    }

    /// A whole case.
    pub(crate) fn case(&mut self) -> Case {
        let mut text = self.body(3);
        for definition in std::mem::take(&mut self.definitions) {
            if self.random.one_in(2) { text.push_str(&definition) } else { text.insert_str(0, &definition) }
        }
        if self.random.one_in(8) {
            text = self.damaged(&text);
        }
        let mut case = Case::one(&text, data());
        case.funcs = if self.sprig { "sprig" } else { "none" };
        case.missing_key = self.random.pick(&["default", "zero", "error", "zero"]);
        if self.random.one_in(5) {
            let other = self.body(1);
            case.templates
                .insert(0, ("other".into(), format!("{other}{{{{define \"d1\"}}}}first{{{{end}}}}")));
        }
        case
    }

    /// Removes, doubles or replaces a few bytes.
    fn damaged(&mut self, text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=self.random.below(2) {
            if chars.is_empty() {
                break;
            }
            let at = self.random.below(chars.len());
            match self.random.below(3) {
                0 => {
                    chars.remove(at);
                }
                1 => {
                    let c = chars[at];
                    chars.insert(at, c);
                }
                _ => {
                    let noise = "{}()|.$\"'`-=:, \n@#é/*x0_\u{7f}";
                    let index = self.random.below(noise.chars().count());
                    chars[at] = noise.chars().nth(index).unwrap();
                }
            }
        }
        chars.into_iter().collect()
    }

    fn body(&mut self, depth: usize) -> String {
        let mut out = String::new();
        for _ in 0..=self.random.below(3) {
            out.push_str(self.random.pick(TEXTS));
            let visible = self.scope.len();
            let part = self.part(depth);
            out.push_str(&part);
            let _ = visible;
        }
        out.push_str(self.random.pick(TEXTS));
        out
    }

    fn action(&mut self, inside: &str) -> String {
        let left = if self.random.one_in(4) { "{{- " } else { self.random.pick(&["{{", "{{ "]) };
        let right = if self.random.one_in(4) { " -}}" } else { self.random.pick(&["}}", " }}"]) };
        format!("{left}{inside}{right}")
    }

    fn part(&mut self, depth: usize) -> String {
        if depth == 0 || self.random.one_in(2) {
            return self.plain_action();
        }
        match self.random.below(8) {
            0 | 1 => self.conditional("if", depth),
            2 => self.conditional("with", depth),
            3..=5 => self.range(depth),
            6 => self.definition(depth),
            _ => self.random.pick(&["{{/* c */}}", "{{- /* c\n */ -}}", "{{/*}}*/ -}}"]).to_owned(),
        }
    }

    fn plain_action(&mut self) -> String {
        let inside = match self.random.below(12) {
            0 | 1 => {
                let pipeline = self.pipeline(2);
                let name = self.random.pick(VARIABLES);
                self.scope.push(name);
                format!("{name} := {pipeline}")
            }
            2 if !self.scope.is_empty() => {
                let pipeline = self.pipeline(2);
                format!("{} = {pipeline}", self.variable())
            }
            3 if self.in_range => self.random.pick(&["break", "continue"]).to_owned(),
            4 if self.random.one_in(3) => {
                format!("template \"d{}\" {}", self.random.below(3), self.pipeline(1))
            }
            _ => self.pipeline(3),
        };
        self.action(&inside)
    }

    fn conditional(&mut self, word: &str, depth: usize) -> String {
        let visible = self.scope.len();
        let condition = self.condition();
        let mut out = self.action(&format!("{word} {condition}"));
        out.push_str(&self.body(depth - 1));
        while self.random.one_in(3) {
            let condition = self.condition();
            out.push_str(&self.action(&format!("else {word} {condition}")));
            out.push_str(&self.body(depth - 1));
        }
        if self.random.one_in(2) {
            out.push_str(&self.action("else"));
            out.push_str(&self.body(depth - 1));
        }
        self.scope.truncate(visible);
        out.push_str(&self.action("end"));
        out
    }

    fn condition(&mut self) -> String {
        let pipeline = self.pipeline(2);
        if self.random.one_in(4) {
            let name = self.random.pick(VARIABLES);
            self.scope.push(name);
            return format!("{name} := {pipeline}");
        }
        pipeline
    }

    fn range(&mut self, depth: usize) -> String {
        let visible = self.scope.len();
        let over = if self.random.one_in(6) {
            self.sorted(Sort::List, 2)
        } else {
            self.random
                .pick(&[
                    ".l", ".m", ".ints", ".strs", "3", ".sm", ".lm", "$.l", "$.m", ".em", ".i", ".u8",
                    ".bytes", ".nl",
                ])
                .to_owned()
        };
        let head = match self.random.below(5) {
            0 | 1 => over,
            2 => {
                self.scope.push("$x");
                format!("$x := {over}")
            }
            3 => {
                self.scope.extend(["$a", "$b"]);
                format!("$a, $b := {over}")
            }
            _ if self.scope.is_empty() => over,
            _ => format!("{} = {over}", self.variable()),
        };
        let outer = std::mem::replace(&mut self.in_range, true);
        let mut out = self.action(&format!("range {head}"));
        out.push_str(&self.body(depth - 1));
        self.in_range = outer;
        if self.random.one_in(3) {
            out.push_str(&self.action("else"));
            out.push_str(&self.body(depth - 1));
        }
        self.scope.truncate(visible);
        out.push_str(&self.action("end"));
        out
    }

    fn definition(&mut self, depth: usize) -> String {
        let scope = std::mem::take(&mut self.scope);
        let in_range = std::mem::replace(&mut self.in_range, false);
        let name = format!("\"d{}\"", self.random.below(3));
        let body = self.body(depth - 1);
        let end = self.action("end");
        self.scope = scope;
        self.in_range = in_range;
        if self.random.one_in(3) {
            let pipeline = self.pipeline(1);
            return self.action(&format!("block {name} {pipeline}")) + &body + &end;
        }
        let head = self.action(&format!("define {name}"));
        self.definitions.push(head + &body + &end);
        let pipeline = self.pipeline(1);
        self.action(&format!("template {name} {pipeline}"))
    }

    fn variable(&mut self) -> &'static str {
        if self.random.one_in(150) {
            return self.random.pick(VARIABLES);
        }
        if self.scope.is_empty() {
            return "$";
        }
        self.scope[self.random.below(self.scope.len())]
    }

    /// An expression of a sort; brackets it when it is a call.
    fn sorted(&mut self, sort: Sort, depth: usize) -> String {
        if self.random.one_in(60) {
            return self.operand(depth);
        }
        if sort == Sort::Any && !self.scope.is_empty() && self.random.one_in(2) {
            return self.variable().to_owned();
        }
        if depth == 0 || self.random.one_in(2) {
            let sort = if sort == Sort::Any && self.random.one_in(2) {
                SORTS[self.random.below(SORTS.len())]
            } else {
                sort
            };
            let operand = self.random.pick(plain(sort));
            // sprig's words and expressions treat bytes that are not UTF-8 as Go's libraries happen to; nobody relies on it.
            return if self.sprig && operand == ".bin" { ".s" } else { operand }.to_owned();
        }
        format!("({})", self.sorted_call(sort, depth - 1))
    }

    fn sorted_call(&mut self, sort: Sort, depth: usize) -> String {
        let table = if self.sprig && !self.random.one_in(4) { sprig_calls(sort) } else { calls(sort) };
        let (name, takes) = table[self.random.below(table.len())];
        let mut args: Vec<String> = takes.iter().map(|s| self.sorted(*s, depth)).collect();
        if name.starts_with("merge") {
            // No map may come to contain itself: Go would die of printing it.
            args = vec![self.random.pick(&["(dict)", "(dict \"a\" 1)", ".em"]).to_owned()];
            args.extend(
                ["a", "b"].map(|_| {
                    self.random.pick(&[".m", ".sm", ".vals", "(dict \"s\" 2 \"x\" nil)"]).to_owned()
                }),
            );
        }
        if name == "printf" {
            args[0] = format!("\"{}\"", self.random.pick(FORMATS));
        }
        if args.len() > 1 && self.random.one_in(4) {
            let last = args.pop().unwrap_or_default();
            return format!("{last} | {name} {}", args.join(" "));
        }
        format!("{name} {}", args.join(" "))
    }

    pub(crate) fn pipeline(&mut self, depth: usize) -> String {
        if !self.random.one_in(12) {
            let sort = SORTS[self.random.below(SORTS.len())];
            return if self.random.one_in(2) {
                self.sorted_call(sort, depth)
            } else {
                self.sorted(sort, depth)
            };
        }
        let mut out = self.command(depth);
        while self.random.one_in(4) {
            let stage = self.call(depth, true);
            out.push_str(self.random.pick(&[" | ", "|"]));
            out.push_str(&stage);
        }
        out
    }

    fn command(&mut self, depth: usize) -> String {
        if depth > 0 && self.random.one_in(2) { self.call(depth - 1, false) } else { self.operand(depth) }
    }

    /// A function with arguments; the last one comes from the pipeline when `piped`.
    fn call(&mut self, depth: usize, piped: bool) -> String {
        let (name, usual) = BUILTINS[self.random.below(BUILTINS.len())];
        let mut count = usual;
        if self.random.one_in(12) {
            count = self.random.below(4);
        }
        count = count.saturating_sub(usize::from(piped));
        let mut out = name.to_owned();
        for i in 0..count {
            out.push(' ');
            if name == "printf" && i == 0 && !self.random.one_in(10) {
                let format = self.random.pick(FORMATS);
                out.push_str(&format!("\"{format}\""));
            } else {
                out.push_str(&self.operand(depth.saturating_sub(1)));
            }
        }
        out
    }

    fn operand(&mut self, depth: usize) -> String {
        match self.random.below(14) {
            0..=2 => self.random.pick(LITERALS).to_owned(),
            3..=7 => self.field_path(),
            8 | 9 => {
                let name = self.variable().to_owned();
                if self.random.one_in(3) { name + &self.sub_path() } else { name }
            }
            10 => ".".into(),
            11 if self.random.one_in(4) => self.random.pick(BROKEN_LITERALS).to_owned(),
            _ if depth > 0 => {
                let inner = self.pipeline(depth - 1);
                let chain = if self.random.one_in(5) { self.sub_path() } else { String::new() };
                format!("({inner}){chain}")
            }
            _ => "$".into(),
        }
    }

    fn field_path(&mut self) -> String {
        let root = self.random.pick(&[".", ".", "$."]);
        let first = self.random.pick(FIELDS);
        let rest = if self.random.one_in(3) { self.sub_path() } else { String::new() };
        format!("{root}{first}{rest}")
    }

    fn sub_path(&mut self) -> String {
        let mut out = String::new();
        for _ in 0..=self.random.below(2) {
            out.push('.');
            out.push_str(self.random.pick(SUBFIELDS));
        }
        out
    }
}

/// Values of every kind.
pub(crate) fn data() -> Json {
    json!({
        "s": "hello", "e": "", "n": 3, "big": 12345678, "f": 2.5, "neg": -7, "t": true, "no": false, "nil": null,
        "l": ["x", 1, null, true, {"a": 1}], "ints": {"$ints": [3, 1, 2]}, "strs": {"$strings": ["b", "a", "é"]},
        "m": {"a": 1, "b": "two", "c": {"x": {"deep": [1, [2]]}}, "l": [1, 2], "nil": null, "s": "sub"},
        "sm": {"$stringmap": {"a": "1", "x": "y"}}, "em": {}, "vals": {"$values": {"a": {"b": 1}, "s": "v"}},
        "bytes": {"$bytes": "aGk="}, "u8": {"$uint8": 3}, "i": {"$int": 4}, "i64": {"$int64": -5}, "u64": {"$uint64": 6},
        "bin": {"$string": "/2HDKA=="}, "nm": {"$nilmap": null}, "nl": {"$nillist": null},
        "lm": [{"a": 1, "s": "one"}, {"a": 2, "s": "two"}],
    })
}
