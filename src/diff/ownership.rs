//! Whose fields are whose: objects last written by client-side apply become ours, fields of others stay theirs.
//!
//! An apply takes away only fields that the same manager applied before. What `kubectl apply`, or Argo CD without
//! server-side apply, wrote is owned by updates; unless that ownership moves to our manager first, fields that Git
//! drops stay for ever. The rules are those of client-go's `csaupgrade`.

use serde_json::{Map, Value};

use crate::api::annotations::{FIELD_MANAGER, LAST_APPLIED};
use crate::object::{at, str_at};

use super::defaults::add_defaults;
use super::field_set::{FieldSet, has_keys, is_whole, keys_of};
use super::structural::{is_built_in, last_applied};

/// Managers that are known to apply by updating.
const CLIENT_SIDE: [&str; 2] = ["kubectl-client-side-apply", FIELD_MANAGER];

/// Who owns fields of an object: all that is kept of `managedFields`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldManagers(Box<[(Box<str>, How)]>);

/// How a manager came to own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// By updates that stand for a client-side apply.
    ClientSideApply,
    /// By updates.
    Update,
    /// By applies, or through a subresource such as `scale`.
    Else,
}

impl FieldManagers {
    /// Reads them from `managedFields`. Our own applies are left out, which every object has, and whoever owns nothing
    /// that is ever compared.
    pub fn of(entries: &[Value]) -> Self {
        let others = entries.iter().filter(|entry| !is_ours(entry) && !keeps_books(entry));
        Self(others.map(|entry| (Box::from(manager_of(entry)), How::of(entry))).collect())
    }

    /// Whether a manager owns any field, in whatever way.
    pub fn names(&self, manager: &str) -> bool {
        manager == FIELD_MANAGER || self.0.iter().any(|(name, _)| **name == *manager)
    }

    /// The managers whose fields become ours before the first apply: those that apply by updating, and the one that
    /// the user names (empty for none).
    pub fn to_migrate(&self, also: &str) -> Vec<String> {
        let ours = self.0.iter().filter(|(name, how)| match how {
            How::ClientSideApply => true,
            How::Update => !also.is_empty() && &**name == also,
            How::Else => false,
        });
        ours.map(|(name, _)| name.to_string()).collect()
    }
}

/// Whether an entry owns status alone, and annotations in which Kubernetes' own controllers keep their books, such as
/// the revision of a Deployment.
fn keeps_books(entry: &Value) -> bool {
    let names =
        |place: &[&str]| at(entry, place).and_then(Value::as_object).map(Map::keys).into_iter().flatten();
    let is_book = |step: &String| step == "." || step.strip_prefix("f:").is_some_and(is_book);
    names(&["fieldsV1"]).all(|step| matches!(step.as_str(), "f:status" | "f:metadata"))
        && names(&["fieldsV1", "f:metadata"]).all(|step| step == "f:annotations")
        && names(&["fieldsV1", "f:metadata", "f:annotations"]).all(is_book)
}

/// Whether an annotation is Kubernetes' own. What kubectl writes is not: it tells that somebody applied the object.
pub fn is_book(annotation: &str) -> bool {
    let domain = annotation.split_once('/').map_or("", |(domain, _)| domain);
    domain.ends_with(".kubernetes.io") && domain != "kubectl.kubernetes.io"
}

impl How {
    fn of(entry: &Value) -> Self {
        if !is_update(entry) {
            Self::Else
        } else if CLIENT_SIDE.contains(&manager_of(entry)) || owns_last_applied(entry) {
            Self::ClientSideApply
        } else {
            Self::Update
        }
    }
}

fn manager_of(entry: &Value) -> &str {
    str_at(entry, &["manager"]).unwrap_or_default()
}

fn is_update(entry: &Value) -> bool {
    is_whole(entry) && str_at(entry, &["operation"]) == Some("Update")
}

fn is_ours(entry: &Value) -> bool {
    is_whole(entry) && manager_of(entry) == FIELD_MANAGER && str_at(entry, &["operation"]) == Some("Apply")
}

fn owns_last_applied(entry: &Value) -> bool {
    let annotation = format!("f:{LAST_APPLIED}");
    at(entry, &["fieldsV1", "f:metadata", "f:annotations", &annotation]).is_some()
}

fn is_migrated(entry: &Value, managers: &[String]) -> bool {
    is_update(entry) && managers.iter().any(|manager| manager == manager_of(entry))
}

/// `managedFields` after these managers' updates became part of our apply, and after we gave up the fields of
/// `released`; nothing where that is what they are already.
pub fn with_ownership(entries: &[Value], managers: &[String], released: &[&[&str]]) -> Option<Vec<Value>> {
    let mut after: Vec<Value> =
        entries.iter().filter(|entry| !is_migrated(entry, managers)).cloned().collect();
    let migrated: Vec<&Value> = entries.iter().filter(|entry| is_migrated(entry, managers)).collect();
    let place = after.iter().position(is_ours);
    let mut ours = match (place, migrated.first()) {
        (Some(place), _) => after.remove(place),
        (None, Some(first)) => (*first).clone(),
        (None, None) => return None,
    };
    let mut fields = FieldSet::read(ours.get("fieldsV1").unwrap_or(&Value::Null));
    // Fields are named by the version that wrote them: those of other versions are left to be defaulted.
    let version = str_at(&ours, &["apiVersion"]).map(str::to_owned);
    for entry in migrated.iter().filter(|entry| str_at(entry, &["apiVersion"]) == version.as_deref()) {
        fields.add(FieldSet::read(entry.get("fieldsV1").unwrap_or(&Value::Null)));
    }
    // Nobody applies status; owning it would take it away with the next apply.
    fields.remove(&["status"]);
    for names in released {
        fields.remove(names);
    }
    if let Some(entry) = ours.as_object_mut() {
        entry.insert("manager".into(), FIELD_MANAGER.into());
        entry.insert("operation".into(), "Apply".into());
        entry.insert("fieldsV1".into(), fields.write());
    }
    after.insert(place.unwrap_or(0).min(after.len()), ours);
    (after != entries).then_some(after)
}

/// Takes out of a prediction what goes once the fields of these managers are ours: what they applied, Git does not
/// name, and nobody else owns. `managed` are the `managedFields` of the prediction itself.
///
/// Only fields of the last applied state go: an update also owns the defaults that the API server filled in.
pub fn drop_migrated(predicted: &mut Value, live: &Value, managed: &[Value], managers: &[String]) {
    let Some(last) = last_applied(live) else { return };
    let mut dropped = FieldSet::of_entries(managed, |entry| is_migrated(entry, managers));
    dropped.subtract(&FieldSet::of_entries(managed, |entry| !is_migrated(entry, managers)));
    dropped.remove(&["status"]);
    remove(&dropped, predicted, &last);
    if str_at(predicted, &["apiVersion"]).is_some_and(is_built_in) {
        add_defaults(predicted);
    }
}

fn remove(dropped: &FieldSet, predicted: &mut Value, last: &Value) {
    for (step, inner) in &dropped.children {
        if let Some(name) = step.strip_prefix("f:") {
            let (Some(fields), Some(was)) = (predicted.as_object_mut(), last.get(name)) else { continue };
            if inner.children.is_empty() {
                fields.remove(name);
            } else if let Some(value) = fields.get_mut(name) {
                remove(inner, value, was);
                if inner.member && is_empty(value) {
                    fields.remove(name);
                }
            }
        } else if let Some(keys) = keys_of(step) {
            remove_item(inner, &keys, predicted, last);
        } else if let Some(value) =
            step.strip_prefix("v:").and_then(|text| serde_json::from_str::<Value>(text).ok())
            && let (Some(items), Some(was)) = (predicted.as_array_mut(), last.as_array())
            && was.contains(&value)
        {
            items.retain(|item| *item != value);
        }
    }
}

fn remove_item(inner: &FieldSet, keys: &Map<String, Value>, predicted: &mut Value, last: &Value) {
    let (Some(items), Some(was)) = (predicted.as_array_mut(), last.as_array()) else { return };
    let Some(was) = was.iter().find(|item| has_keys(item, keys)) else { return };
    if inner.member {
        items.retain(|item| !has_keys(item, keys));
    } else if let Some(item) = items.iter_mut().find(|item| has_keys(item, keys)) {
        remove(inner, item, was);
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Takes out of a prediction what others than Git make of the object, such as a mutating webhook that has changed
/// its mind: fields that differ and that no apply of ours named are as they are. `before` and `after` are the
/// `managedFields` of the live object and of the prediction.
pub fn without_mutations(predicted: &Value, live: &Value, before: &[Value], after: &[Value]) -> Value {
    let mut ours = FieldSet::of_entries(after, |entry| manager_of(entry) == FIELD_MANAGER);
    ours.add(FieldSet::of_entries(before, |entry| manager_of(entry) == FIELD_MANAGER));
    as_live(predicted, Some(live), &ours)
}

fn as_live(predicted: &Value, live: Option<&Value>, ours: &FieldSet) -> Value {
    let Some(live) = live else { return predicted.clone() };
    if ours.children.is_empty() {
        return if ours.member { predicted.clone() } else { live.clone() };
    }
    match (predicted, live) {
        (Value::Object(wanted), Value::Object(there)) => {
            let fields = wanted.iter().filter_map(|(name, value)| {
                let live = there.get(name);
                match ours.children.get(&format!("f:{name}")) {
                    Some(inner) => Some((name.clone(), as_live(value, live, inner))),
                    None => live.map(|live| (name.clone(), live.clone())),
                }
            });
            Value::Object(fields.collect())
        }
        (Value::Array(wanted), Value::Array(there)) => Value::Array(items_as_live(wanted, there, ours)),
        _ => predicted.clone(),
    }
}

fn items_as_live(wanted: &[Value], there: &[Value], ours: &FieldSet) -> Vec<Value> {
    let keyed: Vec<(Map<String, Value>, &FieldSet)> =
        ours.children.iter().filter_map(|(step, inner)| Some((keys_of(step)?, inner))).collect();
    if keyed.is_empty() {
        return wanted.to_vec();
    }
    let names: Vec<&String> = keyed.iter().flat_map(|(keys, _)| keys.keys()).collect();
    let same = |left: &Value, right: &Value| names.iter().all(|name| left.get(*name) == right.get(*name));
    let items = wanted.iter().filter_map(|item| {
        let live = there.iter().find(|live| same(item, live));
        match keyed.iter().find(|(keys, _)| has_keys(item, keys)) {
            Some((_, inner)) => Some(as_live(item, live, inner)),
            None => live.cloned(),
        }
    });
    items.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[test]
    fn updates_of_appliers_become_ours_and_others_stay() {
        let fields = json!({"f:data": {"f:a": {}, "f:b": {}}, "f:status": {"f:x": {}}});
        let kubectl = entry("kubectl-client-side-apply", "Update", fields);
        let other = entry("hpa", "Update", json!({"f:data": {"f:c": {}}}));
        let own = json!({"f:metadata": {"f:annotations": {(format!("f:{LAST_APPLIED}")): {}}}});
        let entries = [kubectl, other.clone(), entry("odd-applier", "Update", own)];
        let managers = FieldManagers::of(&entries).to_migrate("");
        assert_eq!(managers, ["kubectl-client-side-apply", "odd-applier"]);
        assert_eq!(FieldManagers::of(&entries).to_migrate("hpa").len(), 3);
        let after = with_ownership(&entries, &managers, &[&["data", "a"]]).unwrap();
        assert_eq!(after.len(), 2);
        assert_eq!(
            (after[0]["manager"].as_str(), after[0]["operation"].as_str()),
            (Some(FIELD_MANAGER), Some("Apply"))
        );
        assert_eq!(after[0]["fieldsV1"]["f:data"], json!({"f:b": {}}));
        assert!(after[0]["fieldsV1"].get("f:status").is_none());
        assert_eq!(after[1], other);
        assert!(FieldManagers::of(&after).to_migrate("").is_empty());
        let mut scaled = entry("vpa", "Update", json!({"f:spec": {"f:replicas": {}}}));
        scaled["subresource"] = "scale".into();
        let owners = FieldManagers::of(&[after[0].clone(), scaled]);
        let books = json!({"f:status": {}, "f:metadata": {"f:annotations": {".": {}, "f:deployment.kubernetes.io/revision": {}}}});
        assert!(!FieldManagers::of(&[entry("kcm", "Update", books)]).names("kcm"));
        assert!(owners.names("vpa") && !owners.names("hpa") && owners.to_migrate("vpa").is_empty());
        assert_eq!(with_ownership(&after, &[], &[]), None);
    }

    #[test]
    fn what_an_applier_applied_and_git_dropped_goes_and_defaults_stay() {
        let last = json!({"data": {"a": "1", "b": "2"}, "list": [{"name": "x", "v": 1}, {"name": "y"}]});
        let live = json!({"apiVersion": "x.io/v1", "kind": "X", "metadata": {"annotations": {LAST_APPLIED: last.to_string()}},
            "data": {"a": "1", "b": "2", "c": "3"}, "default": 1, "list": [{"name": "x", "v": 1}, {"name": "y"}]});
        let theirs = json!({"f:data": {"f:a": {}, "f:b": {}}, "f:default": {},
            "f:list": {"k:{\"name\":\"x\"}": {".": {}, "f:name": {}, "f:v": {}}, "k:{\"name\":\"y\"}": {".": {}, "f:name": {}}}});
        let managed = [
            entry(
                FIELD_MANAGER,
                "Apply",
                json!({"f:data": {"f:a": {}}, "f:list": {"k:{\"name\":\"x\"}": {".": {}, "f:name": {}}}}),
            ),
            entry("kubectl-client-side-apply", "Update", theirs),
        ];
        let mut predicted = live.clone();
        drop_migrated(&mut predicted, &live, &managed, &["kubectl-client-side-apply".to_owned()]);
        assert_eq!(predicted["data"], json!({"a": "1", "c": "3"}));
        assert_eq!(predicted["list"], json!([{"name": "x"}]));
        assert_eq!(predicted["default"], 1);
    }

    #[test]
    fn what_a_webhook_makes_of_an_object_does_not_count_and_what_git_drops_does() {
        let ours = json!({"f:spec": {"f:a": {}, "f:containers": {"k:{\"name\":\"web\"}": {".": {}, "f:image": {}, "f:name": {}}}}});
        let before = json!({"f:spec": {"f:a": {}, "f:replicas": {}}});
        let live = json!({"spec": {"a": 1, "replicas": 3, "containers": [{"name": "web", "image": "w:1"}, {"name": "sidecar", "image": "s:1"}]}});
        let predicted = json!({"spec": {"a": 2, "replicas": 1, "new": true, "containers": [
            {"name": "web", "image": "w:2", "injected": 1}, {"name": "sidecar", "image": "s:2"}, {"name": "more"}]}});
        let after = [entry(FIELD_MANAGER, "Apply", ours)];
        let before = [entry(FIELD_MANAGER, "Apply", before)];
        assert_eq!(
            without_mutations(&predicted, &live, &before, &after),
            json!({"spec": {"a": 2, "replicas": 1, "containers": [{"name": "web", "image": "w:2"}, {"name": "sidecar", "image": "s:1"}]}})
        );
    }
}
