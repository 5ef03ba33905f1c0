//! The rule that lets somebody else have a field: what we propose where two writers disagree.

use super::IgnoreDifferences;

impl IgnoreDifferences {
    /// The narrowest rule that leaves one field of one object alone. `pointer` is a JSON pointer (RFC 6901).
    pub fn of_field(group: &str, kind: &str, namespace: &str, name: &str, pointer: &str) -> Self {
        Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            json_pointers: vec![pointer.to_owned()],
            ..Self::default()
        }
    }

    /// The rule in one line of YAML, to be pasted under `spec.ignoreDifferences`.
    pub fn snippet(&self) -> String {
        let words = [
            ("group", &self.group),
            ("kind", &self.kind),
            ("namespace", &self.namespace),
            ("name", &self.name),
        ];
        let mut fields: Vec<String> = words
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(field, value)| format!("{field}: {}", quoted(value)))
            .collect();
        let pointers: Vec<String> = self.json_pointers.iter().map(|pointer| quoted(pointer)).collect();
        fields.push(format!("jsonPointers: [{}]", pointers.join(", ")));
        format!("- {{{}}}", fields.join(", "))
    }
}

/// A YAML scalar in flow form: quoted unless it is a plain word for every reader.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/-._~".contains(c))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposed_rule_is_yaml_that_reads_back_as_the_rule() {
        for (name, pointer) in
            [("web", "/spec/replicas"), ("1.0", "/metadata/annotations/a~1b c"), ("on", "/data/x: y")]
        {
            let rule = IgnoreDifferences::of_field("apps", "Deployment", "shop", name, pointer);
            let value = goyaml::from_yaml(rule.snippet().as_bytes()).unwrap();
            let read: Vec<IgnoreDifferences> = serde_json::from_value(value).unwrap();
            assert_eq!(read, [rule]);
        }
        let rule = IgnoreDifferences::of_field("apps", "Deployment", "shop", "web", "/spec/replicas");
        assert_eq!(
            rule.snippet(),
            "- {group: apps, kind: Deployment, namespace: shop, name: web, jsonPointers: [/spec/replicas]}"
        );
    }
}
