//! What Prometheus scrapes, under Argo CD's names; additions are named `tiphys_*`.
//!
//! An edge: it reads what the controller publishes and changes no stage. Gauges over Applications are computed at the
//! scrape from what is known then, so that nothing is kept per application. No label holds a credential, a message or
//! anything else that grows without bound.

mod counters;
mod scrape;
mod serve;

pub use counters::Counters;
pub use serve::{Endpoints, listen, serve};
