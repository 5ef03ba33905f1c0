//! Submodules: each fetched at its recorded commit into a mirror of its own, and shown at its place in the tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::flow::{ContentId, Entry, EntryKind, Tree, TreeError, TreePath, TreeStore, find_entry};
use crate::source::error::SourceError;
use crate::source::http::Target;
use crate::source::repository::{Access, Auth};
use crate::source::url::Scheme;

/// Submodules within submodules.
const MAX_DEPTH: usize = 8;
/// Submodules of one repository.
const MAX_SUBMODULES: usize = 200;
/// Largest `.gitmodules` that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Fetches a commit of a repository.
pub(crate) type Fetch<'f> = dyn Fn(&Access, &str) -> Result<Arc<dyn TreeStore>, SourceError> + 'f;

/// The tree of a commit with its submodules in place. A submodule that `.gitmodules` does not list stays what it is.
///
/// # Errors
/// [`SourceError::Submodule`] for one that cannot be had: a scheme that is not allowed, no access, too many levels.
pub(crate) fn mount(
    access: &Access,
    base: Arc<dyn TreeStore>,
    fetch: &Fetch<'_>,
) -> Result<Arc<dyn TreeStore>, SourceError> {
    mount_level(access, base, fetch, 0)
}

fn mount_level(
    access: &Access,
    base: Arc<dyn TreeStore>,
    fetch: &Fetch<'_>,
    depth: usize,
) -> Result<Arc<dyn TreeStore>, SourceError> {
    let tree = Tree::new(base.clone());
    let file = TreePath::root().child(".gitmodules");
    // Git refuses a .gitmodules that is a symbolic link, and so do we.
    if tree.find_link(&file)?.is_none_or(|found| found.kind != EntryKind::File) {
        return Ok(base);
    }
    let text = tree.read_limited(&file, MAX_FILE)?;
    let mut mounts = BTreeMap::new();
    for module in parse(&String::from_utf8_lossy(&text)) {
        let failed = |reason: String| SourceError::Submodule { path: module.path.clone(), reason };
        let path = TreePath::parse(&module.path).map_err(|error| failed(error.to_string()))?;
        let Ok(Some(found)) = tree.find_link(&path) else { continue };
        let (EntryKind::Submodule, Some(commit)) = (found.kind, found.id) else { continue };
        if depth >= MAX_DEPTH || mounts.len() >= MAX_SUBMODULES {
            return Err(failed("too many submodules or levels of them".to_owned()));
        }
        let inner = access_to(access, &module.url).map_err(|error| failed(error.to_string()))?;
        let store = fetch(&inner, &commit.0).map_err(|error| failed(error.to_string()))?;
        mounts.insert(path, mount_level(&inner, store, fetch, depth + 1)?);
    }
    Ok(if mounts.is_empty() { base } else { Arc::new(Mounted { base, mounts }) })
}

/// Access to a submodule's repository: credentials and trust go along to the same server alone.
fn access_to(outer: &Access, url: &str) -> Result<Access, SourceError> {
    let url = outer.url.join_submodule(url)?;
    if url.scheme() == Scheme::Oci {
        return Err(SourceError::InvalidUrl { reason: "its scheme is not one of Git's".to_owned() });
    }
    let same_server = url.scheme() == outer.url.scheme()
        && Target::below(&outer.url, "").shares_credentials(&Target::below(&url, ""));
    let mut inner = Access { url, ..outer.clone() };
    if !same_server {
        inner.auth = Auth::Anonymous;
        inner.tls.client_cert_pem = None;
        inner.tls.client_key_pem = None;
        inner.tls.ca_pem = None;
        inner.insecure = false;
    } else if inner.auth == Auth::Anonymous && inner.url.user().is_none() {
        inner.url = inner.url.with_login_of(&outer.url);
    }
    Ok(inner)
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Module {
    path: String,
    url: String,
}

/// Reads the sections `[submodule "name"]` of Git's configuration format. Names are not used for anything.
pub(super) fn parse(text: &str) -> Vec<Module> {
    let mut modules: Vec<Module> = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.starts_with("[submodule ");
            if inside {
                modules.push(Module::default());
            }
            continue;
        }
        let (Some(module), Some((key, value))) =
            (modules.last_mut().filter(|_| inside), line.split_once('='))
        else {
            continue;
        };
        match key.trim().to_ascii_lowercase().as_str() {
            "path" => module.path = unquote(value),
            "url" => module.url = unquote(value),
            _ => {}
        }
    }
    modules.retain(|module| !module.path.is_empty() && !module.url.is_empty());
    modules
}

/// A value without its quotes, escapes and comment.
fn unquote(value: &str) -> String {
    let mut text = String::new();
    let mut quoted = false;
    let mut characters = value.trim().chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(other) => text.push(other),
                None => {}
            },
            '#' | ';' if !quoted => break,
            other => text.push(other),
        }
    }
    text.trim_end().to_owned()
}

/// A tree with other trees in the places of its submodules.
#[derive(Debug)]
struct Mounted {
    base: Arc<dyn TreeStore>,
    mounts: BTreeMap<TreePath, Arc<dyn TreeStore>>,
}

impl Mounted {
    /// The tree that holds a path, and the path within it.
    fn place(&self, path: &TreePath) -> (&dyn TreeStore, TreePath) {
        let mut mounts = self.mounts.iter();
        let inside = mounts.find_map(|(mount, store)| path.below(mount).map(|rest| (store.as_ref(), rest)));
        inside.unwrap_or_else(|| (self.base.as_ref(), path.clone()))
    }
}

impl TreeStore for Mounted {
    fn list(&self, dir: &TreePath) -> Result<Arc<[Entry]>, TreeError> {
        let (store, rest) = self.place(dir);
        let entries = store.list(&rest)?;
        let here = |mount: &TreePath| {
            let parent = mount.parent().as_ref() == Some(dir);
            mount.file_name().filter(|name| parent && find_entry(&entries, name).is_some()).map(str::to_owned)
        };
        if !self.mounts.keys().any(|mount| here(mount).is_some()) {
            return Ok(entries);
        }
        let mut entries = entries.to_vec();
        for entry in &mut entries {
            if let Some(store) = self.mounts.get(&dir.child(&entry.name)) {
                *entry = Entry { name: entry.name.clone(), kind: EntryKind::Directory, id: store.root_id() };
            }
        }
        Ok(entries.into())
    }

    fn read(&self, file: &TreePath, limit: u64) -> Result<Vec<u8>, TreeError> {
        let (store, rest) = self.place(file);
        store.read(&rest, limit)
    }

    fn root_id(&self) -> Option<ContentId> {
        self.base.root_id()
    }

    fn is_sound(&self) -> bool {
        self.base.is_sound() && self.mounts.values().all(|store| store.is_sound())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::repository::SecretText;
    use crate::source::url::RepoUrl;

    #[test]
    fn gitmodules_are_read_as_git_reads_them() {
        let text = "# x\n[core]\n\tpath = no\n[submodule \"a\\\"b\"]\n\tpath = lib/a\n\turl = \"../a.git\" # here\n\tupdate = !touch /tmp/x\n[submodule \"c\"]\nPATH=c\nurl=https://h/c;d\n[submodule \"e\"]\npath = e\n";
        let module = |path: &str, url: &str| Module { path: path.into(), url: url.into() };
        assert_eq!(parse(text), [module("lib/a", "../a.git"), module("c", "https://h/c")]);
    }

    #[test]
    fn credentials_stay_with_their_server() {
        let mut outer = Access::anonymous(RepoUrl::parse("https://u:hunter22@host/org/app").unwrap());
        let same = access_to(&outer, "../lib").unwrap();
        assert_eq!(same.basic(), Some(("u", "hunter22")));
        assert_eq!(access_to(&outer, "https://host/lib").unwrap().basic(), Some(("u", "hunter22")));
        assert_eq!(access_to(&outer, "https://other/lib").unwrap().basic(), None);
        assert_eq!(access_to(&outer, "http://host/lib").unwrap().basic(), None);
        outer.auth = Auth::Bearer(SecretText::new("t0ken"));
        assert_eq!(access_to(&outer, "https://other/lib").unwrap().auth, Auth::Anonymous);
        for url in ["ext::sh -c true", "file:///etc", "/etc", "--upload-pack=x", "oci://h/x", "../../../x"] {
            assert!(access_to(&outer, url).is_err(), "{url}");
        }
    }
}
