//! Fixing the names by which objects refer to each other, after names have changed.

use std::collections::{BTreeSet, HashMap};

use goyaml::{Kind, Node};

use crate::config::NameReference;
use crate::error::{Error, Result};
use crate::id::{Gvk, NO_NAMESPACE, ResId};
use crate::resmap::ResMap;
use crate::resource::{Resource, annotation};
use crate::tree::field_spec::{self, FieldSpec};
use crate::tree::{field, is_null, lookup, meta};

/// What is known of an object that may be referred to, or refer.
struct Party {
    current: ResId,
    previous: Vec<ResId>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

impl Party {
    fn new(resource: &Resource) -> Self {
        let list = |key| {
            let text = resource.annotation(key);
            text.map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default()
        };
        Self {
            current: resource.current_id().clone(),
            previous: resource.previous_ids().to_vec(),
            prefixes: list(annotation::PREFIXES),
            suffixes: list(annotation::SUFFIXES),
        }
    }

    fn original(&self) -> &ResId {
        self.previous.first().unwrap_or(&self.current)
    }

    fn was_selected_by(&self, gvk: &Gvk) -> bool {
        self.previous.iter().any(|id| id.gvk.is_selected(gvk))
    }

    fn same_affixes(&self, other: &Self, allow_empty: bool) -> bool {
        let fits = |mine: &[String], theirs: &[String]| {
            allow_empty && (mine.is_empty() || theirs.is_empty()) || same_ending(mine, theirs)
        };
        fits(&self.prefixes, &other.prefixes) && fits(&self.suffixes, &other.suffixes)
    }
}

fn same_ending(one: &[String], other: &[String]) -> bool {
    let (shorter, longer) = if one.len() > other.len() { (other, one) } else { (one, other) };
    if shorter.is_empty() { longer.is_empty() } else { longer.ends_with(shorter) }
}

/// Fixes all references.
pub(crate) fn apply(map: &mut ResMap, rules: &[NameReference]) -> Result<()> {
    let parties: Vec<Party> = map.list.iter().map(Party::new).collect();
    let mut by_old_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (i, party) in parties.iter().enumerate() {
        let names: BTreeSet<&str> = party.previous.iter().map(|id| id.name.as_str()).collect();
        for name in names {
            by_old_name.entry(name).or_default().push(i);
        }
    }
    let mut by_kind: HashMap<String, Vec<(&Gvk, &FieldSpec)>> = HashMap::new();
    for i in 0..map.list.len() {
        let Some(referrer) = parties.get(i) else { continue };
        let original = &referrer.original().gvk;
        let specs = by_kind.entry(original.to_string()).or_insert_with(|| {
            let all = rules.iter().flat_map(|rule| rule.referrers.iter().map(move |spec| (&rule.gvk, spec)));
            all.filter(|(_, spec)| original.is_selected(&spec.gvk)).collect()
        });
        let Some(resource) = map.list.get(i) else { continue };
        let near = binding_namespaces(resource)?;
        let mut fixes =
            Fixes { parties: &parties, by_old_name: &by_old_name, referrer, near, found: Vec::new() };
        let specs = specs.clone();
        fixes.run(map, i, &specs)?;
        for target in fixes.found {
            let id = referrer.current.clone();
            if let Some(resource) = map.list.get_mut(target) {
                resource.referred_by.push(id);
            }
        }
    }
    Ok(())
}

/// Namespaces of service accounts that a RoleBinding names: they may be elsewhere.
fn binding_namespaces(resource: &Resource) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    if resource.kind() != "RoleBinding" {
        return Ok(found);
    }
    let Ok(Some(subjects)) = lookup::lookup(resource.node(), &["subjects"]) else { return Ok(found) };
    for subject in &subjects.content {
        let is_account = field::field(subject, "kind").is_some_and(|kind| kind.value == "ServiceAccount");
        let Some(namespace) = field::field(subject, "namespace").filter(|_| is_account) else { continue };
        if !namespace.is_string() {
            return Err(Error::new(format!(
                "Invalid Input: namespace is blank for resource {}\n",
                crate::go_syntax::quote(&resource.current_id().to_string())
            )));
        }
        found.insert(namespace.value.clone());
    }
    Ok(found)
}

struct Fixes<'p> {
    parties: &'p [Party],
    by_old_name: &'p HashMap<&'p str, Vec<usize>>,
    referrer: &'p Party,
    near: BTreeSet<String>,
    found: Vec<usize>,
}

impl<'p> Fixes<'p> {
    fn run(&mut self, map: &mut ResMap, position: usize, specs: &[(&Gvk, &FieldSpec)]) -> Result<()> {
        let role = map.list.get(position).and_then(|resource| role_of(resource.node()));
        let current = &self.referrer.current.gvk;
        for (target, spec) in specs {
            let role = role.as_ref().filter(|_| spec.path.ends_with("roleRef/name"));
            let Some(resource) = map.list.get_mut(position) else { continue };
            let mut ambiguous = None;
            let result = resource.edit(|node| {
                field_spec::apply_to(node, current, &spec.path, &mut |found| {
                    self.set(found, target, role).map_err(|problem| match problem {
                        Problem::Ambiguous(candidates) => {
                            ambiguous = Some(candidates);
                            Error::new("\u{0}")
                        }
                        Problem::Other(error) => error,
                    })
                })
            });
            result.map_err(|error| {
                let error = match &ambiguous {
                    Some(candidates) => {
                        let details = self.details(map, position, candidates);
                        error.map_message(|text| text.replace('\u{0}', &details))
                    }
                    None => error,
                };
                error.context(format!(
                    "updating name reference in '{}' field of '{}'",
                    spec.path, self.referrer.current
                ))
            })?;
        }
        Ok(())
    }

    fn details(&self, map: &ResMap, position: usize, candidates: &[usize]) -> String {
        let show = |i: usize| map.list.get(i).map(with_referrers).unwrap_or_default();
        let ids: Vec<String> = candidates
            .iter()
            .filter_map(|i| self.parties.get(*i))
            .map(|party| party.current.to_string())
            .collect();
        let mut text = format!(
            "found multiple possible referrals: {}\n\n**** Too many possible referral targets to referrer:\n{}\n",
            ids.join(", "),
            show(position)
        );
        for (number, candidate) in candidates.iter().enumerate() {
            text.push_str(&format!("--- possible referral {number}:\n{}\n", show(*candidate)));
        }
        text
    }

    fn set(&mut self, node: &mut Node, target: &Gvk, role: Option<&Gvk>) -> Result<(), Problem> {
        if is_null(node) {
            return Ok(());
        }
        match node.kind {
            Kind::Scalar => self.set_scalar(node, target, role),
            Kind::Mapping => self.set_mapping(node, target, role),
            Kind::Sequence => {
                for item in &mut node.content {
                    match item.kind {
                        _ if is_null(item) => {}
                        Kind::Scalar => self.set_scalar(item, target, role)?,
                        Kind::Mapping => self.set_mapping(item, target, role)?,
                        _ => {
                            let message = "node is expected to be either a string or a map of string";
                            return Err(Error::new(message).into());
                        }
                    }
                }
                Ok(())
            }
            Kind::Document | Kind::Alias => Err(Error::new("node must be a scalar, sequence or map").into()),
        }
    }

    fn set_scalar(&mut self, node: &mut Node, target: &Gvk, role: Option<&Gvk>) -> Result<(), Problem> {
        let Some(found) = self.select(&node.value, None, target, role)? else { return Ok(()) };
        self.found.push(found);
        let Some(party) = self.parties.get(found).filter(|party| party.current.name != node.value) else {
            return Ok(());
        };
        Ok(field::set_scalar(node, Node::scalar(party.current.name.clone()))?)
    }

    fn set_mapping(&mut self, node: &mut Node, target: &Gvk, role: Option<&Gvk>) -> Result<(), Problem> {
        let Some(name) = field::get(node, "name")?.map(|name| name.value.clone()) else {
            return Err(Error::new("path config error; no 'name' field in node").into());
        };
        let namespace = field::get(node, "namespace")?.map(|namespace| namespace.value.clone());
        let Some(found) = self.select(&name, Some(namespace.as_deref()), target, role)? else {
            return Ok(());
        };
        self.found.push(found);
        let Some(party) = self.parties.get(found) else { return Ok(()) };
        if party.current.name == name && party.current.namespace.is_empty() {
            return Ok(());
        }
        field::set(node, "name", Node::scalar(party.current.name.clone()))?;
        if !party.current.namespace.is_empty() {
            field::set(node, "namespace", Node::scalar(party.current.namespace.clone()))?;
        }
        Ok(())
    }

    /// The object that a name means. With a map that names a namespace, only objects from there count.
    fn select(
        &self,
        name: &str,
        map_namespace: Option<Option<&str>>,
        target: &Gvk,
        role: Option<&Gvk>,
    ) -> Result<Option<usize>, Problem> {
        let Some(named) = self.by_old_name.get(name) else { return Ok(None) };
        let mut candidates: Vec<(usize, &Party)> =
            named.iter().filter_map(|i| Some((*i, self.parties.get(*i)?))).collect();
        candidates.retain(|(_, party)| self.may_refer_to(party));
        if let Some(Some(namespace)) = map_namespace {
            self.keep_namespace(&mut candidates, namespace);
        }
        candidates.retain(|(_, party)| {
            party.was_selected_by(target)
                && role.is_none_or(|role| party.was_selected_by(role))
                && self.is_near(party)
        });
        if let [(only, _)] = candidates[..] {
            return Ok(Some(only));
        }
        candidates.retain(|(_, party)| party.same_affixes(self.referrer, true));
        if candidates.len() > 1 {
            candidates.retain(|(_, party)| party.same_affixes(self.referrer, false));
        }
        let Some((first, rest)) = candidates.split_first() else { return Ok(None) };
        let same = |party: &Party| {
            party.current.name == first.1.current.name
                && (map_namespace.is_none() || party.current.namespace == first.1.current.namespace)
        };
        if rest.iter().all(|(_, party)| same(party)) {
            return Ok(Some(first.0));
        }
        Err(Problem::Ambiguous(candidates.iter().map(|(i, _)| *i).collect()))
    }

    /// Whether the referrer can see the object at all.
    fn may_refer_to(&self, party: &Party) -> bool {
        let referrer = &self.referrer.current;
        referrer.gvk.cluster_scoped
            || party.current.gvk.cluster_scoped
            || party.current.same_namespace(referrer)
            || self.near.contains(&party.current.namespace)
    }

    /// Keeps what was in the namespace at first; when nothing at all was there, what is there now.
    fn keep_namespace(&self, candidates: &mut Vec<(usize, &'p Party)>, namespace: &str) {
        let visible = || self.parties.iter().filter(|party| self.may_refer_to(party));
        let was_there = namespace != NO_NAMESPACE
            && visible().any(|party| party.original().effective_namespace() == namespace);
        candidates.retain(|(_, party)| {
            let id = if was_there { party.original() } else { &party.current };
            id.effective_namespace() == namespace && namespace != NO_NAMESPACE
        });
    }

    fn is_near(&self, party: &Party) -> bool {
        let referrer = &self.referrer.current;
        referrer.gvk.cluster_scoped
            || party.current.gvk.cluster_scoped
            || party.current.gvk.kind == "ServiceAccount"
            || referrer.same_namespace(&party.current)
    }
}

enum Problem {
    Ambiguous(Vec<usize>),
    Other(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The kind of role that a binding names.
fn role_of(node: &Node) -> Option<Gvk> {
    let role = node.get("roleRef").filter(|role| role.kind == Kind::Mapping)?;
    Some(Gvk {
        group: role.get("apiGroup")?.value.clone(),
        kind: role.get("kind")?.value.clone(),
        ..Gvk::default()
    })
}

fn with_referrers(resource: &Resource) -> String {
    let mut copy = resource.clone();
    if !resource.referred_by.is_empty() {
        let ids: Vec<String> = resource.referred_by.iter().map(ResId::to_string).collect();
        let _ = copy.edit(|node| meta::set_annotation(node, annotation::REFERRED_BY, &ids.join(",")));
    }
    copy.to_yaml().unwrap_or_default()
}
