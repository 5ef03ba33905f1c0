//! A kustomization with everything below it: resources, generators, components, transformers, validators.

use std::sync::Arc;

use crate::build::Context;
use crate::config::{self, TransformerConfig};
use crate::configure;
use crate::error::{Context as _, Error, ErrorKind, Result};
use crate::id::{Gvk, ResId};
use crate::kustomization::vars::{Var, VarSet};
use crate::kustomization::{self, COMPONENT_KIND, Kustomization};
use crate::loader::Loader;
use crate::origin::{ConfiguredBy, Origin};
use crate::parse;
use crate::plugin::{self, Generator, Plugin};
use crate::resmap::ResMap;
use crate::resource::{Resource, annotation};
use crate::transform::Transformer;
use crate::tree::meta;

/// The names that a kustomization file may have.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Objects, and the rules that were collected with them.
#[derive(Debug, Default)]
pub(crate) struct Accumulator {
    pub(crate) map: ResMap,
    /// `None` before any kustomization was read.
    pub(crate) config: Option<Arc<TransformerConfig>>,
    pub(crate) vars: VarSet,
}

impl Accumulator {
    fn merge(&mut self, other: Self) -> Result<()> {
        self.map.append_all(other.map.list)?;
        if let Some(config) = &other.config {
            TransformerConfig::merge_shared(&mut self.config, config)?;
        }
        self.vars.add_all(other.vars)
    }

    /// Notes which objects give vars their values.
    fn add_vars(&mut self, vars: &[Var]) -> Result<()> {
        for var in vars {
            let mut resolved = var.clone();
            resolved.resolve_gvk();
            let object = &resolved.object;
            let wanted = ResId {
                gvk: object.gvk.clone(),
                name: object.name.clone(),
                namespace: object.namespace.clone(),
            };
            let any_namespace = wanted.namespace.is_empty();
            let found = self.map.matching_any_id(|id| {
                if any_namespace { id.same_kind_and_name(&wanted) } else { id.same(&wanted) }
            });
            if found.len() > 1 {
                return Err(Error::new(format!(
                    "found {} resId matches for var {resolved} (unable to disambiguate)",
                    found.len()
                )));
            }
            if let Some(resource) = found.first().and_then(|i| self.map.list.get_mut(*i)) {
                resource.var_names.push(var.name.clone());
            }
        }
        vars.iter().try_for_each(|var| self.vars.add(var.clone()))
    }
}

/// A kustomization in its directory.
pub(crate) struct Target {
    pub(crate) kustomization: Box<Kustomization>,
    pub(crate) file_name: &'static str,
    pub(crate) loader: Arc<Loader>,
    pub(crate) origin: Option<Origin>,
    /// The namespace of an overlay, for charts.
    pub(crate) outer_namespace: String,
}

fn load_file(loader: &Loader) -> Result<(Arc<[u8]>, &'static str)> {
    let mut found = None;
    for name in FILE_NAMES {
        match loader.load(name) {
            Ok(content) => {
                if found.replace((content, name)).is_some() {
                    return Err(Error::new(format!(
                        "Found multiple kustomization files under: {}\n",
                        loader.root()
                    )));
                }
            }
            Err(error) if error.kind() == ErrorKind::Limit => return Err(error),
            Err(_) => {}
        }
    }
    found.ok_or_else(|| {
        Error::new(format!(
            "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
            loader.root()
        ))
    })
}

impl Target {
    /// Reads the kustomization file of a directory.
    pub(crate) fn load(context: &Context<'_>, loader: Arc<Loader>) -> Result<Self> {
        context.count_kustomization(loader.depth())?;
        let (content, file_name) = load_file(&loader)?;
        let mut warnings = context.warnings.borrow_mut();
        let kustomization = Box::new(kustomization::load(&content, loader.root(), &mut warnings)?);
        Ok(Self { kustomization, file_name, loader, origin: None, outer_namespace: String::new() })
    }

    /// Takes the `openapi` of the kustomization, if nothing took one before.
    pub(crate) fn set_schema(&self, context: &Context<'_>) -> Result<()> {
        let Some(openapi) = &self.kustomization.openapi else { return Ok(()) };
        let document = openapi.get("path").map(|path| self.loader.load(path)).transpose()?;
        context.schema.set(openapi.get("version").map(String::as_str), document.as_deref())
    }

    /// Does everything that the kustomization says, but what is done once at the end. A component starts
    /// with the objects of its user.
    pub(crate) fn accumulate(&mut self, context: &Context<'_>, start: Accumulator) -> Result<Accumulator> {
        let resources = std::mem::take(&mut self.kustomization.resources);
        let mut acc = self
            .accumulate_resources(context, start, &resources)
            .context_with(|| "accumulating resources")?;
        context.check_size(&acc.map)?;
        let own = match self.kustomization.configurations.as_slice() {
            [] => TransformerConfig::built_in(),
            paths => Arc::new(TransformerConfig::with_files(&self.loader, paths)?),
        };
        TransformerConfig::merge_shared(&mut acc.config, &own).context_with(|| "merging config")?;
        let crds = &self.kustomization.crds;
        if !crds.is_empty() {
            let from_crds = config::load_crds(&self.loader, crds)
                .context_with(|| format!("loading CRDs [{}]", crds.join(" ")))?;
            TransformerConfig::merge_shared(&mut acc.config, &Arc::new(from_crds))
                .context_with(|| "merging CRDs")?;
        }
        self.run_generators(context, &mut acc)?;
        let components = std::mem::take(&mut self.kustomization.components);
        acc = self
            .accumulate_components(context, acc, &components)
            .context_with(|| "accumulating components")?;
        self.run_transformers(context, &mut acc)?;
        self.run_validators(context, &mut acc)?;
        let vars = self.kustomization.vars.clone().unwrap_or_default();
        acc.add_vars(&vars).context_with(|| {
            let shown: Vec<String> = vars.iter().map(Var::to_string).collect();
            format!("merging vars [{}]", shown.join(" "))
        })?;
        Ok(acc)
    }

    fn accumulate_resources(
        &mut self,
        context: &Context<'_>,
        mut acc: Accumulator,
        paths: &[String],
    ) -> Result<Accumulator> {
        let mut pending = None;
        for path in paths {
            let Err(file_error) = self.accumulate_file(context, &mut acc, path) else { continue };
            if file_error.kind() == ErrorKind::Pending {
                context.needs.borrow_mut().push(file_error.message().to_owned());
                pending = Some(file_error);
                continue;
            }
            if matches!(file_error.kind(), ErrorKind::Http | ErrorKind::Limit) {
                return Err(file_error);
            }
            let loader = match self.loader.enter(path) {
                Ok(loader) => loader,
                Err(error) if error.kind() == ErrorKind::Pending => {
                    context.needs.borrow_mut().push(error.message().to_owned());
                    pending = Some(error);
                    continue;
                }
                Err(_) if file_error.is_malformed_yaml() => return Err(file_error),
                Err(error) => return Err(error.context(format!("accumulation err='{file_error}'"))),
            };
            acc = self
                .accumulate_directory(context, acc, loader, path, false)
                .context_with(|| format!("accumulation err='{file_error}'"))?;
        }
        match pending {
            Some(error) => Err(error),
            None => Ok(acc),
        }
    }

    fn accumulate_components(
        &mut self,
        context: &Context<'_>,
        mut acc: Accumulator,
        paths: &[String],
    ) -> Result<Accumulator> {
        let quote = crate::go_syntax::quote;
        for path in paths {
            let loader = self
                .loader
                .enter(path)
                .map_err(|error| error.map_message(|text| format!("loader.New {}", quote(text))))?;
            acc = self
                .accumulate_directory(context, acc, loader, path, true)
                .map_err(|error| error.map_message(|text| format!("accumulateDirectory: {}", quote(text))))?;
        }
        Ok(acc)
    }

    fn accumulate_directory(
        &self,
        context: &Context<'_>,
        mut acc: Accumulator,
        loader: Arc<Loader>,
        path: &str,
        is_component: bool,
    ) -> Result<Accumulator> {
        let root = loader.root().to_owned();
        let mut sub =
            Self::load(context, loader).context_with(|| format!("couldn't make target for path '{root}'"))?;
        sub.kustomization.build_metadata.clone_from(&self.kustomization.build_metadata);
        sub.origin = self.origin.as_ref().map(|origin| origin.append(path));
        sub.outer_namespace = if self.kustomization.namespace.is_empty() {
            self.outer_namespace.clone()
        } else {
            self.kustomization.namespace.clone()
        };
        sub.set_schema(context)?;
        let kind = &sub.kustomization.kind;
        if is_component && kind != COMPONENT_KIND {
            return Err(Error::new(format!(
                "expected kind '{COMPONENT_KIND}' for path '{root}' but got '{kind}'"
            )));
        }
        if !is_component && kind == COMPONENT_KIND {
            return Err(Error::new(format!("expected kind != '{COMPONENT_KIND}' for path '{root}'")));
        }
        let start = if is_component { std::mem::take(&mut acc) } else { Accumulator::default() };
        let below = sub
            .accumulate(context, start)
            .context_with(|| format!("recursed accumulation of path '{root}'"))?;
        acc.merge(below).context_with(|| format!("recursed merging from path '{root}'"))?;
        Ok(acc)
    }

    fn accumulate_file(&self, context: &Context<'_>, acc: &mut Accumulator, path: &str) -> Result<()> {
        let load = || {
            let content = self.loader.load(path)?;
            context.count_input(content.len())?;
            parse::parse_file(&content, path, &context.schema, &context.build.cache)
        };
        let mut map = load().context_with(|| format!("accumulating resources from '{path}'"))?;
        if let Some(origin) = &self.origin {
            let note = origin.append(path).print()?;
            map.annotate_all(annotation::ORIGIN, &note)
                .context_with(|| format!("cannot add path annotation for '{path}'"))?;
        }
        acc.map.append_all(map.list).context_with(|| format!("merging resources from '{path}'"))
    }

    fn run_generators(&mut self, context: &Context<'_>, acc: &mut Accumulator) -> Result<()> {
        let mut all = configure::generators(self, context)?;
        all.extend(self.external_generators(context).context_with(|| "loading generator plugins")?);
        let loader = Arc::clone(&self.loader);
        let helpers = context.helpers(&loader);
        for (generator, origin) in all {
            let mut made = generator.generate(&helpers)?;
            made.add_origin(origin.as_ref()).context_with(|| "adding origin annotations for generator")?;
            acc.map
                .absorb_all(made)
                .context_with(|| "merging from generator &{0xc000000000 <nil>}".to_owned())?;
        }
        context.check_size(&acc.map)
    }

    /// The configurations of plugins: written in the kustomization, or in files and directories.
    fn plugin_configs(&mut self, context: &Context<'_>, entries: &[String], what: &str) -> Result<ResMap> {
        let loader = Arc::clone(&self.loader);
        let helpers = context.helpers(&loader);
        let mut acc = Accumulator::default();
        let mut paths = Vec::new();
        for entry in entries {
            match helpers.parse(entry.as_bytes()).and_then(ResMap::from_list) {
                Err(_) => paths.push(entry.clone()),
                Ok(mut inline) => {
                    if let Some(origin) = &self.origin {
                        let origin = origin.append(self.file_name);
                        for resource in &mut inline.list {
                            resource.set_origin(Some(&origin))?;
                        }
                    }
                    let appended = acc.map.append_all(inline.list);
                    appended.context_with(|| format!("configuring external {what}"))?;
                }
            }
        }
        Ok(self.accumulate_resources(context, acc, &paths)?.map)
    }

    fn external_generators(&mut self, context: &Context<'_>) -> Result<Vec<(Generator, Option<Origin>)>> {
        let entries = std::mem::take(&mut self.kustomization.generators);
        let configs = self.plugin_configs(context, &entries, "generator")?;
        let helpers = context.helpers(&self.loader);
        let load = |config: &Resource| match plugin::load(config, &helpers) {
            Ok(Plugin::Generator(generator)) => Ok((generator, origin_of_plugin(config))),
            Ok(Plugin::Transformer(_)) => Err(Error::new(format!(
                "failed to load generator: plugin {} not a generator",
                config.original_id()
            ))),
            Err(error) => Err(error.context("failed to load generator")),
        };
        configs.list.iter().map(load).collect()
    }

    fn external_transformers(
        &mut self,
        context: &Context<'_>,
        entries: &[String],
    ) -> Result<Vec<(Transformer, Option<Origin>)>> {
        let configs = self.plugin_configs(context, entries, "transformer")?;
        let helpers = context.helpers(&self.loader);
        let load = |config: &Resource| match plugin::load(config, &helpers)? {
            Plugin::Transformer(transformer) => Ok((transformer, origin_of_plugin(config))),
            Plugin::Generator(_) => {
                Err(Error::new(format!("plugin {} not a transformer", config.original_id())))
            }
        };
        configs.list.iter().map(load).collect()
    }

    fn run_transformers(&mut self, context: &Context<'_>, acc: &mut Accumulator) -> Result<()> {
        let config = acc.config.clone().unwrap_or_default();
        let mut all = configure::transformers(self, context, &config)?;
        let entries = std::mem::take(&mut self.kustomization.transformers);
        all.extend(self.external_transformers(context, &entries)?);
        for (transformer, origin) in all {
            transformer.apply(&mut acc.map)?;
            if let Some(origin) = origin {
                acc.map.add_transformation(&origin)?;
            }
            acc.map.drop_empty();
        }
        Ok(())
    }

    fn run_validators(&mut self, context: &Context<'_>, acc: &mut Accumulator) -> Result<()> {
        const VALIDATED_BY: &str = "validated-by";
        let entries = std::mem::take(&mut self.kustomization.validators);
        for (validator, _) in self.external_transformers(context, &entries)? {
            let before = acc.map.clone();
            validator.apply(&mut acc.map)?;
            let mut after = acc.map.clone();
            for resource in &mut after.list {
                let mut labels = meta::labels(resource.node());
                if labels.remove(VALIDATED_BY).is_some() {
                    resource.edit(|node| meta::set_labels(node, &labels))?;
                }
            }
            plugin::check_unchanged(&before, &after)?;
        }
        Ok(())
    }
}

/// Where a plugin is configured, from the note on its configuration.
fn origin_of_plugin(config: &Resource) -> Option<Origin> {
    let origin = config.origin()?;
    let Gvk { kind, .. } = config.gvk();
    Some(Origin {
        path: String::new(),
        repo: origin.repo,
        reference: origin.reference,
        configured_in: origin.path,
        configured_by: ConfiguredBy {
            api_version: config.gvk().api_version(),
            kind: kind.clone(),
            name: config.name().to_owned(),
            namespace: config.namespace().to_owned(),
        },
    })
}
