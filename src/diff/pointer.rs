//! JSON pointers (RFC 6901), as `jsonPointers` of ignoreDifferences uses them.

use serde_json::Value;

/// Splits a pointer into its unescaped tokens; nothing for text that is no pointer.
pub(super) fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let rest = pointer.strip_prefix('/')?;
    Some(rest.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
}

/// One token, escaped.
pub(super) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// Removes what a pointer points to. A pointer to nothing removes nothing.
pub(super) fn remove(value: &mut Value, tokens: &[String]) {
    let Some((last, path)) = tokens.split_last() else { return };
    let parent = path.iter().try_fold(value, |inner, token| match inner {
        Value::Object(fields) => fields.get_mut(token),
        Value::Array(items) => token.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
        _ => None,
    });
    match parent {
        Some(Value::Object(fields)) => {
            fields.remove(last);
        }
        Some(Value::Array(items)) => {
            if let Ok(index) = last.parse::<usize>()
                && index < items.len()
            {
                items.remove(index);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn removes_fields_items_and_escaped_names() {
        let mut value = json!({"a": {"b/c": 1, "d": [1, 2, 3]}});
        for pointer in ["/a/b~1c", "/a/d/1", "/a/d/9", "/x/y", "/a/d/-", ""] {
            remove(&mut value, &tokens(pointer).unwrap());
        }
        assert_eq!(value, json!({"a": {"d": [1, 3]}}));
        assert!(tokens("a/b").is_none());
    }
}
