//! The fuzz target on seeded mutations; see `fuzz/README.md`.

use crate::{mutate, target};

const WORDS: &[&str] = &[
    "a",
    ": ",
    ":",
    "\n",
    "  ",
    "\n  ",
    "- ",
    "-",
    "?",
    "? ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "<<: ",
    "|",
    ">",
    "|2-",
    ">+",
    "\"",
    "'",
    "\\",
    "\\u00e9",
    "\\x",
    "# c\n",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "%TAG ! x\n",
    "!!int ",
    "!!binary ",
    "!!set",
    "!x",
    "!<y>",
    "0755",
    "1_000",
    "0x1F",
    "1e3",
    ".inf",
    "-.nan",
    "~",
    "yes",
    "2001-12-14 21:59:43.10 -5",
    "12:30:45",
    "\t",
    "\r",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\0",
    "é",
    "\u{1F600}",
];

const TEXTS: &[&str] = &[
    "a: 1\nb: [x, 'y', \"z\\n\"]\nc: {d: e, ? f : g}\n",
    "base: &b {x: 1, y: [2, 3]}\nuse:\n  <<: *b\n  z: *b\n",
    "text: |+\n  one\n\n   two\n\nfold: >-\n  a b\n  c\n\n  d\nlast: \"long\n  line\"\n",
    "# head\nlist: # line\n- a\n-\n  - b\n  - c: d\n    # foot\n# tail\n---\nsecond: true\n...\n",
    "? [complex, key]\n: - value\n? |\n  block\n: 1\n",
    "%YAML 1.1\n%TAG !e! tag:example.com,2000:\n---\n!e!t {a: !!str 1, b: !!binary aGk=, c: !local x}\n",
    "n: [0755, 0o14, 1_000, 0x1F, 1e3, .inf, -.nan, ~, yes, on, 2001-12-14, 12:30:45, 18446744073709551616]\n",
];

#[test]
fn fuzz_mutations_do_not_panic() {
    let corpus: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    mutate::run(target::run, &corpus, WORDS, 10_000);
}
