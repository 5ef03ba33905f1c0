//! One build, from a directory to the text.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use goyaml::Node;

use crate::accumulate::{Accumulator, Target};
use crate::charts::Charts;
use crate::error::{Error, ErrorKind, Result};
use crate::files::Files;
use crate::kustomization::SortOptions;
use crate::loader::Loader;
use crate::options::{Limits, Options, Reorder};
use crate::origin::Origin;
use crate::parse::ParseCache;
use crate::plugin::Helpers;
use crate::resmap::ResMap;
use crate::resource::{Resource, annotation};
use crate::schema::Schema;
use crate::transform::{self, name_reference, sort, variables};
use crate::tree::field_spec::FieldSpec;
use crate::tree::meta;

/// The version whose behaviour this is; it stands in the managed-by label.
const VERSION: &str = "v5.8.2";

/// Everything that a build uses. Keep one and call [`Build::run`] as often as needed.
pub struct Build {
    /// Where files come from.
    pub files: Arc<dyn Files>,
    /// Who renders charts.
    pub charts: Arc<dyn Charts>,
    /// The options of `kustomize build`.
    pub options: Options,
    /// What a build may cost.
    pub limits: Limits,
    /// Parsed files, kept between builds.
    pub cache: Arc<ParseCache>,
}

/// How a build ended.
#[derive(Debug)]
pub enum Outcome {
    /// It is done.
    Done(Output),
    /// These remote references have to be fetched first: what the kustomizations name, in their order.
    Needs(Vec<String>),
}

/// The result of a build.
#[derive(Debug, Default)]
pub struct Output {
    /// What `kustomize build` prints.
    pub text: String,
    /// The objects, in the order of the text.
    pub objects: Vec<Node>,
    /// What `kustomize build` says on standard error: deprecated fields, vars that nobody uses.
    pub warnings: Vec<String>,
}

/// The state of a build that its targets share.
pub(crate) struct Context<'b> {
    pub(crate) build: &'b Build,
    pub(crate) schema: Arc<Schema>,
    pub(crate) warnings: RefCell<Vec<String>>,
    pub(crate) needs: RefCell<Vec<String>>,
    kustomizations: Cell<usize>,
    input_bytes: Cell<usize>,
}

impl<'b> Context<'b> {
    /// What plugins may use, for a kustomization.
    pub(crate) fn helpers<'c>(&'c self, loader: &'c Loader) -> Helpers<'c> {
        Helpers {
            loader,
            files: self.build.files.as_ref(),
            charts: self.build.charts.as_ref(),
            options: &self.build.options,
            schema: &self.schema,
            cache: &self.build.cache,
        }
    }

    /// Counts one more kustomization at this depth.
    pub(crate) fn count_kustomization(&self, depth: usize) -> Result<()> {
        let count = self.kustomizations.get() + 1;
        self.kustomizations.set(count);
        let limits = &self.build.limits;
        if depth > limits.depth {
            return Err(limit(&format!("kustomizations are nested deeper than {}", limits.depth)));
        }
        if count > limits.kustomizations {
            return Err(limit(&format!("the build uses more than {} kustomizations", limits.kustomizations)));
        }
        Ok(())
    }

    /// Counts the text of one more file of resources.
    pub(crate) fn count_input(&self, bytes: usize) -> Result<()> {
        let sum = self.input_bytes.get().saturating_add(bytes);
        self.input_bytes.set(sum);
        let most = self.build.limits.input_bytes;
        if sum > most {
            return Err(limit(&format!(
                "the files of resources have more than {most} bytes together; build parts of it separately"
            )));
        }
        Ok(())
    }

    /// Refuses too many objects.
    pub(crate) fn check_size(&self, map: &ResMap) -> Result<()> {
        let most = self.build.limits.resources;
        if map.list.len() > most {
            return Err(limit(&format!("the build has more than {most} resources")));
        }
        Ok(())
    }
}

fn limit(message: &str) -> Error {
    Error::with_kind(ErrorKind::Limit, message)
}

impl Build {
    /// A build with default options and limits, no charts and an empty cache.
    pub fn new(files: Arc<dyn Files>) -> Self {
        Self {
            files,
            charts: Arc::new(crate::charts::NoCharts),
            options: Options::default(),
            limits: Limits::default(),
            cache: Arc::new(ParseCache::default()),
        }
    }

    /// Builds the kustomization in a directory (or remote repository).
    ///
    /// # Errors
    /// What `kustomize build` prints after `Error: `.
    pub fn run(&self, path: &str) -> Result<Outcome> {
        let context = Context {
            build: self,
            schema: Arc::new(Schema::new(self.options.merge_keys)),
            warnings: RefCell::new(Vec::new()),
            needs: RefCell::new(Vec::new()),
            kustomizations: Cell::new(0),
            input_bytes: Cell::new(0),
        };
        match self.run_in(&context, path) {
            Ok(mut output) => {
                output.warnings = context.warnings.into_inner();
                Ok(Outcome::Done(output))
            }
            Err(error) if error.kind() == ErrorKind::Pending => {
                let mut needs = context.needs.into_inner();
                if !needs.iter().any(|known| known == error.message()) {
                    needs.push(error.message().to_owned());
                }
                Ok(Outcome::Needs(needs))
            }
            Err(error) => Err(error.with_warnings(context.warnings.into_inner())),
        }
    }

    fn run_in(&self, context: &Context<'_>, path: &str) -> Result<Output> {
        let loader = Loader::start(Arc::clone(&self.files), path, self.options.load_restrictor)?;
        let mut target = Target::load(context, loader)?;
        target.set_schema(context)?;
        if !target.kustomization.build_metadata.is_empty() {
            target.origin = Some(Origin::default());
        }
        let mut accumulated = target.accumulate(context, Accumulator::default())?;
        finish(context, &mut accumulated)?;
        let mut map = accumulated.map;
        let metadata = &target.kustomization.build_metadata;
        let has = |option: &str| metadata.iter().any(|known| known == option);
        self.sort(&mut map, target.kustomization.sort_options.as_ref())?;
        if self.options.add_managed_by_label || has("managedByLabel") {
            let label = ("app.kubernetes.io/managed-by".to_owned(), format!("kustomize-{VERSION}"));
            let specs = [FieldSpec::any("metadata/labels", true)];
            transform::labels::set_all(&mut map, &std::iter::once(label).collect(), &specs)?;
        }
        for resource in &mut map.list {
            resource.remove_build_annotations()?;
            if !has("originAnnotations") {
                resource.set_origin(None)?;
            }
            if !has("transformerAnnotations") {
                resource.clear_transformations()?;
            }
        }
        let text = map.to_yaml(self.limits.output_bytes)?;
        let objects = map.list.into_iter().map(Resource::into_node).collect();
        Ok(Output { text, objects, warnings: Vec::new() })
    }

    fn sort(&self, map: &mut ResMap, options: Option<&SortOptions>) -> Result<()> {
        match options {
            Some(options) => sort::sort(map, options),
            None => {
                if self.options.reorder == Reorder::Legacy {
                    sort::sort_legacy(map, None);
                }
                Ok(())
            }
        }
    }
}

/// What is done once, for all objects together.
fn finish(context: &Context<'_>, accumulated: &mut Accumulator) -> Result<()> {
    transform::add_hashes(&mut accumulated.map)?;
    let config = accumulated.config.clone().unwrap_or_default();
    name_reference::apply(&mut accumulated.map, &config.name_reference)?;
    resolve_vars(context, accumulated, &config.var_reference)?;
    drop_local(&mut accumulated.map)
}

fn resolve_vars(context: &Context<'_>, accumulated: &mut Accumulator, specs: &[FieldSpec]) -> Result<()> {
    let mut values = BTreeMap::new();
    for var in accumulated.vars.iter() {
        let owner = accumulated.map.list.iter().find(|resource| resource.var_names.contains(&var.name));
        let Some(owner) = owner else {
            return Err(Error::new(format!(
                "var '{var}' cannot be mapped to a field in the set of known resources"
            )));
        };
        let value = variables::field_value(owner.node(), &var.field.path).map_err(|_| {
            Error::new(format!("field specified in var '{var}' not found in corresponding resource"))
        })?;
        values.insert(var.name.clone(), value);
    }
    if values.is_empty() {
        return Ok(());
    }
    let unused = variables::apply(&mut accumulated.map, &values, specs)?;
    if !unused.is_empty() {
        let warning = format!("well-defined vars that were never replaced: {}", unused.join(","));
        context.warnings.borrow_mut().push(warning);
    }
    Ok(())
}

/// Drops objects that are only there for kustomize itself.
fn drop_local(map: &mut ResMap) -> Result<()> {
    for resource in map.list.iter().filter(|resource| !resource.is_empty()) {
        meta::validated(resource.node())?;
    }
    map.list.retain(|resource| {
        !resource.is_empty() && resource.annotation(annotation::LOCAL).is_none_or(|value| value == "false")
    });
    Ok(())
}
