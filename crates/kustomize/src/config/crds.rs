//! Field specs from the OpenAPI definitions of custom resources (`crds`).

use serde_json::{Map, Value};

use super::{NameReference, TransformerConfig};
use crate::error::{Error, Result};
use crate::id::Gvk;
use crate::loader::Loader;
use crate::tree::field_spec::{FieldSpec, merge_one};

/// How deep references between definitions may go.
const DEEPEST: usize = 32;

type Definitions = Map<String, Value>;

/// The field specs that the definitions in these files ask for.
pub(crate) fn load(loader: &Loader, paths: &[String]) -> Result<TransformerConfig> {
    let mut config = TransformerConfig::default();
    for path in paths {
        let content = loader.load(path)?;
        let wrap = |error: Error| error.context(format!("unable to parse open API definition from '{path}'"));
        let value = if content.first() == Some(&b'{') {
            serde_json::from_slice(&content).map_err(|error| wrap(Error::new(error.to_string())))?
        } else {
            goyaml::from_yaml(&content).map_err(|error| wrap(error.into()))?
        };
        let Value::Object(definitions) = value else { continue };
        config.merge(&read(&definitions)?)?;
    }
    Ok(config)
}

fn properties(definition: &Value) -> Option<&Map<String, Value>> {
    let schema = definition.get("Schema").or_else(|| definition.get("schema"))?;
    schema.get("properties")?.as_object()
}

fn read(definitions: &Definitions) -> Result<TransformerConfig> {
    let mut config = TransformerConfig::default();
    for (name, definition) in definitions {
        let is_kind = properties(definition).is_some_and(|properties| {
            ["kind", "apiVersion", "metadata"].iter().all(|field| properties.contains_key(*field))
        });
        if is_kind {
            let kind = name.rsplit('.').next().unwrap_or_default().to_owned();
            let mut found = Collector {
                definitions,
                gvk: Gvk { kind, ..Gvk::default() },
                config: TransformerConfig::default(),
            };
            found.visit(name, &mut Vec::new())?;
            config.merge(&found.config)?;
        }
    }
    Ok(config)
}

struct Collector<'d> {
    definitions: &'d Definitions,
    gvk: Gvk,
    config: TransformerConfig,
}

impl<'d> Collector<'d> {
    fn spec(&self, path: &[String]) -> FieldSpec {
        FieldSpec { gvk: self.gvk.clone(), path: path.join("/"), create: false }
    }

    fn visit(&mut self, name: &str, path: &mut Vec<String>) -> Result<()> {
        let Some(fields) = self.definitions.get(name).and_then(properties) else { return Ok(()) };
        if path.len() > DEEPEST {
            return Err(Error::new(format!("definitions refer to each other too deeply at '{name}'")));
        }
        for (field, property) in fields {
            path.push(field.clone());
            self.property(property, path)?;
            path.pop();
        }
        Ok(())
    }

    fn property(&mut self, property: &'d Value, path: &mut Vec<String>) -> Result<()> {
        let text = |name: &str| property.get(name).and_then(Value::as_str);
        if text("x-kubernetes-annotation").is_some() {
            let spec = self.spec(path);
            merge_one(&mut self.config.common_annotations, spec)?;
        }
        if text("x-kubernetes-label-selector").is_some() {
            let spec = self.spec(path);
            merge_one(&mut self.config.common_labels, spec)?;
        }
        if text("x-kubernetes-identity").is_some() {
            let spec = self.spec(path);
            merge_one(&mut self.config.name_prefix, spec)?;
        }
        if let (Some(version), Some(kind)) =
            (text("x-kubernetes-object-ref-api-version"), text("x-kubernetes-object-ref-kind"))
        {
            let key = text("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let mut full = path.clone();
            full.push(key.to_owned());
            let gvk = Gvk { kind: kind.to_owned(), version: version.to_owned(), ..Gvk::default() };
            let reference = NameReference { gvk, referrers: vec![self.spec(&full)] };
            self.config.add_name_reference(&reference)?;
        }
        match text("$ref") {
            Some(reference) => self.visit(reference, path),
            None => Ok(()),
        }
    }
}
