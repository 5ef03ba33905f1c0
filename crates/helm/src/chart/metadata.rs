//! `Chart.yaml`: reading, checking and cleaning it as Helm does.

use std::collections::{BTreeMap, BTreeSet};

use gotemplate::sprig::semver::Version;
use serde_json::Value;

use super::dependency::Dependency;
use super::struct_reader::{At, bool, json_kind, list, string, unmarshal_error};

/// What `Chart.yaml` (and `requirements.yaml` of old charts) says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// Name of the chart.
    pub name: String,
    /// URL of a home page.
    pub home: String,
    /// URLs of the source code.
    pub sources: Vec<String>,
    /// Semantic version of the chart.
    pub version: String,
    /// One sentence about it.
    pub description: String,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Who keeps it.
    pub maintainers: Vec<Maintainer>,
    /// URL of an icon.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// Condition of the chart itself; has no effect.
    pub condition: String,
    /// Tags of the chart itself; have no effect.
    pub tags: String,
    /// Version of what the chart installs.
    pub app_version: String,
    /// Whether nobody should use it any more.
    pub deprecated: bool,
    /// Free data; `None` when absent.
    pub annotations: Option<BTreeMap<String, String>>,
    /// Constraint on the version of Kubernetes.
    pub kube_version: String,
    /// Subcharts that the chart asks for; `None` when the field is absent.
    pub dependencies: Option<Vec<Dependency>>,
    /// `application` (or empty), or `library`.
    pub chart_type: String,
}

/// One of the people who keep a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// Name of a person or organisation.
    pub name: String,
    /// Address.
    pub email: String,
    /// Page.
    pub url: String,
}

/// What a `nil` element of a list of pointers is read as, until the check refuses it.
type Nullable<T> = Option<T>;

/// `Chart.yaml` as it was read, before the check.
#[derive(Debug, Default)]
pub(crate) struct RawMetadata {
    metadata: Metadata,
    maintainers: Vec<Nullable<Maintainer>>,
    dependencies: Option<Vec<Nullable<Dependency>>>,
}

impl RawMetadata {
    /// The API version that the file states, or `v1` as for charts of Helm 2.
    pub(crate) fn api_version(&self) -> &str {
        &self.metadata.api_version
    }

    /// Charts of Helm 2 state no API version; they count as `v1`.
    pub(crate) fn default_api_version(&mut self) {
        if self.metadata.api_version.is_empty() {
            self.metadata.api_version = "v1".into();
        }
    }

    /// The API version alone, which decides who reads the rest.
    ///
    /// # Errors
    /// Neither a version nor absent.
    pub(crate) fn read_api_version(text: &[u8]) -> Result<String, String> {
        let options = goyaml::DecodeOptions { numbers: goyaml::Numbers::Yaml, ..Default::default() };
        match goyaml::decode(text, &options).map_err(|e| e.to_string())? {
            Value::Null => Ok(String::new()),
            Value::Object(fields) => {
                let field = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("apiVersion"));
                field.map_or(Ok(String::new()), |(_, value)| {
                    string(value, &At::field("chartBase", "apiVersion"))
                })
            }
            other => Err(unmarshal_error(&format!(
                "json: cannot unmarshal {} into Go value of type loader.chartBase",
                json_kind(&other)
            ))),
        }
    }

    /// Reads a file on top of what is there: fields that it does not name stay.
    pub(crate) fn read(&mut self, text: &[u8]) -> Result<(), String> {
        let options = goyaml::DecodeOptions { numbers: goyaml::Numbers::Yaml, ..Default::default() };
        let document = goyaml::decode(text, &options).map_err(|e| e.to_string())?;
        let fields = match &document {
            Value::Null => return Ok(()),
            Value::Object(fields) => fields,
            other => {
                let kind = json_kind(other);
                return Err(unmarshal_error(&format!(
                    "json: cannot unmarshal {kind} into Go value of type v2.Metadata"
                )));
            }
        };
        // Go goes on after a mismatch and reports the first one.
        let mut first_error = None;
        let mut entries: Vec<_> = fields.iter().collect();
        entries.sort_by_key(|(name, _)| *name);
        for (name, value) in entries {
            if let Err(e) = self.read_field(&name.to_ascii_lowercase(), value) {
                first_error.get_or_insert(e);
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    fn read_field(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let at = |field| At::field("Metadata", field);
        let m = &mut self.metadata;
        let text: (&mut String, &'static str) = match name {
            "name" => (&mut m.name, "name"),
            "home" => (&mut m.home, "home"),
            "version" => (&mut m.version, "version"),
            "description" => (&mut m.description, "description"),
            "icon" => (&mut m.icon, "icon"),
            "apiversion" => (&mut m.api_version, "apiVersion"),
            "condition" => (&mut m.condition, "condition"),
            "tags" => (&mut m.tags, "tags"),
            "appversion" => (&mut m.app_version, "appVersion"),
            "kubeversion" => (&mut m.kube_version, "kubeVersion"),
            "type" => (&mut m.chart_type, "type"),
            _ => return self.read_other(name, value),
        };
        if !value.is_null() {
            *text.0 = string(value, &at(text.1))?;
        }
        Ok(())
    }

    fn read_other(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let at = |field| At::field("Metadata", field);
        match name {
            "sources" => self.metadata.sources = list(value, &at("sources"), "[]string", string)?,
            "keywords" => self.metadata.keywords = list(value, &at("keywords"), "[]string", string)?,
            "deprecated" => self.metadata.deprecated = bool(value, &at("deprecated"))?,
            "annotations" => self.metadata.annotations = annotations(value, &at("annotations"))?,
            "maintainers" => {
                self.maintainers = list(value, &at("maintainers"), "[]*v2.Maintainer", maintainer)?;
            }
            "dependencies" => {
                let read = list(value, &at("dependencies"), "[]*v2.Dependency", Dependency::read)?;
                self.dependencies = (!value.is_null()).then_some(read);
            }
            _ => {}
        }
        Ok(())
    }

    /// Cleans the texts and checks what Helm checks.
    ///
    /// # Errors
    /// `validation: …`
    pub(crate) fn validate(self) -> Result<Metadata, String> {
        let mut m = self.metadata;
        let texts = [
            &mut m.name,
            &mut m.description,
            &mut m.home,
            &mut m.icon,
            &mut m.condition,
            &mut m.tags,
            &mut m.app_version,
            &mut m.kube_version,
        ];
        texts.into_iter().chain(&mut m.sources).chain(&mut m.keywords).for_each(sanitize);
        m.check_fields().map_err(|e| format!("validation: {e}"))?;
        for maintainer in self.maintainers {
            let mut maintainer =
                maintainer.ok_or("validation: maintainers must not contain empty or null nodes")?;
            [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url].into_iter().for_each(sanitize);
            m.maintainers.push(maintainer);
        }
        if let Some(dependencies) = self.dependencies {
            m.dependencies = Some(checked(dependencies).map_err(|e| format!("validation: {e}"))?);
        }
        Ok(m)
    }
}

fn checked(dependencies: Vec<Nullable<Dependency>>) -> Result<Vec<Dependency>, String> {
    let mut seen = BTreeSet::new();
    let mut checked = Vec::with_capacity(dependencies.len());
    for dependency in dependencies {
        let mut dependency = dependency.ok_or("dependencies must not contain empty or null nodes")?;
        dependency.validate()?;
        let key = dependency.alias_or_name().to_owned();
        if seen.contains(&key) {
            return Err(format!("more than one dependency with name or alias {key:?}"));
        }
        seen.insert(key);
        checked.push(dependency);
    }
    Ok(checked)
}

impl Metadata {
    fn check_fields(&self) -> Result<(), String> {
        if self.api_version.is_empty() {
            return Err("chart.metadata.apiVersion is required".into());
        }
        let name = &self.name;
        if name.is_empty() {
            return Err("chart.metadata.name is required".into());
        }
        if name == "." || name == ".." {
            return Err(format!("chart.metadata.name {name:?} is not allowed"));
        }
        if name.contains('/') {
            return Err(format!("chart.metadata.name {name:?} is invalid"));
        }
        if self.version.is_empty() {
            return Err("chart.metadata.version is required".into());
        }
        if Version::parse(&self.version).is_err() {
            return Err(format!("chart.metadata.version {:?} is invalid", self.version));
        }
        match self.chart_type.as_str() {
            "" | "application" | "library" => Ok(()),
            _ => Err("chart.metadata.type must be application or library".into()),
        }
    }

    /// Whether the chart only lends its partials to others.
    pub fn is_library(&self) -> bool {
        self.chart_type.eq_ignore_ascii_case("library")
    }
}

fn annotations(value: &Value, at: &At<'_>) -> Result<Option<BTreeMap<String, String>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Object(entries) => {
            let read = |(k, v): (&String, &Value)| Ok((k.clone(), string(v, at)?));
            entries.iter().map(read).collect::<Result<_, String>>().map(Some)
        }
        other => Err(at.mismatch(other, "map[string]string")),
    }
}

fn maintainer(value: &Value, at: &At<'_>) -> Result<Nullable<Maintainer>, String> {
    let fields = match value {
        Value::Null => return Ok(None),
        Value::Object(fields) => fields,
        other => return Err(at.mismatch(other, "v2.Maintainer")),
    };
    let mut maintainer = Maintainer::default();
    for (name, value) in fields {
        match name.to_ascii_lowercase().as_str() {
            "name" => maintainer.name = string(value, &at.child("Maintainer", "name"))?,
            "email" => maintainer.email = string(value, &at.child("Maintainer", "email"))?,
            "url" => maintainer.url = string(value, &at.child("Maintainer", "url"))?,
            _ => {}
        }
    }
    Ok(Some(maintainer))
}

/// White space becomes blanks, what cannot be printed goes.
pub(crate) fn sanitize(text: &mut String) {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return;
    }
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    *text = spaced.filter(|c| *c == ' ' || gotemplate::strconv::is_print(*c)).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Metadata, String> {
        let mut raw = RawMetadata::default();
        raw.read(text.as_bytes())?;
        raw.default_api_version();
        raw.validate()
    }

    #[test]
    fn scalars_become_text() {
        let m = read("name: a\nversion: 1.0\nappVersion: 1.10\nAnnotations: {a: 1, b: true}").unwrap();
        assert_eq!((m.version.as_str(), m.app_version.as_str(), m.api_version.as_str()), ("1", "1.1", "v1"));
        assert_eq!(m.annotations.unwrap()["b"], "true");
    }

    #[test]
    fn errors_in_helms_words() {
        for (text, want) in [
            ("version: 1.0.0", "validation: chart.metadata.name is required"),
            ("name: ..\nversion: 1.0.0", "validation: chart.metadata.name \"..\" is not allowed"),
            ("name: a/b\nversion: 1.0.0", "validation: chart.metadata.name \"a/b\" is invalid"),
            ("name: a", "validation: chart.metadata.version is required"),
            ("name: a\nversion: x", "validation: chart.metadata.version \"x\" is invalid"),
            (
                "name: a\nversion: 1.0.0\ntype: x",
                "validation: chart.metadata.type must be application or library",
            ),
            (
                "name: a\nversion: 1.0.0\nmaintainers: [null]",
                "validation: maintainers must not contain empty or null nodes",
            ),
            (
                "name: a\nversion: 1.0.0\ndependencies: [{name: b}, {name: c, alias: b}]",
                "validation: more than one dependency with name or alias \"b\"",
            ),
            (
                "name: [a]\nversion: 1.0.0",
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field Metadata.name of type string",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), want);
        }
    }
}
