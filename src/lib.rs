//! Tiphys: a GitOps controller for Kubernetes that speaks Argo CD's API.

pub mod api;
pub mod cli;
pub mod cluster;
pub mod controller;
pub mod diff;
pub mod eval;
pub mod flow;
pub mod health;
pub mod metrics;
pub mod object;
pub mod project;
pub mod render;
pub mod settings;
pub mod source;
pub mod status;
pub mod sync;
