//! The original tools and how each is built.

use std::path::PathBuf;

use crate::error::{Context, Result};
use crate::go_build::GoModule;
use crate::paths;

/// An original tool, or a small program on the original's library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Oracle {
    /// `helm template`.
    Helm,
    /// `kustomize build`.
    Kustomize,
    /// YAML as Go's libraries read and write it.
    Goyaml,
    /// text/template with sprig.
    Gotemplate,
    /// Argo CD's health, diff and sync.
    Argo,
}

impl Oracle {
    /// Every oracle.
    pub const ALL: &[Self] = &[Self::Helm, Self::Kustomize, Self::Goyaml, Self::Gotemplate, Self::Argo];

    fn module(self) -> GoModule {
        match self {
            Self::Helm => GoModule {
                folder: "oracles/helm",
                programs: &[("helm.sh/helm/v4/cmd/helm", "helm")],
                ldflags: "-s -w",
            },
            Self::Kustomize => GoModule {
                folder: "oracles/kustomize",
                programs: &[("sigs.k8s.io/kustomize/kustomize/v5", "kustomize")],
                ldflags: "-s -w",
            },
            Self::Goyaml => {
                GoModule { folder: "oracles/goyaml", programs: &[(".", "goyaml")], ldflags: "-s -w" }
            }
            Self::Gotemplate => {
                GoModule { folder: "oracles/gotemplate", programs: &[(".", "gotemplate")], ldflags: "-s -w" }
            }
            Self::Argo => GoModule { folder: "oracles/argo", programs: &[(".", "argo")], ldflags: "-s -w" },
        }
    }

    /// Whether its module is there.
    pub fn is_declared(self) -> bool {
        paths::workspace().join("xtask").join(self.module().folder).join("go.mod").exists()
    }

    /// Builds it (once) and gives the path of its binary.
    pub fn build(self) -> Result<PathBuf> {
        let module = self.module();
        let binaries = module.build()?;
        Ok(module.programs.iter().map(|(_, program)| binaries.join(program)).next().unwrap_or(binaries))
    }

    /// The folder with Argo CD's own sources, in the version that is asked.
    pub fn argo_sources() -> Result<PathBuf> {
        Self::Argo.module().sources_of("github.com/argoproj/argo-cd/v3")
    }

    /// The OpenAPI document that kustomize carries, in the version that is asked.
    pub fn kustomize_openapi() -> Result<PathBuf> {
        let data = Self::Kustomize.module().sources_of("sigs.k8s.io/kustomize/kyaml")?;
        let data = data.join("openapi/kubernetesapi/data");
        let entries = std::fs::read_dir(&data).context(data.display())?;
        let mut files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        let bundle = files.find(|file| file.extension().is_some_and(|extension| extension == "gz"));
        bundle.context("kyaml without its OpenAPI document")
    }

    /// The environment variable that names its binary to property tests.
    pub fn variable(self) -> String {
        format!("TIPHYS_ORACLE_{}", format!("{self:?}").to_uppercase())
    }
}
