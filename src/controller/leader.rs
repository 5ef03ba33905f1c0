//! One replica works, the others wait: a Lease in the controller's namespace says which.
//!
//! The rules are those of Kubernetes' own controllers: the leader renews the Lease every few seconds; another replica
//! takes it over once it has not seen it change for the Lease's whole time, by its own monotonic clock, so that clocks
//! of machines need not agree. Here a leader also stops writing in time: no request that writes outlives the Lease
//! ([`crate::cluster::Requests`]). A leader that ends in peace gives the Lease back, so that the next need not wait.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease as LeaseObject, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};

use crate::api::Time;
use crate::cluster::Lease;
use crate::flow::{Cause, NoController, Problem, Stage};

/// Name of the Lease.
const NAME: &str = "tiphys-controller";
/// How long a Lease is good for after it was renewed.
const GOOD_FOR: Duration = Duration::from_secs(15);
/// How often it is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How often a replica that waits, or a leader that could not renew, looks again.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Taken off by the leader: clocks of two machines do not run at quite the same speed.
const MARGIN: Duration = Duration::from_secs(1);

/// Who takes part in the election.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of this replica: unlike all others, and the same after a restart in the same place.
    pub identity: String,
}

/// A replica in the election.
pub(super) struct Election {
    api: Api<LeaseObject>,
    candidate: Candidate,
    lease: Lease,
    /// The Lease as last seen, and when it was first seen like this.
    seen: Option<(LeaseObject, Instant)>,
}

impl Election {
    /// `client` must be one whose writes the lease does not hold back.
    pub(super) fn new(client: Client, candidate: Candidate, lease: Lease) -> Self {
        let api = Api::namespaced(client, &candidate.namespace);
        Self { api, candidate, lease, seen: None }
    }

    /// Waits until this replica is the leader.
    ///
    /// # Errors
    /// Where the service account may not use Leases.
    pub(super) async fn win(&mut self) -> Result<(), Problem> {
        let mut told = false;
        loop {
            match self.try_to_lead().await {
                Ok(true) => {
                    tracing::info!(identity = %self.candidate.identity, "this replica is the leader");
                    return Ok(());
                }
                Ok(false) => {
                    if !told {
                        let holder = self.seen.as_ref().map(|(lease, _)| holder(lease)).unwrap_or_default();
                        tracing::info!(%holder, "another replica is the leader: waiting for the lease");
                        told = true;
                    }
                }
                Err(kube::Error::Api(status)) if status.code == 403 => return Err(no_right(&status.message)),
                Err(error) => tracing::warn!(%error, "the lease cannot be read or taken, trying again"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Renews until the lease is lost, which is when this ends.
    pub(super) async fn keep(&mut self) -> Problem {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            while let Err(why) = self.renew().await {
                tracing::warn!(%why, "the lease could not be renewed");
                if self.lease.remaining() <= LOOK_EVERY {
                    self.lease.end();
                    let message = format!("this replica is not the leader any more: {why}");
                    return Problem::retry(Stage::Sync, Cause::DestinationUnreachable, message);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    /// Gives the lease back.
    pub(super) async fn resign(&mut self) {
        self.lease.end();
        let Some((mut lease, _)) = self.seen.take() else { return };
        if let Some(spec) = lease.spec.as_mut() {
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
        }
        if let Err(error) = self.api.replace(NAME, &PostParams::default(), &lease).await {
            tracing::debug!(%error, "the lease was not given back; it ends by itself");
        }
    }

    async fn renew(&mut self) -> Result<(), String> {
        let limit = self.lease.remaining().saturating_sub(LOOK_EVERY / 2);
        match tokio::time::timeout(limit, self.renew_or_look()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => {
                self.lease.end();
                let other = self.seen.as_ref().map(|(lease, _)| holder(lease)).unwrap_or_default();
                Err(format!("{other} holds the lease"))
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the API server does not answer".into()),
        }
    }

    /// Renews the lease as this replica wrote it; looks at it first only where somebody else has written it since.
    async fn renew_or_look(&mut self) -> Result<bool, kube::Error> {
        let asked = Instant::now();
        let Some((last, _)) = self.seen.clone() else { return self.try_to_lead().await };
        match self.api.replace(NAME, &PostParams::default(), &self.next(last)).await {
            Ok(lease) => Ok(self.holds(lease, asked)),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => self.try_to_lead().await,
            Err(error) => Err(error),
        }
    }

    /// Takes or renews the lease where that is allowed. Gives whether this replica holds it.
    async fn try_to_lead(&mut self) -> Result<bool, kube::Error> {
        let asked = Instant::now();
        let written = match self.api.get_opt(NAME).await? {
            None => {
                let lease = self.next(LeaseObject { metadata: self.metadata(), spec: None });
                self.api.create(&PostParams::default(), &lease).await
            }
            Some(found) => {
                if !self.may_take(&found, asked) {
                    return Ok(false);
                }
                // The resourceVersion makes one of two candidates lose.
                self.api.replace(NAME, &PostParams::default(), &self.next(found)).await
            }
        };
        match written {
            Ok(lease) => Ok(self.holds(lease, asked)),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The lease was written as asked for at that moment.
    fn holds(&mut self, lease: LeaseObject, asked: Instant) -> bool {
        self.seen = Some((lease, asked));
        self.lease.extend(asked + GOOD_FOR - MARGIN);
        true
    }

    fn may_take(&mut self, found: &LeaseObject, now: Instant) -> bool {
        let holder = holder(found);
        if holder.is_empty() || holder == self.candidate.identity {
            return true;
        }
        let since = match &self.seen {
            Some((seen, since)) if seen.metadata.resource_version == found.metadata.resource_version => {
                *since
            }
            _ => {
                self.seen = Some((found.clone(), now));
                now
            }
        };
        let seconds = found.spec.as_ref().and_then(|spec| spec.lease_duration_seconds).unwrap_or(0);
        let good_for = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        now.duration_since(since) >= good_for
    }

    fn next(&self, mut lease: LeaseObject) -> LeaseObject {
        let now = MicroTime(k8s_openapi::jiff::Timestamp::now());
        let before = lease.spec.take().unwrap_or_default();
        let same = before.holder_identity.as_deref() == Some(&self.candidate.identity);
        let changes = before.lease_transitions.unwrap_or(0);
        lease.spec = Some(LeaseSpec {
            holder_identity: Some(self.candidate.identity.clone()),
            lease_duration_seconds: i32::try_from(GOOD_FOR.as_secs()).ok(),
            acquire_time: if same { before.acquire_time.clone() } else { Some(now.clone()) },
            renew_time: Some(now),
            lease_transitions: Some(if same { changes } else { changes.saturating_add(1) }),
            ..before
        });
        lease
    }

    fn metadata(&self) -> ObjectMeta {
        ObjectMeta {
            name: Some(NAME.into()),
            namespace: Some(self.candidate.namespace.clone()),
            ..ObjectMeta::default()
        }
    }
}

/// That nobody leads, as far as the Lease tells. Nothing where somebody does, and where the Lease may not be read. Clocks
/// of machines differ, so the Lease has to be over for a while.
pub(super) async fn absence(client: &Client, namespace: &str, now: Time) -> Option<NoController> {
    let api: Api<LeaseObject> = Api::namespaced(client.clone(), namespace);
    let lease = format!("{namespace}/{NAME}");
    let Some(found) = api.get_opt(NAME).await.ok()? else {
        return Some(NoController { lease, ..NoController::default() });
    };
    let holder = holder(&found);
    let spec = found.spec.unwrap_or_default();
    let renewed = spec.renew_time.map(|time| Time::new(time.0));
    let seconds = u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0);
    let over =
        renewed.is_none_or(|renewed| renewed.seconds_until(now) > seconds.saturating_add(GOOD_FOR.as_secs()));
    let renewed = renewed.or(Some(now));
    (holder.is_empty() || over).then_some(NoController { lease, holder, renewed })
}

fn holder(lease: &LeaseObject) -> String {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone()).unwrap_or_default()
}

fn no_right(message: &str) -> Problem {
    Problem::stalled(
        Stage::Validate,
        Cause::Forbidden,
        format!(
            "{message}: let the service account get, create and update leases of coordination.k8s.io, or run a single \
             replica with --leader-elect=false"
        ),
    )
}
