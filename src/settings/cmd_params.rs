//! `argocd-cmd-params-cm`: what Argo CD hands to its processes when they start.

use std::collections::BTreeMap;
use std::time::Duration;

/// What we read of `argocd-cmd-params-cm`. As with Argo CD, a change takes effect when the controller starts anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CmdParams {
    /// `controller.sync.timeout.seconds`: how long an operation may run; for ever where zero or absent.
    pub sync_timeout: Option<Duration>,
    /// `application.namespaces`: namespaces, besides the controller's, whose Applications are served.
    pub application_namespaces: Vec<String>,
    /// What could not be read, for the log.
    pub problems: Vec<String>,
}

impl CmdParams {
    /// Reads the ConfigMap's data.
    pub fn read(data: &BTreeMap<String, String>) -> Self {
        const TIMEOUT: &str = "controller.sync.timeout.seconds";
        let mut read = Self::default();
        if let Some(text) = data.get(TIMEOUT) {
            match text.trim().parse::<u32>() {
                Ok(seconds) => read.sync_timeout = Some(Duration::from_secs(seconds.into())),
                Err(_) => read.problems.push(format!(
                    "argocd-cmd-params-cm: {TIMEOUT} is \"{text}\": write a number of seconds; no limit is assumed"
                )),
            }
        }
        let namespaces = data.get("application.namespaces").map(String::as_str).unwrap_or_default();
        read.application_namespaces =
            namespaces.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_cannot_be_read_is_named() {
        let data =
            [("controller.sync.timeout.seconds", "soon"), ("application.namespaces", "team-a, team-*,")];
        let read = CmdParams::read(
            &data.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect(),
        );
        assert_eq!((read.sync_timeout, read.problems.len()), (None, 1));
        assert_eq!(read.application_namespaces, ["team-a", "team-*"]);
    }
}
