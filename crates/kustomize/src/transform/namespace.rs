//! Namespaces of objects, of Namespace objects' names, and of the subjects of bindings.

use std::collections::HashMap;

use goyaml::{Kind, Node, tags};
use serde_json::Value;

use crate::decode::{Decode, Decoder};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::id::{Gvk, ResId};
use crate::kustomization::Metadata;
use crate::resmap::{ResMap, json_text};
use crate::resource::{Resource, annotation};
use crate::tree::field_spec::{self, Creation, FieldSpec};
use crate::tree::{expect_kind, field, is_empty, is_null, lookup, meta};

const CREATION: Creation = Creation { kind: Kind::Scalar, tag: tags::STR };

/// The transformer's configuration.
#[derive(Debug, Default)]
pub(crate) struct Namespace {
    pub(crate) metadata: Metadata,
    pub(crate) specs: Vec<FieldSpec>,
    pub(crate) unset_only: bool,
    pub(crate) subjects: String,
}

impl Decode for Namespace {
    const NAME: &'static str = "NamespaceTransformerPlugin";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "metadata" => self.metadata = d.object(value, "types.ObjectMeta"),
            "fieldspecs" => self.specs = d.objects(value),
            "unsetonly" => self.unset_only = d.bool(value),
            "setrolebindingsubjects" => self.subjects = d.string(value),
            _ => return false,
        }
        true
    }
}

impl Namespace {
    /// Refuses an unknown mode for subjects.
    pub(crate) fn check(&self) -> Result<()> {
        match self.subjects.as_str() {
            "" | "defaultOnly" | "none" | "allServiceAccounts" => Ok(()),
            other => Err(Error::new(format!(
                "invalid value {other:?} for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" \
                 or \"allServiceAccounts\""
            ))),
        }
    }

    pub(crate) fn apply(&self, map: &mut ResMap) -> Result<()> {
        let namespace = &self.metadata.namespace;
        if namespace.is_empty() {
            return Ok(());
        }
        let mut counts: HashMap<_, usize> = HashMap::new();
        for resource in &map.list {
            *counts.entry(owned_key(resource.current_id())).or_default() += 1;
        }
        for i in 0..map.list.len() {
            let Some(resource) = map.list.get_mut(i) else { continue };
            if resource.is_empty() || resource.annotation(annotation::FROM_HELM) == Some("true") {
                continue;
            }
            let old = owned_key(resource.current_id());
            resource.store_previous_id()?;
            self.apply_to(resource)?;
            let id = resource.current_id().clone();
            if let Some(count) = counts.get_mut(&old) {
                *count = count.saturating_sub(1);
            }
            let count = counts.entry(owned_key(&id)).or_default();
            *count += 1;
            if *count != 1 {
                return Err(conflict(map, &id));
            }
        }
        Ok(())
    }

    fn apply_to(&self, resource: &mut Resource) -> Result<()> {
        let gvk = resource.gvk().clone();
        resource.edit(|node| self.filter(node, &gvk))?;
        Ok(())
    }

    /// Sets the namespace in one object.
    pub(crate) fn filter(&self, node: &mut Node, gvk: &Gvk) -> Result<()> {
        if !gvk.cluster_scoped {
            let spec = FieldSpec::any("metadata/namespace", true);
            field_spec::apply(node, &spec, Some(Creation { kind: Kind::Scalar, tag: "" }), &mut |target| {
                self.set(target)
            })?;
        }
        let is_binding = matches!(gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding");
        if is_binding {
            self.set_subjects(node)?;
        }
        let is_core = meta::top(node, "apiVersion") == "v1";
        for spec in &self.specs {
            let of_binding = matches!(spec.gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding");
            if spec.path == "metadata/namespace"
                || !is_core && spec.path == "metadata/name"
                || is_binding && of_binding && spec.path == "subjects/namespace"
            {
                continue;
            }
            field_spec::apply(node, spec, Some(CREATION), &mut |target| self.set(target)).map_err(wrap)?;
        }
        Ok(())
    }

    fn set(&self, target: &mut Node) -> Result<()> {
        if self.unset_only && !is_empty(target) && !target.value.is_empty() {
            return Ok(());
        }
        field::set_scalar(target, field::tagged(&self.metadata.namespace, tags::STR))
    }

    fn set_subjects(&self, node: &mut Node) -> Result<()> {
        let all = match self.subjects.as_str() {
            "none" => return Ok(()),
            "allServiceAccounts" => true,
            _ => false,
        };
        let Some(subjects) = lookup::lookup_mut(node, &["subjects"], None)?.filter(|found| !is_null(found))
        else {
            return Ok(());
        };
        const SETTING: &str = "setting namespace on (cluster)role binding subjects";
        expect_kind(subjects, Kind::Sequence).context_with(|| SETTING)?;
        for subject in &mut subjects.content {
            self.set_subject(subject, all).context_with(|| SETTING)?;
        }
        Ok(())
    }

    fn set_subject(&self, subject: &mut Node, all: bool) -> Result<()> {
        let (name, wanted) = if all { ("kind", "ServiceAccount") } else { ("name", "default") };
        let found = field::get(subject, name)
            .context_with(|| format!("looking up {name} on (cluster)role binding subject"))?;
        if !found.is_some_and(|found| !is_null(found) && found.value == wanted) {
            return Ok(());
        }
        match lookup::lookup_mut(subject, &["namespace"], Some(Kind::Scalar))? {
            Some(target) => self.set(target),
            None => Ok(()),
        }
    }
}

fn wrap(error: Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidNode { scalar: false } => {
            error.context("namespace field specs must target scalar nodes")
        }
        _ => error.context("namespace transformation failed"),
    }
}

fn conflict(map: &ResMap, id: &ResId) -> Error {
    let same = map.list.iter().filter(|resource| resource.current_id().same(id));
    let found: Vec<String> = same.map(json_text).collect();
    Error::new(format!("namespace transformation produces ID conflict: [{}]", found.join(" ")))
}

/// The key of an object whose names are about to change.
fn owned_key(id: &ResId) -> (Gvk, String, String) {
    let (gvk, name, namespace) = id.key();
    (gvk.clone(), name.to_owned(), namespace.to_owned())
}
