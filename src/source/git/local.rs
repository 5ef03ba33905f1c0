//! Repositories on this machine (`file://`), for the CLI and tests: read in place, copied into the mirror.

use std::io::Write;

use git2::{ErrorCode, ObjectType, Oid, Repository, RepositoryOpenFlags, TreeWalkMode, TreeWalkResult};

use super::mirror::LockedMirror;
use super::refs::{RefList, RemoteRef};
use crate::source::budget::Budget;
use crate::source::error::SourceError;
use crate::source::repository::Access;

/// Opens a repository: bare, or the one of a work tree.
pub(crate) fn open(access: &Access) -> Result<Repository, SourceError> {
    let none: [&str; 0] = [];
    let path = access.url.path();
    Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, none).map_err(|error| {
        let url = access.url.to_string();
        let reason = error.message().to_owned();
        match error.code() {
            ErrorCode::NotFound => SourceError::NotFound { url, reason },
            ErrorCode::Owner => SourceError::Unauthenticated { url, reason },
            _ => SourceError::BadAnswer { url, reason },
        }
    })
}

/// Its references.
pub(crate) fn list_refs(access: &Access) -> Result<RefList, SourceError> {
    let repository = open(access)?;
    let failed = |error: git2::Error| bad(access, &error);
    let mut list = RefList::default();
    for reference in repository.references().map_err(failed)?.flatten() {
        let (Ok(name), Some(object)) = (reference.name(), reference.target()) else { continue };
        let peeled = reference.peel(ObjectType::Commit).ok().map(|object| object.id());
        let peeled = peeled.filter(|peeled| *peeled != object).map(|peeled| peeled.to_string());
        list.refs.insert(name.to_owned(), RemoteRef { object: object.to_string(), peeled, symbolic: None });
    }
    if let Ok(head) = repository.head()
        && let Some(object) = head.target()
    {
        let symbolic = head.name().ok().filter(|name| *name != "HEAD").map(str::to_owned);
        list.refs.insert("HEAD".to_owned(), RemoteRef { object: object.to_string(), peeled: None, symbolic });
    }
    Ok(list)
}

/// Copies a commit (or tag) with all its files into the mirror, as far as they are not there yet.
pub(crate) fn copy(
    access: &Access,
    mirror: &LockedMirror<'_>,
    id: &str,
    budget: &Budget,
) -> Result<(), SourceError> {
    let repository = open(access)?;
    let failed = |error: git2::Error| bad(access, &error);
    let unknown = |_: git2::Error| SourceError::UnknownRevision {
        url: access.url.to_string(),
        revision: id.to_owned(),
        nearby: String::new(),
    };
    let object = repository.find_object(Oid::from_str(id).map_err(unknown)?, None).map_err(unknown)?;
    let commit = object.peel_to_commit().map_err(unknown)?;
    let here = mirror.repository.odb().map_err(failed)?;
    let mut pack = repository.packbuilder().map_err(failed)?;
    for id in [object.id(), commit.id(), commit.tree_id()] {
        pack.insert_object(id, None).map_err(failed)?;
    }
    let mut stopped = None;
    let walk = commit.tree().map_err(failed)?.walk(TreeWalkMode::PreOrder, |_, entry| {
        if let Err(error) = budget.check("copying its files") {
            stopped = Some(error);
            return TreeWalkResult::Abort;
        }
        if entry.kind() == Some(ObjectType::Commit) || here.exists(entry.id()) {
            // Trees in the mirror came with all that is below them.
            return TreeWalkResult::Skip;
        }
        match pack.insert_object(entry.id(), entry.name().ok()) {
            Ok(()) => TreeWalkResult::Ok,
            Err(error) => {
                stopped = Some(bad(access, &error));
                TreeWalkResult::Abort
            }
        }
    });
    if let Some(error) = stopped {
        return Err(error);
    }
    walk.map_err(failed)?;
    let mut writer = here.packwriter().map_err(failed)?;
    pack.foreach(|chunk| writer.write_all(chunk).is_ok()).map_err(failed)?;
    writer.commit().map_err(failed)?;
    Ok(())
}

/// The one commit whose id starts with these digits.
pub(crate) fn expand(access: &Access, short: &str) -> Result<Option<String>, SourceError> {
    let repository = open(access)?;
    match repository.revparse_single(short).and_then(|object| object.peel_to_commit()) {
        Ok(commit) => Ok(Some(commit.id().to_string())),
        Err(error) if error.code() == ErrorCode::Ambiguous => {
            Err(SourceError::AmbiguousRevision { url: access.url.to_string(), revision: short.to_owned() })
        }
        Err(_) => Ok(None),
    }
}

fn bad(access: &Access, error: &git2::Error) -> SourceError {
    SourceError::BadAnswer { url: access.url.to_string(), reason: error.message().to_owned() }
}
