//! PEM blocks, read as leniently as Go does and written as Go writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A decoded block.
pub(super) struct Block {
    /// What stands between `BEGIN` and the dashes.
    pub label: String,
    /// The content.
    pub der: Vec<u8>,
}

/// The first block in a text; what is around it does not matter.
pub(super) fn decode(text: &[u8]) -> Option<Block> {
    let text = String::from_utf8_lossy(text);
    let mut rest: &str = &text;
    loop {
        let (_, after) = rest.split_once("-----BEGIN ")?;
        rest = after;
        let Some((label, body)) = after.split_once("-----") else { continue };
        if label.contains('\n') {
            continue;
        }
        let Some((body, _)) = body.split_once(&format!("-----END {label}-----")) else { continue };
        let digits: String = body
            .lines()
            .filter(|line| !line.contains(':'))
            .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
            .collect();
        if let Ok(der) = STANDARD.decode(digits) {
            return Some(Block { label: label.to_owned(), der });
        }
    }
}

/// A block with lines of 64 characters.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let digits = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at_checked(64).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}
