//! What a reconcile would see and do, without doing it: for `tiphys diff` and `tiphys plan`.

use std::sync::Arc;

use crate::api::{SyncOperation, Time};
use crate::flow::{Cause, Comparison, ObjectName, Plan, Problem, Stage};
use crate::source::Freshness;
use crate::sync::plan;

use super::reconcile::Work;
use super::rendering::{Asked, want};
use super::validate::validate;
use super::{Controller, clusters, stepping, watchers};

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
        clusters::check_own(&shared).await?;
        watchers::start(&shared).await;
        let invalid = |message: String| Problem::stalled(Stage::Validate, Cause::InvalidSpec, message);
        let stored = shared.store.application(name);
        let stored = stored.ok_or_else(|| invalid(format!("there is no Application {name}")))?;
        let app = stored.application.map_err(|error| invalid(error.to_string()))?;
        let destination = validate(&shared, &app)?;
        let cluster = clusters::cluster(&shared, &destination).await?;
        let now = Time::new(jiff::Timestamp::now());
        let work = Work { shared: &shared, app: Arc::clone(&app), name, destination, cluster, now };
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
