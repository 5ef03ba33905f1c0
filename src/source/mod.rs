//! Where desired state comes from: Git repositories, Helm repositories, OCI registries. A source's revision is
//! resolved to an exact name ([`Revision`](crate::flow::Revision)), and that name to files that can be read and
//! nothing else ([`Tree`](crate::flow::Tree)).
//!
//! [`Sources`] is the door. Behind it: a client for Git's wire protocol and one bare mirror per repository (`git`),
//! HTTP with the TLS, proxy and credentials of one repository (`http`), Helm repositories (`helm_repo`), OCI registries
//! (`oci`). Every wait has a deadline and can be
//! cancelled ([`Budget`]); no credential stands in any error.
//!
//! From the crates it takes their reading of YAML and of semantic versions, and nothing of templates. This room knows nothing of Applications, projects or rendering, and decides nothing.

mod archive;
mod budget;
mod charts;
mod dir_tree;
mod error;
mod files;
mod git;
mod helm_repo;
mod http;
mod oci;
mod repository;
#[cfg(test)]
mod robustness;
mod sources;
mod url;
mod versions;

pub use budget::{Budget, CancelToken};
pub use dir_tree::DirTree;
pub use error::{Remedy, SourceError};
pub use files::FileAnswer;
pub use git::{GitBackend, MirrorBackend, RefList, RemoteRef, Resolved, is_commit_id, is_short_id};
pub use repository::{Access, Auth, Proxy, SecretText, TlsTrust};
pub use sources::{Freshness, Sources, SourcesOptions};
pub use url::{RepoUrl, Scheme, normalize_git_url, same_git_url};
