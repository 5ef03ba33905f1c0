//! Remote bases and files of kustomizations: from what was given, or noted as needed.

use std::sync::{Arc, Mutex, PoisonError};

use kustomize::{Error, ErrorKind, Fetched, RepoSpec};
use sha2::{Digest, Sha256};

use super::needs::{Given, Got, Need};
use super::overlay::TreeFiles;

/// The remote side of a build's files. Whoever implements [`kustomize::Files`] passes remote references on to it.
#[derive(Debug)]
pub struct RemoteFiles {
    given: Given,
    needs: Arc<Mutex<Vec<Need>>>,
}

impl RemoteFiles {
    /// What was given so far; what is missing is added to `needs`.
    pub fn new(given: Given, needs: Arc<Mutex<Vec<Need>>>) -> Self {
        Self { given, needs }
    }

    fn need<T>(&self, need: Need) -> Fetched<T> {
        let mut needs = self.needs.lock().unwrap_or_else(PoisonError::into_inner);
        if !needs.contains(&need) {
            needs.push(need);
        }
        Fetched::Pending
    }

    /// The content of an http or https URL.
    pub fn file(&self, url: &str) -> Fetched<Arc<[u8]>> {
        if is_surely_a_repository(url) {
            return Fetched::Failed(Error::new("URL is a git repository"));
        }
        let repository = RepoSpec::parse(url).ok().map(|spec| spec.clone_url());
        let need = Need::File { url: url.to_owned(), repository };
        match self.given.get(&need) {
            Some(Got::File(content)) => Fetched::Done(Arc::clone(content)),
            // kustomize goes on to take the URL for a repository where it can be one.
            Some(Got::Absent(_)) if RepoSpec::parse(url).is_ok() => {
                Fetched::Failed(Error::new("URL is a git repository"))
            }
            Some(Got::Absent(why)) => Fetched::Failed(Error::with_kind(ErrorKind::Http, why)),
            Some(Got::Refused(why)) => Fetched::Failed(Error::new(why)),
            Some(Got::Tree(_)) | None => self.need(need),
        }
    }

    /// A Git repository.
    pub fn tree(this: &Arc<Self>, spec: &RepoSpec) -> Fetched<kustomize::Tree> {
        let need = Need::Repository {
            url: spec.clone_url(),
            revision: spec.reference().to_owned(),
            submodules: spec.submodules(),
            timeout: spec.timeout(),
        };
        match this.given.get(&need) {
            Some(Got::Tree(tree)) => {
                let hash = Sha256::digest(format!("{}?ref={}", spec.clone_url(), spec.reference()));
                let name: String = hash.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
                let prefix = format!("/kustomize-{name}");
                let files = TreeFiles {
                    tree: tree.clone(),
                    prefix: prefix.clone(),
                    replaced: None,
                    remote: Arc::clone(this),
                };
                Fetched::Done(kustomize::Tree { files: Arc::new(files), root: prefix })
            }
            Some(Got::Absent(why) | Got::Refused(why)) => Fetched::Failed(Error::new(why)),
            Some(Got::File(_)) | None => this.need(need),
        }
    }
}

/// kustomize asks every http URL for a file first. Where a URL can only be that of a repository, that request is spared.
fn is_surely_a_repository(url: &str) -> bool {
    let address = url.split('?').next().unwrap_or_default();
    let is_file = [".yaml", ".yml", ".json"].iter().any(|ending| address.ends_with(ending));
    let path = address.split_once("://").map_or("", |(_, rest)| rest);
    let marked =
        path.contains("//") || path.contains(".git/") || path.ends_with(".git") || path.contains("/_git/");
    marked && !is_file && RepoSpec::parse(url).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_a_file_is_not_asked_for() {
        for url in
            ["https://h/o/r.git", "https://h/o/r//base?ref=v1", "https://h/o/_git/r", "https://h/o/r.git/x"]
        {
            assert!(is_surely_a_repository(url), "{url}");
        }
        for url in ["https://h/o/r/x?ref=v1", "https://h/o//r/x.yaml", "https://raw.h/o/r/main/x.yaml"] {
            assert!(!is_surely_a_repository(url), "{url}");
        }
    }
}
