//! Health of one object and of an application: the code, the message, the cause.

use serde::{Deserialize, Serialize};

use super::{Facts, Reason};

pub use crate::api::{HealthCode, UnknownHealthCode};

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
