//! Tiphys: a GitOps controller for Kubernetes that speaks Argo CD's API.

pub mod api;
pub mod flow;
pub mod object;
