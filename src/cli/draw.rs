//! What people look at rather than read: colour where it is a terminal, plain where it is not.

use std::io::{IsTerminal, Write};

use crate::api::{HealthCode, OperationPhase, SyncCode};
use crate::flow::FieldDifference;
use crate::object::ResourceKey;

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BLUE: &str = "34";
const FAINT: &str = "2";

fn paint(colour: &str, text: &str) -> String {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\u{1b}[{colour}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// A sync status in its colour.
pub(super) fn sync(code: SyncCode) -> String {
    let colour = match code {
        SyncCode::Synced => GREEN,
        SyncCode::OutOfSync => YELLOW,
        SyncCode::Unknown => BLUE,
    };
    paint(colour, code.as_str())
}

/// An object: `apps/Deployment/team/web`, `Namespace/team`.
pub(super) fn object(key: &ResourceKey) -> String {
    let words = [&key.group, &key.kind, &key.namespace, &key.name];
    let words: Vec<&str> = words.iter().map(|word| word.as_str()).filter(|word| !word.is_empty()).collect();
    words.join("/")
}

/// A health status in its colour.
pub(super) fn health(code: HealthCode) -> String {
    let colour = match code {
        HealthCode::Healthy => GREEN,
        HealthCode::Progressing | HealthCode::Suspended => BLUE,
        HealthCode::Missing => YELLOW,
        HealthCode::Degraded | HealthCode::Unknown => RED,
    };
    paint(colour, code.as_str())
}

/// A phase in its colour.
pub(super) fn phase(phase: OperationPhase) -> String {
    let colour = match phase {
        OperationPhase::Succeeded => GREEN,
        OperationPhase::Running | OperationPhase::Terminating => BLUE,
        OperationPhase::Failed | OperationPhase::Error => RED,
    };
    paint(colour, phase.as_str())
}

/// The fields in which an object differs.
pub(super) fn differences(
    out: &mut impl Write,
    title: &str,
    found: &[FieldDifference],
) -> std::io::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    writeln!(out, "===== {title} ======")?;
    for one in found {
        writeln!(out, "{}", one.pointer)?;
        if let Some(live) = &one.live {
            writeln!(out, "{}", paint(RED, &format!("  - {live}")))?;
        }
        if let Some(predicted) = &one.predicted {
            writeln!(out, "{}", paint(GREEN, &format!("  + {predicted}")))?;
        }
    }
    Ok(())
}

/// Columns under headings, as wide as their widest cell. Colours do not count.
pub(super) fn table(out: &mut impl Write, headings: &[&str], rows: &[Vec<String>]) -> std::io::Result<()> {
    let width_of = |cell: &str| {
        let mut visible = 0;
        let mut escaped = false;
        for c in cell.chars() {
            match (escaped, c) {
                (false, '\u{1b}') => escaped = true,
                (true, 'm') => escaped = false,
                (false, _) => visible += 1,
                _ => {}
            }
        }
        visible
    };
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(width_of(cell));
        }
    }
    let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
    for row in std::iter::once(&headings).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(width_of(cell)) + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Something that is wrong.
pub(super) fn problem(text: &str) -> String {
    paint(RED, &format!("! {text}"))
}

/// A piece of an explanation in its colour.
pub(super) fn tone(tone: crate::explain::Tone, text: &str) -> String {
    use crate::explain::Tone;
    match tone {
        Tone::Good => paint(GREEN, text),
        Tone::Bad => paint(RED, text),
        Tone::Faint => paint(FAINT, text),
        Tone::Advice => paint(BLUE, text),
    }
}
