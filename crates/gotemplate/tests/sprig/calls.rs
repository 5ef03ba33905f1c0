//! Random calls of sprig's functions, guided by their signatures.

use gotemplate::Type;
use gotemplate::sprig::{FUNCS, is_deterministic};

/// Texts that mean something to some function.
const TEXTS: &[&str] = &[
    "",
    "a",
    " a b  c ",
    "hello World",
    "HTTPServer2xx",
    "foo_bar-baz",
    "Wörld ß ǆ",
    "日本\n語",
    "\\t\\x00\"'\\\\",
    "a,b,c",
    "0",
    "-7",
    "007",
    "0x1F",
    "1_000",
    "1.50",
    "1e400",
    "true",
    "1.2.3",
    "v1.2",
    "1.2.3-rc.1+b",
    "^1.2",
    ">=1 <2 || ~3.x",
    "1.0 - 2.0",
    "!=1.2.x",
    "[a-z]+",
    "(a)(b)?",
    "a{2",
    "(?i)W\\\\w",
    "\\\\d+$",
    "(",
    "[[:alpha:]]",
    "$1-${1}x$$",
    "http://u:p@h.example:80/a%20b?q=1#f",
    "mailto:x@y",
    "//[::1]:8/%zz",
    "/a/../b//c.tar.gz",
    "2006-01-02",
    "Mon, 02 Jan 2006 15:04:05 MST",
    "2024-02-29",
    "3:04PM",
    "2024-02-29T12:00:00+05:30",
    "2006-01-02T15:04:05Z07:00",
    "Europe/Berlin",
    "UTC",
    "1h30m",
    "-1.5s",
    "{\\\"a\\\":[1,null,\\\"<&>\\\"]}",
    "[1,",
    "aGVsbG8=",
    "aGV=bG8",
    "NBSWY3DP",
];

const NUMBERS: &[&str] =
    &["0", "1", "2", "3", "5", "8", "-1", "-3", "12", "64", "1.5", "-2.5", "1e3", "0.1", "1e21", "1000000"];

const ANYTHING: &[&str] = &[
    "nil",
    "true",
    "false",
    ".m",
    ".l",
    ".s",
    ".nil",
    ".f",
    ".vals",
    ".strs",
    "(list)",
    "(list 1 \"b\" nil 1)",
    "(dict)",
    "(dict \"a\" (dict \"b\" 1) \"k\" \"v\")",
    "(splitList \",\" \"b,a,,b\")",
    "(until 4)",
    "(rest (list 1))",
    "(split \"/\" \"a/b\")",
    "(int64 7)",
    "(float64 7)",
    "(toDate \"2006-01-02\" \"2024-02-29\")",
    "(semver \"1.2.3\")",
    "(chunk 2 (until 5))",
    "(deepCopy .m)",
];

/// A stream of templates, each with one call.
pub(super) struct Calls(u64);

impl Calls {
    pub(super) fn new(seed: u64) -> Self {
        Calls(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, n: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn text(&mut self) -> String {
        let mut text = self.pick(TEXTS).to_owned();
        if self.below(6) == 0 {
            text.push_str(self.pick(TEXTS));
        }
        format!("\"{}\"", text.replace('\n', "\\n").replace("\"'", "\\\"'"))
    }

    fn argument(&mut self, wanted: Type) -> String {
        if self.below(30) == 0 {
            return self.argument(Type::Any);
        }
        match wanted {
            Type::String => self.text(),
            Type::Int => self.pick(&["0", "1", "2", "3", "4", "7", "10", "20", "-1", "-4"]).to_owned(),
            Type::Float64 => self.pick(NUMBERS).to_owned(),
            Type::Bool => self.pick(&["true", "false"]).to_owned(),
            Type::Map(_) => self
                .pick(&[
                    "(deepCopy .m)",
                    "(dict)",
                    "(dict \"a\" 0 \"d\" (dict \"z\" 1))",
                    "(dict \"a\" nil \"l\" (list 9))",
                    "nil",
                ])
                .to_owned(),
            Type::Object("time.Time") => "(toDate \"2006-01-02 15:04\" \"2024-12-31 23:59\")".to_owned(),
            _ => match self.below(5) {
                0 | 1 => self.pick(ANYTHING).to_owned(),
                2 => self.pick(NUMBERS).to_owned(),
                _ => self.text(),
            },
        }
    }

    /// One call; results of unordered maps and of the clock are avoided.
    pub(super) fn template(&mut self) -> String {
        const CLOCK: &[&str] =
            &["date", "dateInZone", "date_in_zone", "htmlDate", "htmlDateInZone", "durationRound"];
        const OTHERWISE: &[&str] = &["keys", "values", "getHostByName", "env", "expandenv", "derivePassword"];
        let func = loop {
            let func = &FUNCS[self.below(FUNCS.len())];
            if is_deterministic(func.name) && !CLOCK.contains(&func.name) && !OTHERWISE.contains(&func.name) {
                break func;
            }
        };
        let mut call = func.name.to_owned();
        for param in func.params {
            call.push(' ');
            call.push_str(&self.argument(*param));
        }
        if let Some(rest) = func.variadic {
            for _ in 0..self.below(4) {
                call.push(' ');
                call.push_str(&self.argument(rest));
            }
        }
        match self.below(6) {
            0 => format!("{{{{ {call} | toRawJson }}}}"),
            1 => format!("{{{{ {call} | typeOf }}}}"),
            _ => format!("{{{{ {call} }}}}"),
        }
    }
}
