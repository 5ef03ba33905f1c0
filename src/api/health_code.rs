//! The six words of health.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Health in Argo CD's vocabulary, from best to worst: the derived order is the order of the roll-up.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum HealthCode {
    /// Works as it should.
    #[default]
    Healthy,
    /// Paused by intent.
    Suspended,
    /// Not healthy yet, and may still become so.
    Progressing,
    /// Not in the cluster.
    Missing,
    /// Failed, or did not become healthy in time.
    Degraded,
    /// Cannot be told.
    Unknown,
}

impl HealthCode {
    /// Every code, from best to worst.
    pub const ALL: [Self; 6] =
        [Self::Healthy, Self::Suspended, Self::Progressing, Self::Missing, Self::Degraded, Self::Unknown];

    /// Whether this code is worse than another.
    pub fn is_worse_than(self, other: Self) -> bool {
        self > other
    }

    /// The word of the code, for example `Progressing`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for HealthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is none of the six health codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a health status; use Healthy, Suspended, Progressing, Missing, Degraded or Unknown")]
pub struct UnknownHealthCode(pub String);

impl FromStr for HealthCode {
    type Err = UnknownHealthCode;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|code| code.as_str() == word)
            .ok_or_else(|| UnknownHealthCode(word.to_owned()))
    }
}
