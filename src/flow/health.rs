//! Health of one object and of an application: the code, the message, the cause.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Facts, Reason};

/// Health in Argo CD's vocabulary, from best to worst: the derived order is the order of the roll-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// Health of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthStatus {
    /// The code.
    pub status: HealthCode,
    /// For people; empty where the rule says nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The cause; nothing for a healthy object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What is known about the cause.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
}

impl HealthStatus {
    /// A status with the reason that its code has where nothing more is known.
    pub fn new(status: HealthCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), reason: default_reason(status), facts: Facts::default() }
    }

    /// Healthy, with or without words.
    pub fn healthy(message: impl Into<String>) -> Self {
        Self::new(HealthCode::Healthy, message)
    }

    /// Suspended.
    pub fn suspended(message: impl Into<String>) -> Self {
        Self::new(HealthCode::Suspended, message)
    }

    /// Progressing.
    pub fn progressing(message: impl Into<String>) -> Self {
        Self::new(HealthCode::Progressing, message)
    }

    /// Degraded.
    pub fn degraded(message: impl Into<String>) -> Self {
        Self::new(HealthCode::Degraded, message)
    }

    /// Unknown: the rule could not tell.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(HealthCode::Unknown, message)
    }

    /// Missing in the cluster.
    pub fn missing() -> Self {
        Self::new(HealthCode::Missing, "")
    }

    /// The same with a cause.
    #[must_use]
    pub fn because(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The same with facts.
    #[must_use]
    pub fn with_facts(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }
}

fn default_reason(status: HealthCode) -> Option<Reason> {
    match status {
        HealthCode::Healthy => None,
        HealthCode::Suspended => Some(Reason::Paused),
        HealthCode::Progressing => Some(Reason::InProgress),
        HealthCode::Missing => Some(Reason::NotFound),
        HealthCode::Degraded => Some(Reason::Failed),
        HealthCode::Unknown => Some(Reason::Undetermined),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_roll_up() {
        assert!(HealthCode::Unknown.is_worse_than(HealthCode::Degraded));
        assert!(HealthCode::Missing.is_worse_than(HealthCode::Progressing));
        assert!(HealthCode::Suspended.is_worse_than(HealthCode::Healthy));
        assert!(!HealthCode::Degraded.is_worse_than(HealthCode::Degraded));
    }

    #[test]
    fn codes_are_read_as_they_are_written() {
        for code in HealthCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(code));
        }
        assert!("healthy".parse::<HealthCode>().is_err());
    }
}
