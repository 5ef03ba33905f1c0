//! Nothing that a user can hand in makes the crate panic.

use helm::{ArchiveLimits, Chart, File, RenderInput, ValuesLayer};
use proptest::prelude::*;

/// Texts made of the pieces that mean something in the languages at hand.
fn pieces(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(words), 0..24).prop_map(|p| p.concat())
}

const SET: &[&str] = &["a", "b", ".", "=", ",", "[0]", "[", "]", "{", "}", "\\", "1", "null", "é", "\"", " "];
const TEMPLATE: &[&str] = &[
    "{{",
    "}}",
    "-",
    " ",
    ".Values",
    ".a",
    "if",
    "end",
    "range",
    "else",
    "with",
    "define",
    "\"x\"",
    "include",
    "toYaml",
    "|",
    "nindent 2",
    "$x",
    ":=",
    "1",
    "tpl",
    "a: b\n",
    "---\n",
    "- ",
    "\n",
    "(",
    ")",
    "index",
    "list",
    "dict",
    "printf \"%v\"",
];
const YAML: &[&str] = &[
    "a", ": ", "\n", "  ", "- ", "{", "}", "[", "]", "&x ", "*x", "<<", "|", ">", "\"", "'", "#", "---\n",
    "!!int ", "1",
];
const SCHEMA: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"type\"",
    "\"object\"",
    "\"properties\"",
    "\"$ref\"",
    "\"#\"",
    "\"allOf\"",
    "1",
    "true",
    "\"pattern\"",
    "\"(\"",
];

fn chart(extra: Vec<File>) -> Result<Chart, helm::Error> {
    let mut files = vec![File::new("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n")];
    files.extend(extra);
    Chart::load(files, &ArchiveLimits::default())
}

fn render(chart: Result<Chart, helm::Error>, values: Vec<ValuesLayer>) {
    let defaults = RenderInput::default();
    let limits = gotemplate::Limits { steps: 100_000, bytes: 1 << 20, ..defaults.limits };
    if let Ok(chart) = chart {
        let _ = helm::render(&chart, &RenderInput { values, limits, ..defaults }).map(|r| r.text());
    }
}

proptest! {
    #[test]
    fn set_strings(text in pieces(SET), other in pieces(SET)) {
        for layer in [ValuesLayer::Set(text.clone()), ValuesLayer::SetString(text.clone()), ValuesLayer::SetJson(text.clone()), ValuesLayer::SetLiteral(text)] {
            let _ = helm::merge_layers(&[layer, ValuesLayer::Set(other.clone())]);
        }
    }

    #[test]
    fn templates(text in pieces(TEMPLATE)) {
        render(chart(vec![File::new("templates/a.yaml", text)]), Vec::new());
    }

    #[test]
    fn values_and_chart_files(values in pieces(YAML), meta in pieces(YAML), schema in pieces(SCHEMA)) {
        let data = values.clone().into_bytes().into();
        let layer = ValuesLayer::File { name: "v.yaml".into(), data };
        render(chart(vec![File::new("values.yaml", values), File::new("values.schema.json", schema)]), vec![layer]);
        let _ = Chart::load(vec![File::new("Chart.yaml", meta)], &ArchiveLimits::default());
    }

    #[test]
    fn archives(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = Chart::load_archive(&bytes, &ArchiveLimits::default());
        let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        gzip.extend(bytes);
        let _ = Chart::load_archive(&gzip, &ArchiveLimits::default());
    }
}
