//! The tree as people read it. Colours come from the caller: this room does not know what it is printed on.

use std::fmt::Write;

use crate::api::Time;

use super::ownership::name_of;
use super::{Explanation, Finding, Level, named};

/// What a piece of text is, for colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// A cause.
    Bad,
    /// What follows from a cause, or was not reached.
    Faint,
    /// What to do.
    Advice,
}

/// No colours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Plain {
    /// The text as it is.
    pub fn paint(_: Tone, text: &str) -> String {
        text.to_owned()
    }
}

/// `Deployment shop/web: /spec/replicas is 5, Git says 2, written by kubectl-edit`.
pub(super) fn headline(finding: &Finding) -> String {
    let mut text = match &finding.object {
        Some(object) => format!("{}: {}", named(object), finding.message),
        None => finding.message.clone(),
    };
    if let Some(writer) = &finding.written_by {
        let _ = write!(text, ", written by {}", name_of(writer));
    }
    text
}

impl Explanation {
    /// The whole explanation as a tree. `paint` colours a piece of text.
    pub fn print(&self, paint: impl Fn(Tone, &str) -> String) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{}: {}, {}", self.application, self.sync.as_str(), self.health.as_str());
        if self.causes.is_empty() {
            let _ = writeln!(out, "{}", paint(Tone::Good, "nothing is wrong"));
        }
        for (index, cause) in self.causes.iter().enumerate() {
            let _ = writeln!(out);
            let number = format!("{}. {}: ", index + 1, cause.level.as_str());
            let _ = writeln!(out, "{}{}{}", number, paint(Tone::Bad, &headline(cause)), time(cause.since));
            below(&mut out, cause, "   ", &paint);
        }
        if !self.consequences.is_empty() {
            let _ = writeln!(out, "\nfollows from {}:", if self.causes.len() > 1 { "these" } else { "this" });
            for one in &self.consequences {
                let _ = writeln!(out, "- {}", paint(Tone::Faint, &headline(one)));
            }
        }
        let _ = writeln!(out, "\nfrom the top down:");
        for line in &self.stages {
            let (mark, tone) = match line.ok {
                Some(true) => ("ok", Tone::Good),
                Some(false) => ("!!", Tone::Bad),
                None => ("--", Tone::Faint),
            };
            let _ = writeln!(out, "  {} {:<8} {}", paint(tone, mark), line.stage.as_str(), line.message);
        }
        out
    }
}

fn time(since: Option<Time>) -> String {
    since.map(|since| format!(" ({since})")).unwrap_or_default()
}

/// Advice and evidence of a finding, as branches.
fn below(out: &mut String, finding: &Finding, indent: &str, paint: &impl Fn(Tone, &str) -> String) {
    let last = finding.evidence.len() + finding.advice.len();
    let mut index = 0;
    for one in &finding.evidence {
        index += 1;
        let (branch, inner) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let level = if one.level == Level::Pod { "" } else { one.level.as_str() };
        let gap = if level.is_empty() { "" } else { " " };
        let _ = writeln!(out, "{indent}{branch}{level}{gap}{}{}", headline(one), time(one.since));
        below(out, one, &format!("{indent}{inner}"), paint);
    }
    for advice in &finding.advice {
        index += 1;
        let (branch, inner) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        for (row, line) in advice.lines().enumerate() {
            let lead = if row == 0 { format!("{branch}→ ") } else { format!("{inner}  ") };
            let _ = writeln!(out, "{indent}{lead}{}", paint(Tone::Advice, line));
        }
    }
}
