//! `IAMPolicyGenerator`: the Kubernetes side of a Google workload identity.

use goyaml::Node;
use serde_json::Value;

use crate::decode::{Decode, Decoder};
use crate::error::{Error, Result};
use crate::parse::parse_one;

/// What the generator is told.
#[derive(Debug, Default)]
pub(crate) struct IamPolicyArgs {
    cloud: String,
    kubernetes: Named,
    account: Named,
}

#[derive(Debug, Default)]
struct Named {
    name: String,
    namespace: String,
    project: String,
}

impl Decode for Named {
    const NAME: &'static str = "ServiceAccount";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "name" => self.name = d.string(value),
            "namespace" => self.namespace = d.string(value),
            "projectid" => self.project = d.string(value),
            _ => return false,
        }
        true
    }
}

impl Decode for IamPolicyArgs {
    const NAME: &'static str = "IAMPolicyGeneratorPlugin";

    fn field(&mut self, d: &mut Decoder, name: &str, value: &Value) -> bool {
        match name {
            "cloud" => self.cloud = d.string_of_type(value, "types.Cloud"),
            "kubernetesservice" => self.kubernetes = d.object(value, "types.KubernetesService"),
            "serviceaccount" => self.account = d.object(value, "types.ServiceAccount"),
            _ => return false,
        }
        true
    }
}

impl IamPolicyArgs {
    /// The ServiceAccount with its annotation.
    pub(crate) fn generate(&self) -> Result<Node> {
        if self.cloud != "gke" {
            return Err(Error::new(format!("cloud provider {} not supported yet", self.cloud)));
        }
        let mut text = format!(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  annotations:\n    \
             iam.gke.io/gcp-service-account: {}@{}.iam.gserviceaccount.com\n  name: {}\n",
            self.account.name, self.account.project, self.kubernetes.name
        );
        if !self.kubernetes.namespace.is_empty() {
            text.push_str(&format!("\n  namespace: {}", self.kubernetes.namespace));
        }
        parse_one(&text)
    }
}
