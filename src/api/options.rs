//! Sync options: `Key=Value` words on the application and on single objects.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sync options as the user wrote them, in order. Unknown words are kept and have no effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SyncOptions(pub Vec<String>);

/// Whether something happens: always, after somebody confirmed, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// It happens.
    Allowed,
    /// It waits for the annotation `argocd.argoproj.io/deletion-approved` on the application.
    Confirm,
    /// It does not happen.
    Forbidden,
}

/// How the garbage collector treats dependents of a deleted object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PropagationPolicy {
    /// Dependents first.
    #[default]
    Foreground,
    /// Dependents later.
    Background,
    /// Dependents stay.
    Orphan,
}

impl SyncOptions {
    /// Reads the comma-separated form of the annotation.
    pub fn from_annotation(text: &str) -> Self {
        Self(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    /// The value of a key: the first word that names it, with spaces around the words forgiven.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().find_map(|word| {
            let (name, value) = word.split_once('=')?;
            (name.trim() == key).then(|| value.trim())
        })
    }

    /// Whether a word stands there to the letter, for example `Prune=false`.
    pub fn has(&self, word: &str) -> bool {
        self.0.iter().any(|known| known.trim() == word)
    }

    /// A switch that is on with `Key=true`; nothing where the key is not named.
    pub fn switch(&self, key: &str) -> Option<bool> {
        self.value(key).map(|value| value == "true")
    }

    /// `Prune=…` or `Delete=…`.
    pub fn requirement(&self, key: &str) -> Option<Requirement> {
        match self.value(key)? {
            "false" => Some(Requirement::Forbidden),
            "confirm" => Some(Requirement::Confirm),
            "true" => Some(Requirement::Allowed),
            _ => None,
        }
    }

    /// `PrunePropagationPolicy=…`, foreground where it is not named or not known.
    pub fn propagation_policy(&self) -> PropagationPolicy {
        match self.value("PrunePropagationPolicy") {
            Some("background") => PropagationPolicy::Background,
            Some("orphan") => PropagationPolicy::Orphan,
            _ => PropagationPolicy::Foreground,
        }
    }
}

impl fmt::Display for PropagationPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreground => "Foreground",
            Self::Background => "Background",
            Self::Orphan => "Orphan",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_have_no_effect() {
        let options = SyncOptions::from_annotation(" Prune=confirm , Whatever, =,,Replace=true");
        assert_eq!(options.requirement("Prune"), Some(Requirement::Confirm));
        assert_eq!(options.switch("Replace"), Some(true));
        assert_eq!(options.switch("Force"), None);
    }
}
