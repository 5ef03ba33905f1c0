//! The list of fields in which two values differ.

use serde_json::Value;

use crate::flow::FieldDifference;

use super::pointer::escape;

/// Differences beyond this number are not listed one by one: nobody reads them, and status is bounded.
const MOST: usize = 256;

/// Where `live` differs from what it is predicted to become, in the order of the fields.
pub fn differences(predicted: &Value, live: &Value) -> Vec<FieldDifference> {
    let mut found = Vec::new();
    collect(Some(predicted), Some(live), &mut String::new(), &mut found);
    found
}

fn collect(
    predicted: Option<&Value>,
    live: Option<&Value>,
    path: &mut String,
    found: &mut Vec<FieldDifference>,
) {
    if found.len() >= MOST || predicted == live {
        return;
    }
    match (predicted, live) {
        (Some(Value::Object(wanted)), Some(Value::Object(there))) => {
            let mut names: Vec<&String> = wanted.keys().chain(there.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                descend(&escape(name), wanted.get(name), there.get(name), path, found);
            }
        }
        (Some(Value::Array(wanted)), Some(Value::Array(there))) if wanted.len() == there.len() => {
            for (index, (wanted, there)) in wanted.iter().zip(there).enumerate() {
                descend(&index.to_string(), Some(wanted), Some(there), path, found);
            }
        }
        _ => found.push(FieldDifference {
            pointer: path.clone(),
            predicted: predicted.cloned(),
            live: live.cloned(),
        }),
    }
}

fn descend(
    token: &str,
    predicted: Option<&Value>,
    live: Option<&Value>,
    path: &mut String,
    found: &mut Vec<FieldDifference>,
) {
    let length = path.len();
    path.push('/');
    path.push_str(token);
    collect(predicted, live, path, found);
    path.truncate(length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_each_field_that_differs() {
        let predicted = json!({"spec": {"replicas": 3, "a/b": 1, "list": [1, 2]}, "same": true});
        let live = json!({"spec": {"replicas": 2, "list": [1, 3], "extra": 1}, "same": true});
        let found: Vec<String> = differences(&predicted, &live).into_iter().map(|one| one.pointer).collect();
        assert_eq!(found, ["/spec/a~1b", "/spec/extra", "/spec/list/1", "/spec/replicas"]);
    }
}
