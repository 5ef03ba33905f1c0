//! What a build is told by its caller, and what it may cost.

pub use crate::loader::LoadRestrictor;

/// The order of the output when the kustomization says nothing about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reorder {
    /// By kind, as `kustomize build` does.
    #[default]
    Legacy,
    /// As the objects came.
    None,
}

/// By whose OpenAPI document the lists of Kubernetes' own kinds are merged, and their scopes are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergeKeys {
    /// The one that kustomize carries: what `kustomize build` prints.
    #[default]
    Kustomize,
    /// Also the one of the API server that Tiphys is made for: lists that are merged by keys since Kubernetes
    /// 1.21 (`resourceClaims` and `schedulingGates` of pods, `matchConditions` of webhooks) and kinds that are
    /// newer (ResourceClaim, ValidatingAdmissionPolicy).
    Kubernetes,
}

/// The options of `kustomize build`, and [`MergeKeys`].
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// From where files may be loaded.
    pub load_restrictor: LoadRestrictor,
    /// Whether `helmCharts` are rendered.
    pub enable_helm: bool,
    /// The order of the output.
    pub reorder: Reorder,
    /// Whether every object gets the label `app.kubernetes.io/managed-by`.
    pub add_managed_by_label: bool,
    /// How lists of Kubernetes' own kinds are merged.
    pub merge_keys: MergeKeys,
    /// The version of Kubernetes that charts are told, or empty.
    pub helm_kube_version: String,
    /// Further API versions that charts are told.
    pub helm_api_versions: Vec<String>,
}

/// What a build may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most objects.
    pub resources: usize,
    /// Most bytes in files of resources together, each counted as often as it is used. A build needs about
    /// twenty to fifty times their size in memory.
    pub input_bytes: usize,
    /// Longest output, in bytes.
    pub output_bytes: usize,
    /// Most kustomization files, each counted as often as it is used.
    pub kustomizations: usize,
    /// Deepest nesting of kustomizations.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            resources: 200_000,
            input_bytes: 64 << 20,
            output_bytes: 256 << 20,
            kustomizations: 10_000,
            depth: 50,
        }
    }
}
