//! Secrets, made safe to show.
//!
//! A value is replaced by a row of `+` whose length says nothing of the value. In a pair of desired and live, equal
//! values get the same row and different values rows of different length, so that a reader sees what changed
//! without seeing it. Keys stay readable.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// What stands in a diff in the place of a masked last-applied annotation.
pub const MASKED_KEYS_NOTE: &str = "++++++++";

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const SHORTEST_MASK: usize = 8;

/// A Secret whose values cannot be printed.
#[derive(Clone, PartialEq)]
pub struct Masked(Value);

impl Masked {
    /// The masked object.
    pub fn body(&self) -> &Value {
        &self.0
    }

    /// Gives the masked object away.
    pub fn into_body(self) -> Value {
        self.0
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masked({})", self.0)
    }
}

/// Masks one Secret.
pub fn mask_secret(secret: &Value) -> Masked {
    let mut masks = Masks::default();
    Masked(masks.apply(secret))
}

/// Masks the same Secret as desired and as live, so that equal values look equal and others do not.
pub fn mask_pair(desired: &Value, live: &Value) -> (Masked, Masked) {
    let mut masks = Masks::default();
    (Masked(masks.apply(desired)), Masked(masks.apply(live)))
}

/// The rows of `+` that were given out, per key and value.
#[derive(Default)]
struct Masks {
    given: BTreeMap<String, Vec<Value>>,
}

impl Masks {
    fn apply(&mut self, secret: &Value) -> Value {
        let mut masked = secret.clone();
        for field in ["data", "stringData"] {
            if let Some(values) = masked.get_mut(field) {
                self.mask_values(values);
            }
        }
        mask_annotation(&mut masked);
        masked
    }

    fn mask_values(&mut self, values: &mut Value) {
        match values {
            Value::Object(entries) => self.mask_entries(entries),
            Value::Null => {}
            // A Secret whose data is no mapping is refused by the API server; what it holds is still a secret.
            other => *other = Value::String("+".repeat(SHORTEST_MASK)),
        }
    }

    fn mask_entries(&mut self, entries: &mut Map<String, Value>) {
        for (key, value) in entries.iter_mut() {
            let seen = self.given.entry(key.clone()).or_default();
            let index = seen.iter().position(|known| known == value).unwrap_or_else(|| {
                seen.push(value.clone());
                seen.len() - 1
            });
            *value = Value::String("+".repeat(SHORTEST_MASK + index));
        }
    }
}

/// The last-applied annotation repeats the whole Secret.
fn mask_annotation(secret: &mut Value) {
    if let Some(annotation) = super::path::at_mut(secret, &["metadata", "annotations", LAST_APPLIED]) {
        *annotation = Value::String(MASKED_KEYS_NOTE.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret(value: &str, other: &str) -> Value {
        json!({"kind": "Secret", "data": {"token": value, "user": other},
               "metadata": {"annotations": {LAST_APPLIED: "{\"data\":{\"token\":\"hidden\"}}"}}})
    }

    #[test]
    fn equal_values_look_equal_and_others_do_not() {
        let (desired, live) = mask_pair(&secret("bmV3", "YQ=="), &secret("b2xk", "YQ=="));
        assert_ne!(desired.body()["data"]["token"], live.body()["data"]["token"]);
        assert_eq!(desired.body()["data"]["user"], live.body()["data"]["user"]);
        assert!(!desired.to_string().contains("bmV3") && !desired.to_string().contains("hidden"));
    }

    #[test]
    fn data_of_a_wrong_type_is_masked_as_well() {
        let masked = mask_secret(&json!({"kind": "Secret", "stringData": ["cleartext"]}));
        assert!(!masked.to_string().contains("cleartext"));
    }
}
