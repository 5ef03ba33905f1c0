//! Tiphys: a GitOps controller for Kubernetes that speaks Argo CD's API and is made for machine-learning platforms.
//!
//! This page is the architecture. `tests/architecture.rs` checks what it says.
//!
//! # The way data flows
//!
//! ```text
//!  Git / Helm / OCI ──source──▶ Tree ──render──▶ Manifests ──┐
//!                                                            ├─ diff ──▶ Comparison ─┐
//!  cluster ──────observe──▶ Observation ─────────────────────┤                       ├─ sync::plan/step ──▶ Step ──apply──▶ cluster
//!                                                            └─ health ─▶ Health ────┤                                        │
//!  Application + AppProject ──────────────────(options, ignores)─────────────────────┘        status ◀─────── ApplyReport ◀───┘
//! ```
//!
//! [`controller`] goes through these stages in this order for one Application at a time; every value between two
//! stages can be printed. The command line calls the same stages. Waiting for a wave means to come back: the progress is
//! in `status.operationState`, so a restart, a newer commit or a terminate needs no special case.
//!
//! # The rooms, and who may import whom
//!
//! | layer | rooms | may import | must not |
//! |---|---|---|---|
//! | 0 vocabulary | [`object`] [`api`] [`settings`] [`flow`] | downwards: `flow` → `settings` → `api` → `object` | any other room, a client, a runtime |
//! | 1 pure | [`project`] [`diff`] [`health`] [`actions`] [`sync`] (but `apply`) [`explain`] [`status`] | layer 0; they meet in values of `flow` | `async`, a client, files, environment, the clock (time is a parameter) |
//! | 2 I/O | [`source`] [`render`] [`cluster`] `sync::apply` `eval` | layers 0 and 1; `apply` → `cluster` | each other otherwise; decisions |
//! | 3 | [`controller`] | 0–2 | diff, health or order logic |
//! | 4 edges | [`cli`] [`metrics`] | 0, 1, what `controller` publishes; `cli` also 2 | `sync::apply`: a sync is asked for by writing `operation` |
//! | – | `crates/*` | `helm` → `gotemplate` → `goyaml`; `kustomize` → `goyaml` | a runtime, a client, the network, processes, files |
//!
//! # Invariants
//!
//! - `sync::apply` is the controller's only writer to a destination (`tiphys app actions run` writes as the user who runs
//!   it); `controller::publish` is the only writer of status.
//! - Nothing is pruned on incomplete data: a kind that cannot be listed is a gap, and a gap is never Synced.
//! - A reconcile of an application in which nothing changed sends no request.
//! - Data of Secrets is never printed: [`object::Manifest`] masks it in `Debug` and `Display`, differences are masked.
//! - A problem belongs to one Application ([`flow::Problem`]), says what to do, and stops no other.
//! - Of several replicas one works; no request that writes outlives its Lease ([`cluster::Requests`]).
//! - Losing what is in memory costs time, never correctness: the state is in the cluster.
//!
//! # Where a change goes
//!
//! | change | room, and its test |
//! |---|---|
//! | a field or annotation of Application | [`api`], then `cargo xtask crds` |
//! | a template function, a chart rule, a transformer | its crate; a golden made by the real helm or kustomize |
//! | a source kind | [`source`]; a server on loopback |
//! | a form of ignoreDifferences, a normaliser | [`diff`] |
//! | an action on objects of a kind | [`actions`] |
//! | health of a kind | [`health`]: a table where conditions decide, code where they do not |
//! | a cause that `tiphys explain` names | [`explain`]; the printed tree |
//! | a sync option, hook policy, order rule | [`sync`]; the printed plan |
//! | how objects are written | `sync::apply` only; a real kube-apiserver |
//! | a metric | [`metrics`] |

pub mod actions;
pub mod api;
pub mod cli;
pub mod cluster;
pub mod controller;
pub mod diff;
pub mod eval;
pub mod explain;
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
