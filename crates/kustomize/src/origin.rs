//! Where an object comes from: the notes that `buildMetadata` asks for.

use goyaml::{Node, Style, tags};

use crate::error::Result;
use crate::files::join_path;
use crate::repo_spec::RepoSpec;
use crate::tree::value;

/// File and repository that an object comes from, or the generator or transformer that made or changed it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) path: String,
    pub(crate) repo: String,
    pub(crate) reference: String,
    pub(crate) configured_in: String,
    pub(crate) configured_by: ConfiguredBy,
}

/// A generator or transformer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ConfiguredBy {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(Node, Node)> {
    fields
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| (Node::string(*name), marshalled(text)))
        .collect()
}

/// A string as yaml.v3 marshals Go strings: what YAML 1.1 takes for booleans or base-60 numbers is quoted,
/// which a string node would not be.
fn marshalled(text: &str) -> Node {
    const BOOLEANS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    let is_boolean = BOOLEANS.iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_base_60 = text.contains(':')
        && text.trim_start_matches(['-', '+']).starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'_' | b'.' | b'-' | b'+'));
    let mut node = Node::string(text);
    if is_boolean || is_base_60 {
        node.style = Style::DOUBLE_QUOTED;
    }
    node
}

impl Origin {
    /// The origin of what `path` leads to from here.
    pub(crate) fn append(&self, path: &str) -> Self {
        let mut origin = self.clone();
        if let Ok(spec) = RepoSpec::parse(path) {
            origin.repo = spec.clone_url();
            spec.reference().clone_into(&mut origin.reference);
            origin.path = join_path("", spec.path());
        } else {
            origin.path = join_path(&origin.path, path);
        }
        origin
    }

    /// The origin of what a built-in generator or transformer of this kind makes.
    pub(crate) fn of_built_in(&self, file: &str, kind: &str) -> Self {
        let configured_by = ConfiguredBy {
            api_version: "builtin".to_owned(),
            kind: kind.to_owned(),
            ..ConfiguredBy::default()
        };
        Self {
            path: String::new(),
            repo: self.repo.clone(),
            reference: self.reference.clone(),
            configured_in: join_path(&self.path, file),
            configured_by,
        }
    }

    fn node(&self) -> Node {
        let mut fields = pairs(&[
            ("path", &self.path),
            ("repo", &self.repo),
            ("ref", &self.reference),
            ("configuredIn", &self.configured_in),
        ]);
        let by = &self.configured_by;
        let by = pairs(&[
            ("apiVersion", &by.api_version),
            ("kind", &by.kind),
            ("name", &by.name),
            ("namespace", &by.namespace),
        ]);
        if !by.is_empty() {
            fields.push((Node::string("configuredBy"), Node::mapping(by)));
        }
        Node::mapping(fields)
    }

    /// The note, as YAML.
    pub(crate) fn print(&self) -> Result<String> {
        value::print(&self.node())
    }

    /// What a note says.
    pub(crate) fn read(text: &str) -> Self {
        let parsed = goyaml::parse_first(text.as_bytes(), &goyaml::Limits::default()).ok().flatten();
        let node = parsed.map(Node::into_root).unwrap_or_default();
        let get = |path: &[&str]| node.get_path(path).map(|node| node.value.clone()).unwrap_or_default();
        Self {
            path: get(&["path"]),
            repo: get(&["repo"]),
            reference: get(&["ref"]),
            configured_in: get(&["configuredIn"]),
            configured_by: ConfiguredBy {
                api_version: get(&["configuredBy", "apiVersion"]),
                kind: get(&["configuredBy", "kind"]),
                name: get(&["configuredBy", "name"]),
                namespace: get(&["configuredBy", "namespace"]),
            },
        }
    }

    /// A list of notes with one more.
    pub(crate) fn append_to_list(list: Option<&str>, origin: &Self) -> Result<String> {
        let parsed = match list {
            Some(text) => goyaml::parse_first(text.as_bytes(), &goyaml::Limits::default())?,
            None => None,
        };
        let mut items = parsed.map(Node::into_root).map(|root| root.content).unwrap_or_default();
        items.push(origin.node());
        let mut all = Node::sequence(items);
        all.tag = tags::SEQ.into();
        value::print(&all)
    }
}
