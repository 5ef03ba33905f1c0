//! The flags of `helm template` as values: what they mean together, without a command line and without files.

use crate::{Capabilities, Error, KubeVersion, RenderInput, Result, ValuesLayer, name_from_template};

/// What stands on the command line of `helm template`.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "these are Helm's flags")]
pub struct TemplateCommand {
    /// `[NAME] CHART`.
    pub names: Vec<String>,
    /// `--release-name`, in the place of the first of two names.
    pub release_name: Option<String>,
    /// `--name-template`.
    pub name_template: Option<String>,
    /// `--namespace`.
    pub namespace: String,
    /// `--values`, one file each.
    pub values: Vec<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub set_string: Vec<String>,
    /// `--set-file`.
    pub set_file: Vec<String>,
    /// `--set-json`.
    pub set_json: Vec<String>,
    /// `--set-literal`.
    pub set_literal: Vec<String>,
    /// `--kube-version`.
    pub kube_version: Option<String>,
    /// `--api-versions`, one each.
    pub api_versions: Vec<String>,
    /// `--include-crds`.
    pub include_crds: bool,
    /// `--skip-tests`.
    pub skip_tests: bool,
    /// `--no-hooks`.
    pub no_hooks: bool,
    /// `--skip-schema-validation`.
    pub skip_schema_validation: bool,
    /// `--is-upgrade`.
    pub is_upgrade: bool,
    /// `--show-only`, for [`Rendered::text_of`](crate::Rendered::text_of).
    pub show_only: Vec<String>,
}

impl TemplateCommand {
    /// The path of the chart, and what it is rendered with; values come later, from [`TemplateCommand::layers`].
    ///
    /// # Errors
    /// In Helm's words: a name too many, a version or a template for a name that cannot be read.
    pub fn input(&self) -> Result<(&str, RenderInput)> {
        let mut input = RenderInput {
            namespace: self.namespace.clone(),
            is_upgrade: self.is_upgrade,
            capabilities: self.capabilities()?,
            include_crds: self.include_crds,
            skip_tests: self.skip_tests,
            no_hooks: self.no_hooks,
            skip_schema_validation: self.skip_schema_validation,
            ..RenderInput::default()
        };
        let chart = match (self.names.as_slice(), &self.name_template) {
            ([_, _, ..], Some(_)) => {
                return Err(Error::input("cannot set --name-template and also specify a name"));
            }
            ([name, chart, ..], None) => {
                input.release_name.clone_from(name);
                chart
            }
            ([chart], Some(template)) => {
                input.release_name = name_from_template(template)?;
                chart
            }
            ([chart], None) => chart,
            ([], _) => return Err(Error::input("a chart is required")),
        };
        if let Some(name) = &self.release_name {
            input.release_name.clone_from(name);
        }
        Ok((chart.trim(), input))
    }

    fn capabilities(&self) -> Result<Capabilities> {
        let mut capabilities = Capabilities::default();
        if let Some(version) = self.kube_version.as_deref().filter(|version| !version.is_empty()) {
            capabilities.kube_version = KubeVersion::parse(version)?;
        }
        capabilities.api_versions.extend(self.api_versions.iter().cloned());
        Ok(capabilities)
    }

    /// The values of all flags, in the order in which Helm applies them. `read` is asked for each file.
    ///
    /// # Errors
    /// What `read` says, or text of `--set-file` that cannot be read.
    pub fn layers(
        &self,
        mut read: impl FnMut(&str) -> std::result::Result<Vec<u8>, String>,
    ) -> std::result::Result<Vec<ValuesLayer>, String> {
        let mut layers = Vec::new();
        for name in &self.values {
            layers.push(ValuesLayer::File { name: name.clone(), data: read(name)?.into() });
        }
        layers.extend(self.set_json.iter().cloned().map(ValuesLayer::SetJson));
        layers.extend(self.set.iter().cloned().map(ValuesLayer::Set));
        layers.extend(self.set_string.iter().cloned().map(ValuesLayer::SetString));
        for text in &self.set_file {
            let contents = |name: &str| Ok(String::from_utf8_lossy(&read(name)?).into_owned());
            layers.push(ValuesLayer::set_file(text, contents).map_err(|error| error.to_string())?);
        }
        layers.extend(self.set_literal.iter().cloned().map(ValuesLayer::SetLiteral));
        Ok(layers)
    }
}
