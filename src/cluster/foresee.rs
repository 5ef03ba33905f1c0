//! The API server's own word on what an apply would do, and what follows from who owns which fields.
//!
//! One dry-run per state of the world. Two questions more are asked only where the answer needs them: the live
//! object's `managedFields`, when a difference may belong to somebody else, and the autoscalers of a namespace, when
//! Git has dropped a workload's replicas.

use std::sync::Arc;

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::Value;

use crate::api::annotations::{COMPARE_OPTIONS, FIELD_MANAGER};
use crate::diff::{IgnoreRules, drop_migrated, without_mutations};
use crate::flow::{Cause, OwnershipChange, Prediction, Problem, Stage};
use crate::object::{Manifest, at};

use super::autoscalers::scales;
use super::predict::Foreseen;
use super::store::{Stored, content_hash};
use super::{Cluster, KindInfo, OwnedObject};

/// How predictions are made.
#[derive(Clone, Copy, Debug)]
pub struct Foreseeing<'a> {
    /// Fields that do not count.
    pub rules: &'a IgnoreRules,
    /// `RespectIgnoreDifferences=true`: what is applied carries the live values of fields that do not count.
    pub respect: bool,
    /// Whether ownership of client-side applies is migrated (`ClientSideApplyMigration=false` where not).
    pub migrates: bool,
    /// A manager whose updates are migrated besides those that are known; empty for none.
    pub migration_manager: &'a str,
    /// `compare-options` of the application: `ServerSideDiff=…`, `IncludeMutationWebhook=…`.
    pub compare_options: &'a str,
}

/// One object about which the API server is asked.
pub(super) struct Asked<'a> {
    pub(super) desired: &'a Arc<Manifest>,
    /// What is sent: the desired object, or one that respects ignored differences.
    pub(super) applied: Arc<Manifest>,
    pub(super) stored: &'a Stored,
    pub(super) live: &'a Arc<Manifest>,
    pub(super) kind: &'a KindInfo,
}

/// Whether a word of `compare-options` is on, on the object or else on its application.
fn option(desired: &Manifest, how: &Foreseeing<'_>, key: &str) -> Option<bool> {
    let of = |options: &str| {
        let words = options.split(',').filter_map(|word| word.trim().split_once('='));
        words.filter(|(name, _)| *name == key).map(|(_, value)| value == "true").next_back()
    };
    desired.annotation(COMPARE_OPTIONS).and_then(of).or_else(|| of(how.compare_options))
}

/// Whether the API server is asked at all: `ServerSideDiff=false` leaves the object to the structural comparison.
pub(super) fn is_asked(desired: &Manifest, how: &Foreseeing<'_>) -> bool {
    option(desired, how, "ServerSideDiff") != Some(false)
}

impl Cluster {
    /// What is sent for a desired object.
    pub(super) fn applied(
        &self,
        desired: &Arc<Manifest>,
        stored: &Stored,
        live: &Manifest,
        how: &Foreseeing<'_>,
    ) -> Arc<Manifest> {
        let key = desired.key();
        if !how.rules.respected(how.respect).is_some_and(|rules| rules.concerns(&key)) {
            return Arc::clone(desired);
        }
        let owners = self.predictions.owners(&key, stored);
        respecting(desired, live, how, owners.as_deref().map_or(&[][..], Vec::as_slice))
    }

    /// Asks, and keeps the answer. Gives what would be sent as well: with the owners known, that may be another
    /// object than before.
    pub(super) async fn foresee(
        &self,
        mut asked: Asked<'_>,
        all: &[Arc<Manifest>],
        how: &Foreseeing<'_>,
    ) -> Result<(Arc<Manifest>, Foreseen), Problem> {
        let mut owners = self.predictions.owners(&asked.desired.key(), asked.stored);
        let mut foreseen = self.ask(&asked, all, how, &mut owners).await?;
        let trusts = how.rules.trusts(&asked.desired.key(), |manager| asked.stored.managers.names(manager));
        if trusts && differs(&foreseen, asked.stored) {
            let known = self.owners(&asked, &mut owners).await?;
            let applied = respecting(asked.desired, asked.live, how, &known);
            if applied != asked.applied {
                asked.applied = applied;
                foreseen = self.ask(&asked, all, how, &mut owners).await?;
            }
        }
        foreseen.owners = owners;
        self.predictions.put(&asked.applied, asked.stored, &foreseen);
        Ok((asked.applied, foreseen))
    }

    async fn ask(
        &self,
        asked: &Asked<'_>,
        all: &[Arc<Manifest>],
        how: &Foreseeing<'_>,
        owners: &mut Option<Arc<Vec<Value>>>,
    ) -> Result<Foreseen, Problem> {
        let mut ownership = OwnershipChange::default();
        if how.migrates {
            ownership.migrate = asked.stored.managers.to_migrate(how.migration_manager);
        }
        let (mut body, managed) = match self.dry_run(asked).await? {
            Ok(answer) => (answer.object.body, answer.managed),
            Err(problem) => {
                return Ok(Foreseen { prediction: Prediction::Refused(problem), ownership, owners: None });
            }
        };
        if !ownership.migrate.is_empty() {
            drop_migrated(&mut body, asked.live.body(), &managed, &ownership.migrate);
        }
        if self.drops_replicas_of_others(asked, &body, all).await? {
            keep_replicas(&mut body, asked.live.body());
            ownership.release_replicas = true;
        }
        let mutations_count = option(asked.desired, how, "IncludeMutationWebhook") == Some(true);
        // The API server turns stringData into data, which no apply of ours names.
        let renames = asked.applied.is_secret() && at(asked.applied.body(), &["stringData"]).is_some();
        if content_hash(&body) != asked.stored.content && !mutations_count && !renames {
            body = self.without_mutations(asked, body, &managed, owners).await?;
        }
        let object = Manifest::new(body).map_err(|error| {
            Problem::retry(Stage::Observe, Cause::DestinationUnreachable, error.to_string())
        })?;
        Ok(Foreseen { prediction: Prediction::Object(Arc::new(object)), ownership, owners: None })
    }

    /// What others than Git make of the object does not count.
    async fn without_mutations(
        &self,
        asked: &Asked<'_>,
        body: Value,
        managed: &[Value],
        owners: &mut Option<Arc<Vec<Value>>>,
    ) -> Result<Value, Problem> {
        let live = asked.live.body();
        let guess = without_mutations(&body, live, &[], managed);
        if content_hash(&guess) == content_hash(&body) {
            return Ok(body);
        }
        // Something differs that Git does not name: a webhook's doing, or what becomes of a field that Git dropped.
        let before = self.owners(asked, owners).await?;
        Ok(without_mutations(&body, live, &before, managed))
    }

    /// Whether the apply would reset the replicas of a workload that somebody scales, because Git dropped them.
    async fn drops_replicas_of_others(
        &self,
        asked: &Asked<'_>,
        predicted: &Value,
        all: &[Arc<Manifest>],
    ) -> Result<bool, Problem> {
        let replicas = |body: &Value| at(body, &["spec", "replicas"]).cloned();
        let there = replicas(asked.live.body());
        if there.is_none() || replicas(asked.applied.body()).is_some() || replicas(predicted) == there {
            return Ok(false);
        }
        let workload = asked.desired;
        let in_git = all
            .iter()
            .any(|object| object.namespace() == workload.namespace() && scales(object.body(), workload));
        Ok(in_git || self.is_autoscaled(workload).await?)
    }

    /// The live object's `managedFields`.
    async fn owners(
        &self,
        asked: &Asked<'_>,
        known: &mut Option<Arc<Vec<Value>>>,
    ) -> Result<Arc<Vec<Value>>, Problem> {
        if let Some(owners) = known {
            return Ok(Arc::clone(owners));
        }
        let api: Api<OwnedObject> = asked.kind.api_of(self.client(), asked.desired.namespace());
        let found = api.get_opt(asked.desired.name()).await.map_err(|error| self.unreachable(&error))?;
        let owners = Arc::new(found.map(|object| object.managed).unwrap_or_default());
        *known = Some(Arc::clone(&owners));
        Ok(owners)
    }

    /// A server-side apply that writes nothing; the problem where it would be refused.
    async fn dry_run(&self, asked: &Asked<'_>) -> Result<Result<OwnedObject, Problem>, Problem> {
        let object = &asked.applied;
        let api: Api<OwnedObject> = asked.kind.api_of(self.client(), object.namespace());
        let params = PatchParams { dry_run: true, ..PatchParams::apply(FIELD_MANAGER).force() };
        let patch = Patch::Apply(object.body());
        let mut answer = api.patch(object.name(), &params, &patch).await;
        if matches!(&answer, Err(kube::Error::Api(status)) if status.code == 500) {
            // It may be the object: the API server says so of what it cannot convert. Then it says so again.
            answer = api.patch(object.name(), &params, &patch).await;
        }
        match answer {
            Ok(mut answer) => {
                answer.object.complete(&asked.kind.resource);
                Ok(Ok(answer))
            }
            Err(kube::Error::Api(status)) if status.code <= 500 && status.code != 429 => {
                Ok(Err(refused(object, &status)))
            }
            Err(error) => Err(Problem::retry(
                Stage::Observe,
                Cause::DestinationUnreachable,
                format!("the API server did not say what an apply of {} would do: {error}", object.key()),
            )),
        }
    }
}

fn respecting(
    desired: &Arc<Manifest>,
    live: &Manifest,
    how: &Foreseeing<'_>,
    owners: &[Value],
) -> Arc<Manifest> {
    let rules = how.rules.respected(how.respect);
    let applied =
        rules.and_then(|rules| rules.respecting(&desired.key(), desired.body(), live.body(), owners));
    applied.and_then(|body| Manifest::new(body).ok()).map_or_else(|| Arc::clone(desired), Arc::new)
}

fn differs(foreseen: &Foreseen, stored: &Stored) -> bool {
    match &foreseen.prediction {
        Prediction::Object(object) => content_hash(object.body()) != stored.content,
        Prediction::Refused(_) => true,
    }
}

fn keep_replicas(predicted: &mut Value, live: &Value) {
    if let (Some(spec), Some(replicas)) =
        (predicted.get_mut("spec").and_then(Value::as_object_mut), at(live, &["spec", "replicas"]))
    {
        spec.insert("replicas".into(), replicas.clone());
    }
}

fn refused(desired: &Manifest, status: &kube::core::Status) -> Problem {
    // The API server quotes values of a Secret in some messages.
    let message = match desired.is_secret() {
        true => format!("{} ({})", status.reason, status.code),
        false => status.message.clone(),
    };
    let cause = if status.code == 403 { Cause::Forbidden } else { Cause::ObjectRefused };
    Problem::stalled(Stage::Compare, cause, format!("{}: {message}", desired.key()))
}
