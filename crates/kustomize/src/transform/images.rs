//! Names, tags and digests of images.

use goyaml::{Kind, Node};
use regex::Regex;

use crate::error::Result;
use crate::kustomization::Image;
use crate::resmap::ResMap;
use crate::tree::field_spec::{self, FieldSpec};
use crate::tree::{expect_kind, field, meta};

/// Changes the image in all objects: wherever containers are, and in the fields of the specs.
pub(crate) fn apply(map: &mut ResMap, image: &Image, specs: &[FieldSpec]) -> Result<()> {
    let change = Change { image, pattern: pattern(&image.name) };
    for resource in &mut map.list {
        resource.edit(|node| change.in_containers(node))?;
    }
    map.drop_empty();
    for resource in &mut map.list {
        resource.edit(|node| {
            if meta::top(node, "kind") == "CustomResourceDefinition" {
                return Ok(());
            }
            specs
                .iter()
                .try_for_each(|spec| field_spec::apply(node, spec, None, &mut |target| change.set(target)))
        })?;
    }
    map.drop_empty();
    Ok(())
}

/// Images of this name (which may be a regular expression), with any tag and digest.
fn pattern(name: &str) -> Option<Regex> {
    let tag = "(:[a-zA-Z0-9_.{}-]*)?";
    let digest = "(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?";
    Regex::new(&format!("^{name}{tag}{digest}$")).ok()
}

struct Change<'i> {
    image: &'i Image,
    pattern: Option<Regex>,
}

impl Change<'_> {
    fn in_containers(&self, node: &mut Node) -> Result<()> {
        if meta::top(node, "kind") == "CustomResourceDefinition" {
            return Ok(());
        }
        self.walk(node)
    }

    fn walk(&self, node: &mut Node) -> Result<()> {
        match node.kind {
            Kind::Mapping => {
                for (key, value) in node.pairs_mut() {
                    self.walk(value)?;
                    let is_list = matches!(key.value.as_str(), "containers" | "initContainers");
                    if is_list && value.kind == Kind::Sequence {
                        self.set_items(value)?;
                    }
                }
                Ok(())
            }
            Kind::Sequence => node.content.iter_mut().try_for_each(|item| self.walk(item)),
            _ => Ok(()),
        }
    }

    fn set_items(&self, list: &mut Node) -> Result<()> {
        for item in &mut list.content {
            if let Some(image) = field::get_mut(item, "image")? {
                self.set(image)?;
            }
        }
        Ok(())
    }

    fn set(&self, target: &mut Node) -> Result<()> {
        expect_kind(target, Kind::Scalar)?;
        if !self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(&target.value)) {
            return Ok(());
        }
        let text = self.changed(&target.value);
        field::set_scalar(target, field::tagged(&text, ""))
    }

    fn changed(&self, old: &str) -> String {
        let image = self.image;
        let (name, mut tag, mut digest) = split(old);
        let mut name = if image.new_name.is_empty() { name.to_owned() } else { image.new_name.clone() };
        match (image.new_tag.is_empty(), image.digest.is_empty()) {
            (false, false) => {
                tag.clone_from(&image.new_tag);
                digest.clone_from(&image.digest);
            }
            (false, true) => {
                tag.clone_from(&image.new_tag);
                digest.clear();
            }
            (true, false) => {
                tag.clear();
                digest.clone_from(&image.digest);
            }
            (true, true) if !image.tag_suffix.is_empty() => {
                tag.push_str(&image.tag_suffix);
                digest.clear();
            }
            (true, true) => {}
        }
        if !tag.is_empty() {
            name.push(':');
            name.push_str(&tag);
        }
        if !digest.is_empty() {
            name.push('@');
            name.push_str(&digest);
        }
        name
    }
}

/// Name, tag and digest. A colon before the first slash is that of a port.
fn split(image: &str) -> (&str, String, String) {
    let start = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let (_, rest) = image.split_at(start);
    let (before_digest, digest) = match rest.split_once('@') {
        Some((before, digest)) => (before, digest),
        None => (rest, ""),
    };
    let (before_tag, tag) = before_digest.split_once(':').unwrap_or((before_digest, ""));
    let (name, _) = image.split_at(start + before_tag.len());
    (name, tag.to_owned(), digest.to_owned())
}
