//! Git: the wire, the mirrors on disk, and the files of a commit.

mod backend;
mod daemon;
mod known_hosts;
mod local;
mod mirror;
mod object_store;
mod pkt_line;
mod refs;
mod session;
mod smart_http;
mod ssh;
mod submodules;
#[cfg(test)]
pub(crate) mod testing;

pub use backend::{GitBackend, MirrorBackend};
pub(crate) use submodules::mount as mount_submodules;

pub use refs::{RefList, RemoteRef, Resolved, is_commit_id, is_short_id};
