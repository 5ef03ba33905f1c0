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
    let change = Change { image, name: Name::new(&image.name) };
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

/// The name of images, with any tag and digest. kustomize takes it for a regular expression; those without an
/// operator but the dot, which is nearly all of them, are compared without one.
enum Name<'i> {
    Plain(&'i str),
    Pattern(Regex),
    /// What is no regular expression fits nothing.
    Wrong,
}

impl<'i> Name<'i> {
    fn new(name: &'i str) -> Self {
        if name.chars().all(|c| c.is_ascii_alphanumeric() || "/:@_-.".contains(c)) {
            return Self::Plain(name);
        }
        let tag = "(:[a-zA-Z0-9_.{}-]*)?";
        let digest = "(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?";
        Regex::new(&format!("^{name}{tag}{digest}$")).map_or(Self::Wrong, Self::Pattern)
    }

    fn fits(&self, image: &str) -> bool {
        match self {
            Self::Wrong => false,
            Self::Pattern(pattern) => pattern.is_match(image),
            Self::Plain(name) => {
                let mut rest = image.chars();
                let same = |want: char| rest.next().is_some_and(|c| c == want || want == '.' && c != '\n');
                name.chars().all(same) && is_tag_and_digest(rest.as_str())
            }
        }
    }
}

/// What may stand behind the name: `:tag`, `@algorithm:digest`, both or nothing.
fn is_tag_and_digest(text: &str) -> bool {
    let is_value = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_.{}-".contains(c));
    let (tag, digest) = match text.split_once('@') {
        Some((tag, digest)) => (tag, Some(digest)),
        None => (text, None),
    };
    let tag_fits = tag.is_empty() || tag.strip_prefix(':').is_some_and(is_value);
    let digest_fits = digest.is_none_or(|digest| {
        digest.split_once(':').is_some_and(|(algorithm, value)| {
            let mut parts = algorithm.split(['.', '+', '_', '-']);
            is_value(value)
                && parts.all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()))
        })
    });
    tag_fits && digest_fits
}

struct Change<'i> {
    image: &'i Image,
    name: Name<'i>,
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
        if !self.name.fits(&target.value) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_fit_what_the_regular_expression_fits() {
        let names = ["app", "host.io:5000/team/app", "a.c", "app@sha256"];
        let images = [
            "app",
            "app:",
            "app:1.0",
            "app:{TAG}",
            "app:a:b",
            "app@sha256:ab",
            "app:1@sha256:ab",
            "app@:ab",
            "app@sha256:",
            "app@a.b+c:d",
            "app@a..b:d",
            "app@sha256",
            "apps",
            "ap",
            "",
            "abc",
            "a\nc",
            "axc:1",
            "äpp",
            "aäc:1@b:c",
            "host.io:5000/team/app:1",
            "hostXio:5000/team/app",
            "app@sha256:ab@c:d",
            "app@sha256@c:d",
        ];
        for name in names {
            // A group makes no difference, but is an operator.
            let with_group = format!("({name})");
            let pattern = Name::new(&with_group);
            for image in images {
                assert_eq!(Name::new(name).fits(image), pattern.fits(image), "{name} {image}");
            }
        }
    }
}
