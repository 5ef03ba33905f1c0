//! The flags of `helm template`.

use clap::Parser;

/// Locally render templates.
#[derive(Debug, Parser)]
#[allow(clippy::struct_excessive_bools, reason = "these are Helm's flags")]
pub(crate) struct Args {
    /// [NAME] CHART
    #[arg(num_args = 1..=2, required = true)]
    pub(crate) names: Vec<String>,
    /// Namespace of the release.
    #[arg(short, long, default_value = "default")]
    pub(crate) namespace: String,
    /// Value files; commas separate several.
    #[arg(short = 'f', long = "values", value_delimiter = ',')]
    pub(crate) values: Vec<String>,
    /// Values: `a.b=1,c=2`.
    #[arg(long)]
    pub(crate) set: Vec<String>,
    /// String values.
    #[arg(long)]
    pub(crate) set_string: Vec<String>,
    /// Values from files.
    #[arg(long)]
    pub(crate) set_file: Vec<String>,
    /// JSON values.
    #[arg(long)]
    pub(crate) set_json: Vec<String>,
    /// One literal value.
    #[arg(long)]
    pub(crate) set_literal: Vec<String>,
    /// Version of Kubernetes.
    #[arg(long)]
    pub(crate) kube_version: Option<String>,
    /// API versions of the cluster besides the usual ones.
    #[arg(short, long, value_delimiter = ',')]
    pub(crate) api_versions: Vec<String>,
    /// Print custom resource definitions too.
    #[arg(long)]
    pub(crate) include_crds: bool,
    /// Leave test hooks out.
    #[arg(long)]
    pub(crate) skip_tests: bool,
    /// Leave all hooks out.
    #[arg(long)]
    pub(crate) no_hooks: bool,
    /// Ignore values.schema.json.
    #[arg(long)]
    pub(crate) skip_schema_validation: bool,
    /// Set .Release.IsUpgrade.
    #[arg(long)]
    pub(crate) is_upgrade: bool,
    /// Print only these templates.
    #[arg(short, long)]
    pub(crate) show_only: Vec<String>,
    /// A template for the name of the release.
    #[arg(long)]
    pub(crate) name_template: Option<String>,
}
