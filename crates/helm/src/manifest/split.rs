//! Cutting rendered text into documents as Helm does: at every line that starts with `---`.

/// The documents of `text` without the blank ones; white space before each is dropped, after it is kept.
///
/// Unlike YAML, Helm takes `---apiVersion: v1` for a separator with a document right behind it.
pub(crate) fn split_documents(text: &str) -> Vec<&str> {
    let text = text.trim_start();
    let mut documents = Vec::new();
    let mut start = 0;
    for separator in separators(text) {
        documents.push(&text[start..separator.0]);
        start = separator.1;
    }
    documents.push(&text[start..]);
    documents.into_iter().map(str::trim_start).filter(|d| !d.is_empty()).collect()
}

/// Start and end of each `---` at the start of a line, with the blanks and tabs behind it.
fn separators(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut line_start = Some(0);
    std::iter::from_fn(move || {
        while let Some(start) = line_start {
            let rest = &text[start..];
            line_start = rest.find('\n').map(|end| start + end + 1);
            if let Some(after) = rest.strip_prefix("---") {
                let end = text.len() - after.trim_start_matches([' ', '\t']).len();
                return Some((start, end));
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_blank_documents() {
        assert_eq!(split_documents("\n---\na: 1\n---  \n\n--- # c\nb: 2\n"), ["a: 1\n", "# c\nb: 2\n"]);
        assert_eq!(split_documents("---a: 1\n----\nx---\n"), ["a: 1\n", "-\nx---\n"]);
        assert_eq!(split_documents(" \n"), Vec::<&str>::new());
    }
}
