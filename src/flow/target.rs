//! The unit of work: one application at one destination.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Name of an object in the controller's own cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectName {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectName {
    /// A name from its two words.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Where a target's objects go, resolved: by address, whatever the spec named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// Address of the API server, as in the spec or the cluster Secret.
    pub server: String,
    /// Name of the cluster, `in-cluster` for our own.
    pub name: String,
    /// Namespace of objects that name none.
    pub namespace: String,
}

/// The address that means the controller's own cluster.
pub const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";
/// The name of the controller's own cluster.
pub const IN_CLUSTER_NAME: &str = "in-cluster";

/// One application at one destination. An application with several destinations is several targets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The application.
    pub application: ObjectName,
    /// Its destination.
    pub destination: Destination,
}

/// A repository's URL without what stands before an `@` in its authority: user names and passwords are not for labels,
/// logs and tables. Only the forms with `://` carry passwords.
pub fn printable_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_url_holds_no_credential() {
        assert_eq!(printable_url("https://user:p@ss@host/a.git"), "https://host/a.git");
        assert_eq!(printable_url("git@host:team/a.git"), "git@host:team/a.git");
    }
}
