//! What templates see: one map per chart with `.Values`, `.Chart`, `.Files` and so on, and the templates to render.

use std::collections::BTreeMap;
use std::rc::Rc;

use gotemplate::{List, Map, Str, Value};

use super::host::Host;
use super::instance::Instance;
use super::types::{CapabilitiesObject, FILES, HelmVersionObject, KubeVersionObject, VALUES, VERSION_SET};
use crate::capabilities::Capabilities;
use crate::chart::{Dependency, File, clean};
use crate::values::tree::{self, dict};

/// A template and what it sees.
pub(super) struct Template<'c> {
    pub(super) file: &'c File,
    /// Shared by all templates of a chart, so that what one changes others see.
    pub(super) data: Map,
    /// Path of the chart's `templates` directory.
    pub(super) base_path: Rc<str>,
}

/// Templates by full path.
pub(super) type Templates<'c> = BTreeMap<String, Template<'c>>;

/// Parts of the context that all charts share.
pub(super) struct Shared {
    pub(super) release: Value,
    pub(super) capabilities: Value,
}

/// Builds the contexts of the whole tree. `values` are those of the outermost chart.
pub(super) fn templates<'c>(
    root: &Instance<'c>,
    values: &Map,
    shared: &Shared,
    host: &Host,
) -> Templates<'c> {
    let mut templates = Templates::new();
    let values = values.with_type(&VALUES);
    Builder { shared, host, templates: &mut templates }.chart(root, &root.name, Some(values), true);
    templates
}

struct Builder<'b, 'c> {
    shared: &'b Shared,
    host: &'b Host,
    templates: &'b mut Templates<'c>,
}

impl<'c> Builder<'_, 'c> {
    fn chart(&mut self, chart: &Instance<'c>, path: &str, values: Option<Map>, is_root: bool) -> Map {
        let files =
            chart.chart.files.iter().map(|f| (Str::from(f.path.clone()), Value::Bytes(f.data.clone())));
        let files = Map::of(&FILES, files.collect());
        self.host.add_files(&files, path);
        let values = values.unwrap_or_else(|| Map::of(&VALUES, gotemplate::value::Entries::new()));
        let subcharts = Map::new();
        let data = dict([
            ("Chart", Value::Map(metadata(chart, is_root))),
            ("Files", Value::Map(files)),
            ("Release", self.shared.release.clone()),
            ("Capabilities", self.shared.capabilities.clone()),
            ("Values", Value::Map(values.clone())),
            ("Subcharts", Value::Map(subcharts.clone())),
        ]);
        for child in &chart.children {
            let inner = tree::table(&values, &child.name).map(|v| v.with_type(&VALUES));
            let child_path = format!("{path}/charts/{}", child.name);
            let context = self.chart(child, &child_path, inner, false);
            subcharts.insert(child.name.as_str(), context);
        }
        self.add_templates(chart, path, &data);
        data
    }

    fn add_templates(&mut self, chart: &Instance<'c>, path: &str, data: &Map) {
        let base_path: Rc<str> = clean(&format!("{path}/templates")).into();
        for file in &chart.chart.templates {
            let name = file.path.rsplit('/').next().unwrap_or(&file.path);
            // A library chart lends its partials and renders nothing.
            if chart.chart.metadata.is_library() && !name.starts_with('_') {
                continue;
            }
            let template = Template { file, data: data.clone(), base_path: Rc::clone(&base_path) };
            self.templates.insert(clean(&format!("{path}/{}", file.path)), template);
        }
    }
}

/// `.Release`.
pub(super) fn release(name: &str, namespace: &str, revision: i64, is_upgrade: bool, service: &str) -> Value {
    Value::Map(dict([
        ("Name", name.into()),
        ("Namespace", namespace.into()),
        ("IsUpgrade", is_upgrade.into()),
        ("IsInstall", (!is_upgrade).into()),
        ("Revision", Value::Int(revision)),
        ("Service", service.into()),
    ]))
}

/// `.Capabilities`.
pub(super) fn capabilities(capabilities: &Capabilities) -> Value {
    let versions = capabilities.api_versions.iter().map(|v| Value::from(v.as_str())).collect();
    Value::object(CapabilitiesObject {
        kube_version: Value::object(KubeVersionObject(capabilities.kube_version.clone())),
        api_versions: Value::List(List::of(&VERSION_SET, versions)),
        helm_version: Value::object(HelmVersionObject),
    })
}

/// `.Chart`: the fields of Helm's struct as a map.
fn metadata(chart: &Instance<'_>, is_root: bool) -> Map {
    let m = &chart.chart.metadata;
    let texts =
        |items: &[String]| Value::from(items.iter().map(|s| Value::from(s.as_str())).collect::<Vec<_>>());
    let maintainers: Vec<Value> = m
        .maintainers
        .iter()
        .map(|p| {
            Value::Map(dict([
                ("Name", p.name.as_str().into()),
                ("Email", p.email.as_str().into()),
                ("URL", p.url.as_str().into()),
            ]))
        })
        .collect();
    let annotations = match &m.annotations {
        Some(annotations) => tree::string_map(annotations),
        None => Map::nil(&gotemplate::value::types::STRING_MAP),
    };
    let dependencies: Vec<Value> = chart.dependencies.iter().flatten().map(dependency).collect();
    dict([
        ("Name", chart.name.as_str().into()),
        ("Home", m.home.as_str().into()),
        ("Sources", texts(&m.sources)),
        ("Version", m.version.as_str().into()),
        ("Description", m.description.as_str().into()),
        ("Keywords", texts(&m.keywords)),
        ("Maintainers", maintainers.into()),
        ("Icon", m.icon.as_str().into()),
        ("APIVersion", m.api_version.as_str().into()),
        ("Condition", m.condition.as_str().into()),
        ("Tags", m.tags.as_str().into()),
        ("AppVersion", m.app_version.as_str().into()),
        ("Deprecated", m.deprecated.into()),
        ("Annotations", annotations.into()),
        ("KubeVersion", m.kube_version.as_str().into()),
        ("Dependencies", dependencies.into()),
        ("Type", m.chart_type.as_str().into()),
        ("IsRoot", is_root.into()),
    ])
}

fn dependency(d: &Dependency) -> Value {
    let tags: Vec<Value> = d.tags.iter().map(|t| Value::from(t.as_str())).collect();
    let imports: Vec<Value> = d.import_values.iter().map(tree::value_from_json).collect();
    Value::Map(dict([
        ("Name", d.name.as_str().into()),
        ("Version", d.version.as_str().into()),
        ("Repository", d.repository.as_str().into()),
        ("Condition", d.condition.as_str().into()),
        ("Tags", tags.into()),
        ("Enabled", d.enabled.into()),
        ("ImportValues", imports.into()),
        ("Alias", d.alias.as_str().into()),
    ]))
}
