//! Names of annotations, labels, finalizers and field managers. Argo CD's, unless they start with `tiphys.dev/`.

/// Asks for a refresh: `normal` or `hard`. Removed once it was heard.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";
/// Asks the hydrator for a run.
pub const HYDRATE: &str = "argocd.argoproj.io/hydrate";
/// Paths whose changes concern an application; we derive them, and honour them where they are given.
pub const MANIFEST_GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
/// `true` keeps the controller away from an application.
pub const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";
/// Comma-separated options of the comparison of one object.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// `IgnoreDifference`: content differences of the object never count.
pub const COMPARE_RESULT: &str = "argocd.argoproj.io/compare-result";
/// Comma-separated options of the sync of one object.
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// The wave of one object, an integer.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// The phases in which an object runs as a hook.
pub const HOOK: &str = "argocd.argoproj.io/hook";
/// When a hook is deleted.
pub const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Which application an object belongs to: `app:group/Kind:namespace/name`.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// Which installation of the controller an object belongs to.
pub const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";
/// `true` keeps an object out of its application's health.
pub const IGNORE_HEALTHCHECK: &str = "argocd.argoproj.io/ignore-healthcheck";
/// `true` lets `ignoreResourceUpdates` apply to an untracked object.
pub const IGNORE_RESOURCE_UPDATES: &str = "argocd.argoproj.io/ignore-resource-updates";
/// When a deletion that needs confirmation was confirmed, RFC 3339.
pub const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";
/// Where the controller that manages an application is seen.
pub const MANAGED_BY_URL: &str = "argocd.argoproj.io/managed-by-url";
/// The field manager whose client-side applies are migrated.
pub const CLIENT_SIDE_APPLY_MIGRATION_MANAGER: &str =
    "argocd.argoproj.io/client-side-apply-migration-manager";
/// What Argo CD's notifications controller has told already.
pub const NOTIFIED: &str = "notified.notifications.argoproj.io";
/// Prefix of links shown beside an object.
pub const LINK_PREFIX: &str = "link.argocd.argoproj.io/";
/// Label of a Secret that holds a cluster, a repository or credentials.
pub const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";
/// The label that tracks objects when tracking is by label, unless configured otherwise.
pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// What `kubectl apply` leaves behind.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Helm's hook annotation, mapped to phases.
pub const HELM_HOOK: &str = "helm.sh/hook";
/// Helm's hook weight, read as a wave.
pub const HELM_HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// Helm's hook delete policy.
pub const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// Helm's resource policy; `keep` is read as `Prune=false` and `Delete=false`.
pub const HELM_RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// Deletes an application's objects before the application goes (foreground).
pub const RESOURCES_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
/// The same, naming the foreground policy.
pub const RESOURCES_FINALIZER_FOREGROUND: &str = "resources-finalizer.argocd.argoproj.io/foreground";
/// The same with background propagation.
pub const RESOURCES_FINALIZER_BACKGROUND: &str = "resources-finalizer.argocd.argoproj.io/background";
/// Runs PreDelete hooks before anything else is deleted.
pub const PRE_DELETE_FINALIZER: &str = "pre-delete-finalizer.argocd.argoproj.io";
/// Cleans PreDelete hooks up once they have run.
pub const PRE_DELETE_FINALIZER_CLEANUP: &str = "pre-delete-finalizer.argocd.argoproj.io/cleanup";
/// Runs PostDelete hooks after everything else was deleted.
pub const POST_DELETE_FINALIZER: &str = "post-delete-finalizer.argocd.argoproj.io";
/// Cleans PostDelete hooks up once they have run.
pub const POST_DELETE_FINALIZER_CLEANUP: &str = "post-delete-finalizer.argocd.argoproj.io/cleanup";

/// Field manager of everything that is applied, as Argo CD's, so that ownership carries over.
pub const FIELD_MANAGER: &str = "argocd-controller";

/// How long a workload may wait for capacity before it counts as Degraded, a duration; for ever without it.
pub const CAPACITY_TIMEOUT: &str = "tiphys.dev/capacity-timeout";
/// How long a workload may start up, a duration, counted from container start.
pub const STARTUP_GRACE: &str = "tiphys.dev/startup-grace";
/// `Wait`, `Warn` or `Off`: whether a wave with GPU workloads is held before it is applied.
pub const GPU_GATE: &str = "tiphys.dev/gpu-gate";
/// How long a workload may be Degraded before it counts, a duration.
pub const DEGRADED_GRACE: &str = "tiphys.dev/degraded-grace";
/// `OnDegraded` goes back to the last healthy revision.
pub const AUTO_ROLLBACK: &str = "tiphys.dev/auto-rollback";
/// How long an application may be Degraded until it goes back, a duration; 5 minutes without it.
pub const AUTO_ROLLBACK_AFTER: &str = "tiphys.dev/auto-rollback-after";
/// The largest number or share of objects that one sync may prune.
pub const MAX_PRUNE: &str = "tiphys.dev/max-prune";
/// Our own state where the CRD is Argo CD's, JSON of at most 8 KiB.
pub const STATE: &str = "tiphys.dev/state";
