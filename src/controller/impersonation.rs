//! Writing as the service account that the project names, where `application.sync.impersonation.enabled` is on.
//!
//! Writes and dry-runs of an application's reconcile go out as that account; what is read, and what is deleted with the
//! application, is the controller's own business, as in Argo CD.

use crate::project::service_account;

use super::reconcile::Work;

/// The account to write as; nothing where the controller writes by itself.
///
/// # Errors
/// Where an account is demanded and the project names none.
pub(super) fn account(work: &Work<'_>) -> Result<Option<String>, String> {
    let settings = work.shared.store.argocd_cm();
    let enabled = settings.data.get("application.sync.impersonation.enabled");
    if enabled.is_none_or(|enabled| enabled != "true") {
        return Ok(None);
    }
    let project = work.shared.store.project(&work.shared.options.namespace, work.app.project());
    let spec = project.map(|project| project.spec.clone()).unwrap_or_default();
    service_account(&spec, &work.destination, work.app.namespace()).map(Some)
}

/// Has the requests of this reconcile go out as the account. Where none is named, nothing will be written.
pub(super) fn begin(work: &Work<'_>) {
    work.cluster.act_as(work.name, account(work).unwrap_or_default());
}
