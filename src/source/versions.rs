//! Which version a `targetRevision` means among those that exist: exact versions, and ranges in the language of
//! Masterminds/semver, as Argo CD reads them for Git tags, charts and OCI tags alike.

use gotemplate::sprig::semver::{Constraints, Version};

/// The range that a revision states; none for an exact version and for what is no range at all.
pub(crate) fn range_of(revision: &str) -> Option<Constraints> {
    if Version::parse(revision).is_ok() {
        return None;
    }
    Constraints::parse(revision).ok()
}

/// The greatest version that a range allows. Names that are no versions are passed over.
pub(crate) fn newest<'a>(range: &Constraints, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(Version, &str)> = None;
    for name in names {
        let Ok(version) = Version::parse(name) else { continue };
        if range.check(&version) && best.as_ref().is_none_or(|(best, _)| version.precedence(best).is_gt()) {
            best = Some((version, name));
        }
    }
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_take_the_newest_that_fits() {
        let tags = ["v1.0.0", "v1.2.0", "v1.10.0", "v2.0.0-rc.1", "v2.0.0", "latest", "0.9.0"];
        let find = |range: &str| newest(&range_of(range).unwrap(), tags.into_iter());
        assert_eq!(find("v1.*"), Some("v1.10.0"));
        assert_eq!(find("1.2.x"), Some("v1.2.0"));
        assert_eq!(find(">=1.0.0 <2.0.0"), Some("v1.10.0"));
        assert_eq!(find("*"), Some("v2.0.0"));
        assert_eq!(find("^3"), None);
        assert_eq!(find(">2.0.0-alpha <2.0.0"), Some("v2.0.0-rc.1"));
        for exact in ["v1.0.0", "1.2", "main", "HEAD", "release/1.x", ""] {
            assert!(range_of(exact).is_none(), "{exact}");
        }
    }
}
