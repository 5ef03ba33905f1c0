//! The configuration of a built-in plugin as YAML: kustomize puts it into its messages.

use serde_json::{Map, Value};

use crate::id::ResId;
use crate::kustomization::{FieldOptions, HelmChart, HelmGlobals, Patch, ReplacementField, Selector};
use crate::transform::patches::selector_value;

type Fields = Map<String, Value>;

fn print(fields: Fields) -> String {
    goyaml::to_yaml(&Value::Object(fields)).unwrap_or_default()
}

fn add(fields: &mut Fields, name: &str, text: &str) {
    if !text.is_empty() {
        fields.insert(name.to_owned(), Value::String(text.to_owned()));
    }
}

fn add_flag(fields: &mut Fields, name: &str, flag: bool) {
    if flag {
        fields.insert(name.to_owned(), Value::Bool(true));
    }
}

fn add_list(fields: &mut Fields, name: &str, list: &[String]) {
    if !list.is_empty() {
        fields.insert(name.to_owned(), Value::Array(list.iter().cloned().map(Value::String).collect()));
    }
}

pub(super) fn paths(list: &[String]) -> String {
    let mut fields = Fields::new();
    add_list(&mut fields, "paths", list);
    print(fields)
}

fn add_target(fields: &mut Fields, target: Option<&Selector>) {
    if let Some(target) = target {
        fields.insert("target".to_owned(), selector_value(target));
    }
}

pub(super) fn patch(patch: &Patch) -> String {
    let mut fields = Fields::new();
    add(&mut fields, "path", &patch.path);
    add(&mut fields, "patch", &patch.patch);
    add_target(&mut fields, patch.target.as_ref());
    if let Some(options) = &patch.options {
        let mut flags = Fields::new();
        add_flag(&mut flags, "allowNameChange", options.allow_name_change);
        add_flag(&mut flags, "allowKindChange", options.allow_kind_change);
        fields.insert("options".to_owned(), Value::Object(flags));
    }
    print(fields)
}

pub(super) fn json_patch(patch: &Patch) -> String {
    let mut fields = Fields::new();
    add_target(&mut fields, patch.target.as_ref());
    add(&mut fields, "path", &patch.path);
    add(&mut fields, "jsonOp", &patch.patch);
    print(fields)
}

pub(super) fn chart(chart: &HelmChart, globals: &HelmGlobals) -> String {
    let mut fields = Fields::new();
    for (name, text) in [
        ("chartHome", &globals.chart_home),
        ("configHome", &globals.config_home),
        ("name", &chart.name),
        ("version", &chart.version),
        ("repo", &chart.repo),
        ("releaseName", &chart.release_name),
        ("namespace", &chart.namespace),
        ("valuesFile", &chart.values_file),
        ("valuesMerge", &chart.values_merge),
        ("kubeVersion", &chart.kube_version),
        ("nameTemplate", &chart.name_template),
    ] {
        add(&mut fields, name, text);
    }
    add_list(&mut fields, "additionalValuesFiles", &chart.additional_values_files);
    add_list(&mut fields, "apiVersions", &chart.api_versions);
    for (name, flag) in [
        ("includeCRDs", chart.include_crds),
        ("skipHooks", chart.skip_hooks),
        ("skipTests", chart.skip_tests),
        ("debug", chart.debug),
        ("devel", chart.devel),
    ] {
        add_flag(&mut fields, name, flag);
    }
    if !chart.values_inline.is_empty() {
        fields.insert("valuesInline".to_owned(), Value::Object(chart.values_inline.clone()));
    }
    print(fields)
}

fn add_id(fields: &mut Fields, id: &ResId) {
    add(fields, "group", &id.gvk.group);
    add(fields, "version", &id.gvk.version);
    add(fields, "kind", &id.gvk.kind);
    add(fields, "name", &id.name);
    add(fields, "namespace", &id.namespace);
}

fn options_value(options: &FieldOptions) -> Value {
    let mut fields = Fields::new();
    add(&mut fields, "delimiter", &options.delimiter);
    add(&mut fields, "encoding", &options.encoding);
    add_flag(&mut fields, "create", options.create);
    if options.index != 0 {
        fields.insert("index".to_owned(), Value::from(options.index));
    }
    Value::Object(fields)
}

pub(super) fn replacements(list: &[ReplacementField]) -> String {
    let one = |field: &ReplacementField| {
        let mut fields = Fields::new();
        add(&mut fields, "path", &field.path);
        let replacement = &field.replacement;
        if let Some(source) = &replacement.source {
            let mut shown = Fields::new();
            add_id(&mut shown, &source.id);
            add(&mut shown, "fieldPath", &source.field_path);
            if let Some(options) = &source.options {
                shown.insert("options".to_owned(), options_value(options));
            }
            fields.insert("source".to_owned(), Value::Object(shown));
        }
        if let Some(value) = &replacement.source_value {
            fields.insert("sourceValue".to_owned(), Value::String(value.clone()));
        }
        let targets = replacement.targets.iter().flatten().map(|target| {
            let mut shown = Fields::new();
            let select = target.select.as_ref().map_or(Value::Null, selector_value);
            shown.insert("select".to_owned(), select);
            if !target.reject.is_empty() {
                let rejected = target.reject.iter().map(selector_value).collect();
                shown.insert("reject".to_owned(), Value::Array(rejected));
            }
            add_list(&mut shown, "fieldPaths", &target.field_paths);
            if let Some(options) = &target.options {
                shown.insert("options".to_owned(), options_value(options));
            }
            Value::Object(shown)
        });
        let targets: Vec<Value> = targets.collect();
        if !targets.is_empty() {
            fields.insert("targets".to_owned(), Value::Array(targets));
        }
        Value::Object(fields)
    };
    let mut fields = Fields::new();
    fields.insert("Replacements".to_owned(), Value::Array(list.iter().map(one).collect()));
    print(fields)
}
