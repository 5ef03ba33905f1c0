//! Generators: ConfigMaps and Secrets from literals, files and environment files; IAM policies; charts.

pub(crate) mod data;
pub(crate) mod hash;
pub(crate) mod helm;
pub(crate) mod iam_policy;
mod sources;

use std::sync::Arc;

use goyaml::{Kind, Node, tags};

use crate::error::{Error, Result};
use crate::kustomization::{GeneratorArgs, GeneratorOptions};
use crate::loader::Loader;
use crate::resource::{Behavior, Resource, annotation};
use crate::schema::Schema;
use crate::tree::{field, meta};

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generated {
    ConfigMap,
    Secret,
}

/// Makes a ConfigMap or Secret.
pub(crate) fn make(
    what: Generated,
    args: &GeneratorArgs,
    loader: &Loader,
    schema: &Arc<Schema>,
) -> Result<Resource> {
    let kind = if what == Generated::Secret { "Secret" } else { "ConfigMap" };
    if args.name.is_empty() {
        return Err(Error::new("a configmap must have a name"));
    }
    let mut node = Node::mapping([
        (Node::string("apiVersion"), Node::string("v1")),
        (Node::string("kind"), Node::string(kind)),
    ]);
    meta::set_name_string(&mut node, &args.name)?;
    if !args.namespace.is_empty() {
        meta::set_namespace_string(&mut node, &args.namespace)?;
    }
    if what == Generated::Secret {
        let kind = if args.secret_type.is_empty() { "Opaque" } else { &args.secret_type };
        field::set(&mut node, "type", field::string(kind))?;
    }
    let entries = sources::load(args, loader)?;
    match what {
        Generated::ConfigMap => data::load_config_map(&mut node, &entries)?,
        Generated::Secret => data::load_secret(&mut node, &entries)?,
    }
    set_options(&mut node, args.options.as_ref())?;
    let mut resource = Resource::new(node, schema);
    if !args.options.as_ref().is_some_and(|options| options.disable_name_suffix_hash) {
        resource.enable(annotation::NEEDS_HASH)?;
    }
    resource.set_behavior(Behavior::parse(&args.behavior))?;
    Ok(resource)
}

fn set_options(node: &mut Node, options: Option<&GeneratorOptions>) -> Result<()> {
    let Some(options) = options else { return Ok(()) };
    for (key, value) in options.labels.iter().flatten() {
        meta::set_label(node, key, value)?;
    }
    for (key, value) in options.annotations.iter().flatten() {
        meta::set_annotation(node, key, value)?;
    }
    if options.immutable {
        let flag =
            Node { kind: Kind::Scalar, value: "true".to_owned(), tag: tags::BOOL.into(), ..Node::default() };
        field::set(node, "immutable", flag)?;
    }
    Ok(())
}
