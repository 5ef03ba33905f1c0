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
