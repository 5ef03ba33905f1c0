//! Access to the pairs of a mapping node.

use super::{Kind, Node};

impl Node {
    /// The pairs of a mapping in order (nothing for other kinds). Looks through a document.
    pub fn pairs(&self) -> impl DoubleEndedIterator<Item = (&Node, &Node)> + ExactSizeIterator {
        let root = self.root();
        let content: &[Node] = if root.kind == Kind::Mapping { &root.content } else { &[] };
        content.as_chunks::<2>().0.iter().map(|[key, value]| (key, value))
    }

    /// The pairs of a mapping in order, for changing (nothing for other kinds). Looks through a document.
    pub fn pairs_mut(
        &mut self,
    ) -> impl DoubleEndedIterator<Item = (&mut Node, &mut Node)> + ExactSizeIterator {
        let root = self.root_mut();
        let content: &mut [Node] = if root.kind == Kind::Mapping { &mut root.content } else { &mut [] };
        content.as_chunks_mut::<2>().0.iter_mut().map(|[key, value]| (key, value))
    }

    /// The root of a document, or the node itself, for changing.
    pub fn root_mut(&mut self) -> &mut Node {
        if self.kind == Kind::Document && !self.content.is_empty() { &mut self.content[0] } else { self }
    }

    /// The value of the first pair whose key has the text `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.pairs().find(|(name, _)| name.value == key).map(|(_, value)| value)
    }

    /// The value of the first pair whose key has the text `key`, for changing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.pairs_mut().find(|(name, _)| name.value == key).map(|(_, value)| value)
    }

    /// The node at a path of mapping keys.
    pub fn get_path(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The position of the pair with this key, counted in pairs.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.pairs().position(|(name, _)| name.value == key)
    }

    /// Replaces the value of `key` in place, or appends the pair with a string key. Gives the old value
    /// back. Does nothing on a node that is no mapping.
    pub fn set(&mut self, key: &str, value: Node) -> Option<Node> {
        if let Some(old) = self.get_mut(key) {
            return Some(std::mem::replace(old, value));
        }
        let root = self.root_mut();
        if root.kind == Kind::Mapping {
            root.content.push(Node::string(key));
            root.content.push(value);
        }
        None
    }

    /// Removes the first pair with this key and gives its key and value.
    pub fn remove(&mut self, key: &str) -> Option<(Node, Node)> {
        let at = self.position(key)? * 2;
        let mut pair = self.root_mut().content.drain(at..at + 2);
        Some((pair.next()?, pair.next()?))
    }
}
