//! What a chart may ask about the cluster and about Helm: `.Capabilities`.

use crate::{Error, Result};

/// A version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVersion {
    /// As given, with a `v` in front: `v1.33.4-gke.1245000`.
    pub version: String,
    /// Without suffixes, for constraints: `v1.33.4`.
    pub normalized: String,
    /// `1`
    pub major: String,
    /// `33`
    pub minor: String,
}

impl KubeVersion {
    /// Reads a version as `--kube-version` takes it: two numbers or more, anything after them.
    ///
    /// # Errors
    /// `invalid kube version 'x': could not parse "x" as version`.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |why: String| Error::input(format!("invalid kube version '{text}': {why}"));
        let numbers = numbers(text).ok_or_else(|| invalid(format!("could not parse {text:?} as version")))?;
        if numbers.len() < 2 {
            return Err(invalid(format!("illegal version string {text:?}")));
        }
        let mut parsed = Vec::new();
        for (i, number) in numbers.into_iter().enumerate() {
            if i == 0 && number.len() > 1 && number.starts_with('0') {
                return Err(invalid(format!(
                    "illegal zero-prefixed version component {number:?} in {text:?}"
                )));
            }
            let range = || {
                let why = format!("strconv.ParseUint: parsing {number:?}: value out of range");
                invalid(format!("illegal non-numeric version component {number:?} in {text:?}: {why}"))
            };
            parsed.push(number.parse::<u64>().map_err(|_| range())?.to_string());
        }
        let part = |i: usize| parsed.get(i).cloned().unwrap_or_default();
        Ok(KubeVersion {
            version: if text.starts_with('v') { text.to_owned() } else { format!("v{text}") },
            normalized: format!("v{}", parsed.join(".")),
            major: part(0),
            minor: part(1),
        })
    }

    fn plain(major: u32, minor: u32) -> Self {
        let version = format!("v{major}.{minor}.0");
        KubeVersion {
            normalized: version.clone(),
            version,
            major: major.to_string(),
            minor: minor.to_string(),
        }
    }
}

/// The dot-separated numbers at the start; blanks and a `v` may stand before them.
fn numbers(text: &str) -> Option<Vec<&str>> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let parts: Vec<&str> = text[..end].split('.').take_while(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then_some(parts)
}

/// The cluster as a chart sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Version of the API server.
    pub kube_version: KubeVersion,
    /// `group/version` and `group/version/Kind` that it serves.
    pub api_versions: Vec<String>,
}

impl Default for Capabilities {
    /// What `helm template` takes without a cluster: the version and the built-in API versions of its client library.
    fn default() -> Self {
        Capabilities {
            kube_version: KubeVersion::plain(1, 37),
            api_versions: DEFAULT_API_VERSIONS.iter().map(|v| (*v).to_owned()).collect(),
        }
    }
}

/// The build of Helm that this crate answers for.
pub(crate) struct HelmVersion {
    pub(crate) version: &'static str,
    pub(crate) go_version: &'static str,
    pub(crate) kube_client_version: &'static str,
}

/// Helm 4.3.1 built from its module without linker flags.
pub(crate) static HELM_VERSION: HelmVersion =
    HelmVersion { version: "v4.3", go_version: "go1.26.8", kube_client_version: "v1.37" };

/// In the order of Helm's client library, which shows in `{{ .Capabilities.APIVersions }}`.
static DEFAULT_API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let v = KubeVersion::parse("1.33.4-gke.1245000").unwrap();
        assert_eq!((v.version.as_str(), v.normalized.as_str()), ("v1.33.4-gke.1245000", "v1.33.4"));
        let v = KubeVersion::parse("v1.29").unwrap();
        assert_eq!((v.version.as_str(), v.normalized.as_str(), v.minor.as_str()), ("v1.29", "v1.29", "29"));
        assert!(KubeVersion::parse("1").unwrap_err().to_string().ends_with("illegal version string \"1\""));
        for bad in ["", "v", "abc"] {
            let error = KubeVersion::parse(bad).unwrap_err().to_string();
            assert_eq!(error, format!("invalid kube version '{bad}': could not parse {bad:?} as version"));
        }
    }
}
