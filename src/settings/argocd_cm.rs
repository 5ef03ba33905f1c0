//! `argocd-cm`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::parse_go_duration;

use super::ResourceFilter;

/// How objects are known to belong to an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrackingMethod {
    /// By `argocd.argoproj.io/tracking-id`.
    #[default]
    Annotation,
    /// By the annotation; the label is set as well, for others to read.
    AnnotationAndLabel,
    /// By the label alone.
    Label,
}

/// What we read of `argocd-cm`.
#[derive(Clone, Debug, PartialEq)]
pub struct ArgocdCm {
    /// `application.resourceTrackingMethod`.
    pub tracking: TrackingMethod,
    /// `application.instanceLabelKey`.
    pub instance_label: String,
    /// `installationID`: tells the objects of this installation from those of others; empty for none.
    pub installation_id: String,
    /// `timeout.reconciliation`: how often Git is asked for news; never where zero.
    pub poll_interval: Duration,
    /// `timeout.reconciliation.jitter`: up to this much is added.
    pub poll_jitter: Duration,
    /// `kustomize.buildOptions`.
    pub kustomize_build_options: String,
    /// `resource.exclusions` and `resource.inclusions`.
    pub resources: ResourceFilter,
    /// `tiphys.fight.alternations`: so many times of a field changed and put right count as a fight; never where 0.
    pub fight_alternations: usize,
    /// `tiphys.fight.window`: within this time.
    pub fight_window: Duration,
    /// `helm.valuesFileSchemes`: schemes of URLs that value files may be taken from.
    pub values_file_schemes: Vec<String>,
    /// All entries, for the rooms that read customizations of kinds.
    pub data: BTreeMap<String, String>,
    /// What could not be read, for the log.
    pub problems: Vec<String>,
}

impl Default for ArgocdCm {
    fn default() -> Self {
        Self::read(&BTreeMap::new())
    }
}

const POLL_INTERVAL: Duration = Duration::from_secs(120);
const FIGHT_ALTERNATIONS: usize = 3;
const FIGHT_WINDOW: Duration = Duration::from_secs(600);
const POLL_JITTER: Duration = Duration::from_secs(60);

impl ArgocdCm {
    /// Reads the ConfigMap's data. What cannot be read keeps its default and is named in `problems`.
    pub fn read(data: &BTreeMap<String, String>) -> Self {
        let mut problems = Vec::new();
        let mut duration = |key: &str, default: Duration| match data.get(key) {
            None => default,
            Some(text) => parse_go_duration(text).unwrap_or_else(|error| {
                problems.push(format!("argocd-cm: {key}: {error}"));
                default
            }),
        };
        let poll_interval = duration("timeout.reconciliation", POLL_INTERVAL);
        let poll_jitter = duration("timeout.reconciliation.jitter", POLL_JITTER);
        let fight_window = duration("tiphys.fight.window", FIGHT_WINDOW);
        let fight_alternations = match data.get("tiphys.fight.alternations").map(|text| text.trim().parse()) {
            None => FIGHT_ALTERNATIONS,
            Some(Ok(number)) => number,
            Some(Err(_)) => {
                problems.push("argocd-cm: tiphys.fight.alternations is not a number".to_owned());
                FIGHT_ALTERNATIONS
            }
        };
        let tracking = match data.get("application.resourceTrackingMethod").map(String::as_str) {
            Some("label") => TrackingMethod::Label,
            Some("annotation+label") => TrackingMethod::AnnotationAndLabel,
            Some("annotation" | "") | None => TrackingMethod::Annotation,
            Some(other) => {
                problems.push(format!(
                    "argocd-cm: application.resourceTrackingMethod is \"{other}\": use annotation, annotation+label \
                     or label"
                ));
                TrackingMethod::Annotation
            }
        };
        Self {
            tracking,
            instance_label: data
                .get("application.instanceLabelKey")
                .filter(|label| !label.is_empty())
                .cloned()
                .unwrap_or_else(|| crate::api::annotations::INSTANCE_LABEL.to_owned()),
            installation_id: data.get("installationID").map(|id| id.trim().to_owned()).unwrap_or_default(),
            poll_interval,
            poll_jitter,
            values_file_schemes: values_file_schemes(data),
            kustomize_build_options: data.get("kustomize.buildOptions").cloned().unwrap_or_default(),
            resources: ResourceFilter::read(data, &mut problems),
            fight_alternations,
            fight_window,
            data: data.clone(),
            problems,
        }
    }
}

/// As Argo CD has them where the setting is absent; an empty setting allows none.
fn values_file_schemes(data: &BTreeMap<String, String>) -> Vec<String> {
    let text = data.get("helm.valuesFileSchemes").map_or("https, http", String::as_str);
    text.split(',').map(|scheme| scheme.trim().to_owned()).filter(|scheme| !scheme.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_keeps_its_default_and_is_named() {
        let data = [("timeout.reconciliation", "soon"), ("application.resourceTrackingMethod", "magic")];
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let read = ArgocdCm::read(&data);
        assert_eq!((read.poll_interval, read.tracking), (POLL_INTERVAL, TrackingMethod::Annotation));
        assert_eq!(read.problems.len(), 2);
    }
}
