//! Sources against real servers on loopback: `git http-backend`, `git daemon`, `git upload-pack` behind SSH, and
//! servers that misbehave on purpose. Needs the `git` program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests, helpers included"
)]

mod charts;
mod fixture;
mod git_http;
mod git_ssh;
mod hostile;
mod http_server;
mod local;
mod remote_bases;
mod renders;
mod ssh_server;
mod submodules;
