//! Whether anybody acts on the application at all.

use crate::api::annotations::REFRESH;
use crate::api::{Application, SyncCode};
use crate::flow::NoController;

use super::{Evidence, Finding, Found, Level, rank};

/// No controller works: whatever the application waits for does not come.
pub(super) fn controller(evidence: &Evidence<'_>, found: &mut Found) {
    let Some(absence) = evidence.no_controller else { return };
    let differs = evidence.comparison.is_some_and(|comparison| comparison.status == SyncCode::OutOfSync);
    let Some(what) = waits_for(evidence.app, differs) else { return };
    let (message, advice) = said(what, absence);
    let mut finding = Finding::new(Level::Sync, None, message).advise(advice);
    finding.since = absence.renewed;
    found.cause(rank::STAGE, finding);
}

/// What the application needs a controller for.
fn waits_for(app: &Application, differs: bool) -> Option<&'static str> {
    let running = app.status.operation_state.as_ref().is_some_and(|state| !state.phase.is_completed());
    if app.operation.is_some() {
        Some("the operation that was asked for has not begun")
    } else if running {
        Some("the operation under way does not go on")
    } else if app.annotation(REFRESH).is_some() {
        Some("the refresh that was asked for is not heard")
    } else if app.status.reconciled_at.is_none() {
        Some("the application was never looked at")
    } else if differs && app.spec.is_automated() {
        Some("nothing is synced")
    } else {
        None
    }
}

fn said(what: &str, absence: &NoController) -> (String, String) {
    let NoController { lease, holder, renewed } = absence;
    if renewed.is_none() {
        let message = format!("{what}: there is no Lease {lease}, which the controller holds while it works");
        let advice =
            "start the controller; if one runs with --leader-elect=false, look at its log".to_owned();
        return (message, advice);
    }
    let message = match holder.as_str() {
        "" => format!("{what}: no controller works, the last one gave up the Lease {lease}"),
        holder => format!("{what}: no controller works, {holder} no longer renews the Lease {lease}"),
    };
    (message, "start the controller; the log of its last run says why it ended".to_owned())
}
