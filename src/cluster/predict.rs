//! The API server's own word on what an apply would do, asked once per state of the world.
//!
//! The key of the cache: what is desired, what is there (without status), and who owns which fields. A prediction is
//! good as long as none of these changes; a hard refresh drops all.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use kube::Client;
use kube::api::{Patch, PatchParams};

use crate::api::annotations::FIELD_MANAGER;
use crate::flow::{Cause, Prediction, Problem, Stage};
use crate::object::{Manifest, ResourceKey};

use super::store::{Stored, content_hash};
use super::{KindInfo, WatchedObject};

/// What a prediction was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Premise {
    desired: u64,
    content: u64,
    ownership: u64,
}

#[derive(Clone)]
enum Kept {
    /// The apply changes nothing.
    Unchanged,
    /// The apply gives this.
    Changed(Prediction),
}

/// Predictions by object.
#[derive(Default)]
pub(super) struct Predictions {
    kept: Mutex<HashMap<ResourceKey, (Premise, Kept)>>,
}

impl Premise {
    fn of(desired: &Manifest, content: u64, ownership: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        desired.body().to_string().hash(&mut hasher);
        Self { desired: hasher.finish(), content, ownership }
    }
}

impl Predictions {
    /// What is known without a request.
    pub(super) fn get(&self, desired: &Manifest, live: &Stored, body: &Arc<Manifest>) -> Option<Prediction> {
        let premise = Premise::of(desired, live.content, live.ownership);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.get(&desired.key()).filter(|(known, _)| *known == premise)? {
            (_, Kept::Unchanged) => Some(Prediction::Object(Arc::clone(body))),
            (_, Kept::Changed(prediction)) => Some(prediction.clone()),
        }
    }

    fn put(&self, desired: &Manifest, live: &Stored, prediction: &Prediction) {
        let premise = Premise::of(desired, live.content, live.ownership);
        let kept = match prediction {
            Prediction::Object(object) if content_hash(object.body()) == live.content => Kept::Unchanged,
            other => Kept::Changed(other.clone()),
        };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(desired.key(), (premise, kept));
    }

    /// The answer to an apply is what the next apply of the same would give.
    pub(super) fn seed(&self, desired: &Manifest, answer: &WatchedObject) {
        let premise = Premise::of(desired, content_hash(&answer.body), answer.ownership);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(desired.key(), (premise, Kept::Unchanged));
    }

    pub(super) fn clear(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Asks the API server, and keeps the answer.
    pub(super) async fn ask(
        &self,
        client: Client,
        kind: &KindInfo,
        desired: &Manifest,
        live: &Stored,
    ) -> Result<Prediction, Problem> {
        let prediction = dry_run(client, kind, desired).await?;
        self.put(desired, live, &prediction);
        Ok(prediction)
    }
}

/// A server-side apply that writes nothing.
async fn dry_run(client: Client, kind: &KindInfo, desired: &Manifest) -> Result<Prediction, Problem> {
    let api = kind.api(client, desired.namespace());
    let params = PatchParams { dry_run: true, ..PatchParams::apply(FIELD_MANAGER).force() };
    match api.patch(desired.name(), &params, &Patch::Apply(desired.body())).await {
        Ok(mut answer) => {
            answer.complete(&kind.resource);
            Manifest::new(answer.body).map(|object| Prediction::Object(Arc::new(object))).map_err(|error| {
                Problem::retry(Stage::Observe, Cause::DestinationUnreachable, error.to_string())
            })
        }
        Err(kube::Error::Api(status)) if status.code < 500 && status.code != 429 => {
            Ok(Prediction::Refused(refused(desired, &status)))
        }
        Err(error) => Err(Problem::retry(
            Stage::Observe,
            Cause::DestinationUnreachable,
            format!("the API server did not say what an apply of {} would do: {error}", desired.key()),
        )),
    }
}

fn refused(desired: &Manifest, status: &kube::core::Status) -> Problem {
    // The API server quotes values of a Secret in some messages.
    let message = if desired.is_secret() { status.reason.clone() } else { status.message.clone() };
    let cause = if status.code == 403 { Cause::Forbidden } else { Cause::ObjectRefused };
    Problem::stalled(Stage::Compare, cause, format!("{}: {message}", desired.key()))
}
