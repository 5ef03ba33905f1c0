//! The fuzz target: value flags, charts and archives, on any bytes.

use helm::{ArchiveLimits, Chart, File, RenderInput, ValuesLayer};

/// What stands between the files of an input.
pub(crate) const CUT: &[u8] = b"\n=====\n";

const PATHS: [&str; 5] =
    ["Chart.yaml", "values.yaml", "templates/a.yaml", "templates/_h.tpl", "values.schema.json"];

/// The first byte says what the rest is: `0` to `3` a flag, `4` an archive, else the files of a chart.
pub(crate) fn run(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let text = || String::from_utf8_lossy(rest).into_owned();
    let layer = match kind {
        b'0' => ValuesLayer::Set(text()),
        b'1' => ValuesLayer::SetString(text()),
        b'2' => ValuesLayer::SetJson(text()),
        b'3' => ValuesLayer::SetLiteral(text()),
        b'4' => {
            let _ = Chart::load_archive(rest, &ArchiveLimits { bytes: 1 << 20, files: 100 });
            return;
        }
        _ => return chart(rest),
    };
    let _ = helm::merge_layers(&[ValuesLayer::Set("a.b[1]=x".into()), layer]);
}

fn chart(bytes: &[u8]) {
    let mut files = Vec::new();
    let mut rest = bytes;
    for path in PATHS {
        let end = rest.windows(CUT.len()).position(|window| window == CUT);
        let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if !part.is_empty() {
            files.push(File::new(path, part));
        }
        rest = end.and_then(|end| rest.get(end + CUT.len()..)).unwrap_or_default();
    }
    let defaults = RenderInput::default();
    let limits = gotemplate::Limits { steps: 20_000, bytes: 1 << 18, ..defaults.limits };
    if let Ok(chart) = Chart::load(files, &ArchiveLimits::default()) {
        let _ = helm::render(&chart, &RenderInput { limits, ..defaults }).map(|rendered| rendered.text());
    }
}
