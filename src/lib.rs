//! Tiphys: a GitOps controller for Kubernetes that speaks Argo CD's API.

pub mod api;
pub mod cli;
pub mod cluster;
pub mod diff;
pub mod flow;
pub mod health;
pub mod object;
pub mod source;
pub mod sync;
