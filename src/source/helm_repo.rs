//! Helm repositories: `index.yaml` over HTTP, and the archives that it names.

use std::collections::BTreeMap;

use gotemplate::sprig::semver::{Constraints, Version};
use goyaml::{DecodeOptions, Limits, Numbers, Value, scalar_text};

use super::budget::Budget;
use super::error::SourceError;
use super::http::{Call, HttpClient, Target, status_error};
use super::repository::Access;
use super::versions::newest;

/// Largest index that is read: 128 MiB (the largest public ones are about 30 MiB).
const MAX_INDEX: u64 = 128 << 20;
/// Largest packed chart: 64 MiB.
pub(crate) const MAX_CHART: u64 = 64 << 20;
/// Versions named in a message.
const MAX_NEARBY: usize = 5;

/// One version of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChartVersion {
    pub(crate) version: String,
    /// Where its archive is: absolute, or relative to the repository.
    pub(crate) url: String,
    /// SHA-256 of the archive as the index has it, in hex; may be empty.
    pub(crate) digest: String,
}

/// What a repository offers: its charts by name, versions in the order of the index.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    charts: BTreeMap<String, Vec<ChartVersion>>,
}

impl Index {
    /// Reads an `index.yaml`. Entries that cannot be read are passed over, as Helm does.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let limits = Limits {
            bytes: usize::try_from(MAX_INDEX).unwrap_or(usize::MAX),
            nodes: 50_000_000,
            values: 50_000_000,
            ..Limits::default()
        };
        let options = DecodeOptions { numbers: Numbers::Yaml, limits, ..DecodeOptions::default() };
        let index = goyaml::decode(text, &options).map_err(|error| error.to_string())?;
        let entries = index.get("entries").and_then(Value::as_object).ok_or("it has no entries")?;
        let mut charts = BTreeMap::new();
        for (name, versions) in entries {
            let versions = versions.as_array().map(Vec::as_slice).unwrap_or_default();
            charts.insert(name.clone(), versions.iter().filter_map(chart_version).collect());
        }
        Ok(Self { charts })
    }

    /// The version that a `targetRevision` means: the same text, else the newest of a range. Empty means the newest
    /// that is no pre-release.
    pub(crate) fn find(&self, url: &str, chart: &str, wanted: &str) -> Result<&ChartVersion, SourceError> {
        let unknown = |reason: String| SourceError::UnknownChart { url: url.to_owned(), reason };
        let versions = self.charts.get(chart).ok_or_else(|| {
            let names: Vec<&str> = self.charts.keys().take(MAX_NEARBY).map(String::as_str).collect();
            unknown(format!("chart {chart:?} is not in the index; charts are: {}", names.join(", ")))
        })?;
        let same = |version: &&ChartVersion| version.version == wanted;
        let as_number =
            |version: &&ChartVersion| match (Version::parse(&version.version), Version::parse(wanted)) {
                (Ok(left), Ok(right)) => left.precedence(&right).is_eq() && wanted.matches('.').count() >= 2,
                _ => false,
            };
        if let Some(found) = versions.iter().find(same).or_else(|| versions.iter().find(as_number)) {
            return Ok(found);
        }
        let range = if wanted.is_empty() { "*" } else { wanted };
        let names = versions.iter().map(|version| version.version.as_str());
        let found = Constraints::parse(range).ok().and_then(|range| newest(&range, names));
        let found = found.and_then(|found| versions.iter().find(|version| version.version == found));
        found.ok_or_else(|| {
            let names: Vec<&str> = versions.iter().take(MAX_NEARBY).map(|v| v.version.as_str()).collect();
            unknown(format!("chart {chart} has no version {wanted:?}; newest are: {}", names.join(", ")))
        })
    }
}

fn chart_version(entry: &Value) -> Option<ChartVersion> {
    let text = |name: &str| entry.get(name).and_then(scalar_text);
    let urls = entry.get("urls").and_then(Value::as_array)?;
    Some(ChartVersion {
        version: text("version")?,
        url: urls.first()?.as_str()?.to_owned(),
        digest: text("digest").unwrap_or_default().trim_start_matches("sha256:").to_owned(),
    })
}

/// Fetches and reads the index.
pub(crate) async fn index(access: &Access, budget: &Budget) -> Result<Index, SourceError> {
    let url = access.url.to_string();
    let bytes =
        download(access, budget, Target::below(&access.url, "/index.yaml"), "its index", MAX_INDEX).await?;
    let parsed = tokio::task::spawn_blocking(move || Index::parse(&bytes)).await;
    let parsed =
        parsed.map_err(|_| SourceError::Cache { url: url.clone(), reason: "interrupted".to_owned() })?;
    parsed.map_err(|reason| SourceError::BadAnswer {
        url,
        reason: format!("its index.yaml cannot be read: {reason}; is it a Helm repository?"),
    })
}

/// Fetches the archive of a chart. Credentials go to the repository's own server alone, unless the access says to pass
/// them on; never to where a redirect leads.
pub(crate) async fn archive(
    access: &Access,
    budget: &Budget,
    chart: &ChartVersion,
) -> Result<Vec<u8>, SourceError> {
    let target = archive_target(access, &chart.url).ok_or_else(|| SourceError::BadAnswer {
        url: access.url.to_string(),
        reason: "its index names an archive that is not at an http or https URL".to_owned(),
    })?;
    download(access, budget, target, "the chart", MAX_CHART).await
}

fn archive_target(access: &Access, url: &str) -> Option<Target> {
    let base = Target::below(&access.url, "");
    if url.contains("://") {
        let target = Target::parse(url)?;
        // From https the index may not lead to http: the archive is trusted as the index is.
        return (target.https || !base.https).then_some(target);
    }
    if url.starts_with("//") || url.chars().any(char::is_control) {
        return None;
    }
    let path = if url.starts_with('/') { url.to_owned() } else { format!("{}/{url}", base.path) };
    Some(Target { path, ..base })
}

async fn download(
    access: &Access,
    budget: &Budget,
    target: Target,
    what: &str,
    limit: u64,
) -> Result<Vec<u8>, SourceError> {
    let mut client = HttpClient::new(access, budget)?;
    if access.pass_credentials {
        client.belong_to(&target);
    }
    let answer = client.send(Call::get(target)).await?;
    if let Some(error) = status_error(access, &answer) {
        return Err(error);
    }
    budget.run("reading its answer", answer.body.collect(&access.url.to_string(), what, limit)).await?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::url::RepoUrl;

    const INDEX: &[u8] = b"apiVersion: v1
entries:
  web:
  - version: 2.0.0-rc.1
    urls: [web-2.0.0-rc.1.tgz]
  - version: 1.10.0
    urls: [web-1.10.0.tgz]
    digest: sha256:abc
  - version: v1.2.0
    urls: [https://elsewhere.example.com/web-1.2.0.tgz]
  - version: 1.1
    urls: []
  - nonsense
";

    #[test]
    fn versions_are_found_as_helm_finds_them() {
        let index = Index::parse(INDEX).unwrap();
        let find = |wanted: &str| index.find("u", "web", wanted).map(|found| found.version.as_str());
        assert_eq!(find("1.10.0"), Ok("1.10.0"));
        assert_eq!(find("1.2.0"), Ok("v1.2.0"));
        assert_eq!(find(""), Ok("1.10.0"));
        assert_eq!(find("*"), Ok("1.10.0"));
        assert_eq!(find("~1.2"), Ok("v1.2.0"));
        assert_eq!(find("2.0.0-rc.1"), Ok("2.0.0-rc.1"));
        assert_eq!(find(">=2.0.0-0"), Ok("2.0.0-rc.1"));
        let error = find("3.0.0").unwrap_err().to_string();
        assert!(error.contains("newest are: 2.0.0-rc.1, 1.10.0, v1.2.0"), "{error}");
        assert!(index.find("u", "wep", "1").unwrap_err().to_string().contains("charts are: web"));
        assert!(Index::parse(b"<html>").is_err());
    }

    #[test]
    fn archives_are_where_the_index_says() {
        let access = Access::anonymous(RepoUrl::parse("https://charts.example.com/stable/").unwrap());
        let shown = |url: &str| archive_target(&access, url).map(|target| target.shown());
        assert_eq!(shown("web-1.tgz").as_deref(), Some("https://charts.example.com/stable/web-1.tgz"));
        assert_eq!(shown("/x/web-1.tgz").as_deref(), Some("https://charts.example.com/x/web-1.tgz"));
        assert_eq!(shown("https://cdn.example.com/w.tgz").as_deref(), Some("https://cdn.example.com/w.tgz"));
        for url in ["http://cdn.example.com/w.tgz", "file:///etc/passwd", "//cdn/w.tgz", "oci://x/y"] {
            assert_eq!(shown(url), None, "{url}");
        }
    }
}
