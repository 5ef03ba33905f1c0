//! What a reconcile would see and do, without doing it: for `tiphys diff` and `tiphys plan`.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Application, SyncOperation, Time};
use crate::flow::{Comparison, ObjectName, Plan, Problem};
use crate::source::Freshness;
use crate::sync::plan;

use super::reconcile::Work;
use super::rendering::{Asked, want};
use super::validate::{invalid, validate};
use super::{Controller, Shared, clusters, stepping, watchers};

/// What a reconcile would see and do.
pub struct Inspection {
    /// How Git and cluster compare.
    pub comparison: Comparison,
    /// What a sync of everything would do, prunes included.
    pub plan: Plan,
    /// The revision that was compared; those of several sources are separated by commas.
    pub revision: String,
}

impl Controller {
    /// Looks at one Application as a reconcile would, at another revision where one is given. Writes nothing.
    ///
    /// # Errors
    /// What would be a condition of the Application, and where there is no such Application.
    pub async fn inspect(self, name: &ObjectName, revision: Option<&str>) -> Result<Inspection, Problem> {
        let shared = self.shared();
        let app = read_one(&shared, name).await?;
        let destination = validate(&shared, &app)?;
        let cluster = clusters::cluster(&shared, &destination).await?;
        let now = Time::new(jiff::Timestamp::now());
        let work = Work {
            shared: &shared,
            app: Arc::clone(&app),
            name,
            destination,
            cluster,
            now,
            recall: Arc::default(),
        };
        let mut asked = Asked::of_spec(&app)?;
        if let (Some(revision), Some(first)) = (revision, asked.revisions.first_mut()) {
            revision.clone_into(first);
        }
        let wanted = want(&work, &asked, Freshness::Now).await?;
        let sync = SyncOperation { prune: true, ..SyncOperation::default() };
        let request = stepping::plan_request(&work, &sync, &wanted.manifests.revision, now).await?;
        let plan = plan(&wanted.comparison, &request);
        Ok(Inspection {
            plan,
            revision: wanted.manifests.all_revisions().join(", "),
            comparison: wanted.comparison,
        })
    }
}

/// Reads the controller's own objects, and gives one Application.
pub(super) async fn read_one(shared: &Arc<Shared>, name: &ObjectName) -> Result<Arc<Application>, Problem> {
    clusters::check_own(shared).await?;
    // What is missing then shows as missing: a person looks at it.
    let _ = tokio::time::timeout(Duration::from_secs(20), watchers::start(shared)).await;
    let stored = shared.store.application(name);
    let stored = stored.ok_or_else(|| invalid(format!("there is no Application {name}")))?;
    stored.application.map_err(|error| invalid(error.to_string()))
}
