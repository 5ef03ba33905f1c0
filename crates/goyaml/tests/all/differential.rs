//! Random cases, answered by the Go libraries and by the crate.
//!
//! They run where `TIPHYS_ORACLE_GOYAML` names the oracle; `TIPHYS_SEEDS` sets their number and
//! `TIPHYS_SEED` where they start.

use crate::generate::{Random, document, soup, tree, value};
use crate::oracle::{Answer, Question, ask_go, ask_us, is_here};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Asks both about the questions that `make` gives for random numbers, and shows the first differences.
fn compare(name: &str, make: impl Fn(&mut Random) -> Question) {
    if !is_here() {
        return;
    }
    let mut random = Random(setting("TIPHYS_SEED", 1));
    let cases = setting("TIPHYS_SEEDS", 2_000);
    let questions: Vec<Question> = (0..cases).map(|_| make(&mut random)).collect();
    compare_all(name, &questions);
}

fn compare_all(name: &str, questions: &[Question]) {
    let Some(expected) = ask_go(questions) else { return };
    let mut different: Vec<(&Question, &Answer, Answer)> = questions
        .iter()
        .zip(&expected)
        .map(|(question, expected)| (question, expected, ask_us(question)))
        .filter(|(question, expected, found)| *expected != found && !is_excused(question, expected, found))
        .collect();
    different.sort_by_key(|(question, ..)| question.data.len());
    for (question, expected, found) in different.iter().take(setting("TIPHYS_ORACLE_SHOW", 3) as usize) {
        let data = String::from_utf8_lossy(&question.data);
        println!(
            "=== {name} {} indent {} wide {}\n{data}\n{data:?}",
            question.op, question.indent, question.wide
        );
        show("Go", expected);
        show("we", found);
    }
    assert!(different.is_empty(), "{name}: {} of {} differ", different.len(), questions.len());
}

/// Where Go itself breaks down or gives another answer each time, any answer will do.
fn is_excused(question: &Question, expected: &Answer, found: &Answer) -> bool {
    // Go takes any character for a byte order mark while one stands at the start of its buffer.
    let text = String::from_utf8_lossy(&question.data);
    let utf16: [&[u8]; 2] = [&[0xFF, 0xFE, 0xFF, 0xFE], &[0xFE, 0xFF, 0xFE, 0xFF]];
    let double_mark = utf16.iter().any(|marks| question.data.starts_with(marks));
    if double_mark
        || !question.op.starts_with("to-") && text.chars().skip(1).any(|character| character == '\u{FEFF}')
    {
        return true;
    }
    match (expected, found) {
        (Err(expected), Err(found)) => {
            // Within a few characters of a broken one, either may come first.
            if expected.contains(" UTF-") || found.contains(" UTF-") {
                return true;
            }
            let random = |text: &str| text.contains("map[") || text.contains("unsupported map key");
            expected.starts_with("panic: ") || random(expected) && random(found)
        }
        (Err(expected), Ok(_)) => expected.starts_with("panic: ") || expected.contains(" UTF-"),
        // The order of keys is no total order when numbers start with 0: `1.` < `0755` < `0x` < `1.`
        (Ok(expected), Ok(found)) if question.op.starts_with("to-") && expected.contains("0") => {
            let sorted = |text: &str| {
                let mut lines: Vec<String> = text
                    .lines()
                    .map(|line| line.trim_start_matches(['-', ' ', '?', ':']).to_owned())
                    .collect();
                lines.sort();
                lines
            };
            sorted(expected) == sorted(found)
        }
        _ => false,
    }
}

fn show(who: &str, answer: &Answer) {
    match answer {
        Ok(text) => println!("--- {who}:\n{text}"),
        Err(error) => println!("--- {who}, error: {error}"),
    }
}

fn json_question(op: &'static str, random: &mut Random) -> Question {
    Question::new(op, serde_json::to_vec(&value(random, 0)).unwrap())
}

#[test]
fn values_to_yaml() {
    compare("values_to_yaml", |random| json_question("to-yaml", random));
}

#[test]
fn values_to_pretty_yaml() {
    compare("values_to_pretty_yaml", |random| json_question("to-pretty", random));
}

#[test]
fn values_to_json() {
    compare("values_to_json", |random| json_question("to-json", random));
}

#[test]
fn documents_decode() {
    compare("documents_decode", |random| Question::new("decode", document(random)));
}

#[test]
fn soup_decodes() {
    compare("soup_decodes", |random| {
        let op = random.pick(&["decode", "decode", "decode-strict", "decode-map", "decode-list"]);
        Question::new(op, soup(random))
    });
}

#[test]
fn soup_trees() {
    compare("soup_trees", |random| Question::new("tree", soup(random)));
}

#[test]
fn document_trees() {
    compare("document_trees", |random| Question::new("tree", document(random)));
}

#[test]
fn documents_round_trip() {
    compare("documents_round_trip", |random| {
        let mut question =
            Question::new("emit", if random.chance(80) { document(random) } else { soup(random) });
        question.indent = random.pick(&[2, 2, 2, 4, 3]);
        question.wide = random.chance(50);
        question
    });
}

#[test]
fn nodes_decode() {
    compare("nodes_decode", |random| {
        Question::new("value", if random.chance(40) { document(random) } else { soup(random) })
    });
}

#[test]
fn built_nodes_are_written() {
    compare("built_nodes_are_written", |random| {
        let mut root = tree(random, 0);
        if random.chance(30) {
            root = serde_json::json!({"kind": 1, "head": random.pick(&["", "", "# doc"]), "foot": random.pick(&["", "# end"]), "content": [root]});
        }
        let mut question = Question::new("build", root.to_string());
        question.indent = random.pick(&[2, 2, 2, 4, 3]);
        question.wide = random.chance(50);
        question
    });
}

#[test]
fn streams_split() {
    compare("streams_split", |random| {
        let count = random.below(9);
        let pieces = [
            "---\n",
            "--- \n",
            "---\r\n",
            "--- # c\n",
            "--- x\n",
            "a: 1\n",
            "\n",
            "b\r\n",
            " ---\n",
            "# c\n",
            "---",
            "a",
        ];
        let weights = [0, 0, 1, 2, 3, 5, 5, 6, 7, 8, 9, 10, 11, 5, 5, 0, 0];
        Question::new("split", (0..count).map(|_| pieces[random.pick(&weights)]).collect::<String>())
    });
}

/// Text with a few bytes that are changed at random, in UTF-8 and UTF-16.
#[test]
fn broken_bytes() {
    compare("broken_bytes", |random| {
        let text = if random.chance(50) { document(random) } else { soup(random) };
        let mut bytes = match random.below(4) {
            0 => "\u{FEFF}"
                .chars()
                .chain(text.chars())
                .collect::<String>()
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
            1 => "\u{FEFF}"
                .chars()
                .chain(text.chars())
                .collect::<String>()
                .encode_utf16()
                .flat_map(u16::to_be_bytes)
                .collect(),
            _ => text.into_bytes(),
        };
        for _ in 0..random.below(3) {
            let at = random.below(bytes.len() + 1);
            let byte = random.pick(&[
                0, 7, 0x1B, 0x7F, 0x80, 0xC2, 0xC3, 0xE2, 0xED, 0xEF, 0xF0, 0xFE, 0xFF, b'\t', b'\r', b':',
                b'#',
            ]);
            if random.chance(50) { bytes.insert(at, byte) } else { bytes.truncate(at) }
        }
        Question::new(random.pick(&["decode", "tree"]), bytes)
    });
}

/// The files named in the list that `TIPHYS_ORACLE_FILES` names, one path a line.
#[test]
fn files() {
    let Ok(list) = std::env::var("TIPHYS_ORACLE_FILES") else { return };
    let list = std::fs::read_to_string(list).unwrap();
    let texts: Vec<Vec<u8>> = list.lines().filter_map(|path| std::fs::read(path).ok()).collect();
    for chunk in texts.chunks(500) {
        let questions: Vec<Question> = chunk
            .iter()
            .flat_map(|text| {
                ["decode", "decode-strict", "tree", "emit", "value", "split"]
                    .map(|op| Question::new(op, text.clone()))
            })
            .filter(|question| question.op != "split" || str::from_utf8(&question.data).is_ok())
            .collect();
        compare_all("files", &questions);
    }
}
