//! What Kueue's queues still admit: nominal quota and what may be borrowed, less what is reserved.

use std::collections::BTreeMap;

use serde_json::Value;

use super::quantity::amount;
use crate::flow::Resources;
use crate::object::{at, list_at, str_at};

/// One resource of one flavor of a ClusterQueue.
#[derive(Clone, Copy, Debug, Default)]
struct Quota {
    nominal: u64,
    /// How much may be borrowed; nothing where there is no limit.
    borrowing: Option<u64>,
    /// How much may be lent; nothing where there is no limit.
    lending: Option<u64>,
    used: u64,
}

type Quotas<'a> = BTreeMap<(&'a str, &'a str), Quota>;

/// What each LocalQueue still admits, by `namespace/name` and resource, all flavors together. Resources that a queue
/// has no quota for are not there, nor queues whose ClusterQueue is not known; a queue that is stopped admits nothing.
pub fn admitted<'a>(
    cluster_queues: impl IntoIterator<Item = &'a Value>,
    local_queues: impl IntoIterator<Item = &'a Value>,
) -> BTreeMap<String, Resources> {
    let queues: BTreeMap<&str, (&Value, Quotas<'_>)> = cluster_queues
        .into_iter()
        .map(|queue| {
            let name = str_at(queue, &["metadata", "name"]).unwrap_or_default();
            (name, (queue, quotas(queue)))
        })
        .collect();
    let admits = |local: &'a Value| {
        let text = |path: &[&str]| str_at(local, path).unwrap_or_default();
        let (queue, own) = queues.get(text(&["spec", "clusterQueue"]))?;
        let mut free = Resources::new();
        for ((flavor, resource), quota) in own {
            let unused = quota.nominal.saturating_sub(quota.used);
            let borrowed = quota.used.saturating_sub(quota.nominal);
            let lent = lendable(&queues, queue, flavor, resource);
            let may_borrow = quota.borrowing.map_or(u64::MAX, |limit| limit.saturating_sub(borrowed));
            let sum: &mut u64 = free.entry((*resource).to_owned()).or_default();
            *sum = sum.saturating_add(unused.saturating_add(lent.min(may_borrow)));
        }
        if is_stopped(queue) || is_stopped(local) {
            free.values_mut().for_each(|amount| *amount = 0);
        }
        Some((format!("{}/{}", text(&["metadata", "namespace"]), text(&["metadata", "name"])), free))
    };
    local_queues.into_iter().filter_map(admits).collect()
}

fn is_stopped(queue: &Value) -> bool {
    str_at(queue, &["spec", "stopPolicy"]).is_some_and(|policy| policy != "None")
}

/// The cohort, under its name in either version of the API.
fn cohort(queue: &Value) -> Option<&str> {
    str_at(queue, &["spec", "cohortName"])
        .or_else(|| str_at(queue, &["spec", "cohort"]))
        .filter(|name| !name.is_empty())
}

/// What the other queues of the cohort do not use and may lend.
fn lendable(
    queues: &BTreeMap<&str, (&Value, Quotas<'_>)>,
    borrower: &Value,
    flavor: &str,
    resource: &str,
) -> u64 {
    let Some(cohort_name) = cohort(borrower) else { return 0 };
    let others = queues
        .values()
        .filter(|(queue, _)| !std::ptr::eq(*queue, borrower) && cohort(queue) == Some(cohort_name));
    let (mut spare, mut borrowed) = (0_u64, 0_u64);
    for (_, quotas) in others {
        let Some(quota) = quotas.get(&(flavor, resource)) else { continue };
        let unused = quota.nominal.saturating_sub(quota.used);
        spare = spare.saturating_add(unused.min(quota.lending.unwrap_or(u64::MAX)));
        borrowed = borrowed.saturating_add(quota.used.saturating_sub(quota.nominal));
    }
    spare.saturating_sub(borrowed)
}

fn quotas(queue: &Value) -> Quotas<'_> {
    let mut quotas = Quotas::new();
    for group in list_at(queue, &["spec", "resourceGroups"]) {
        for flavor in list_at(group, &["flavors"]) {
            let flavor_name = str_at(flavor, &["name"]).unwrap_or_default();
            for entry in list_at(flavor, &["resources"]) {
                let resource = str_at(entry, &["name"]).unwrap_or_default();
                let read = |field: &str| at(entry, &[field]).and_then(|value| amount(resource, value));
                let quota = Quota {
                    nominal: read("nominalQuota").unwrap_or(0),
                    borrowing: read("borrowingLimit"),
                    lending: read("lendingLimit"),
                    used: 0,
                };
                quotas.insert((flavor_name, resource), quota);
            }
        }
    }
    let reserved = list_at(queue, &["status", "flavorsReservation"]);
    let usage = if reserved.is_empty() { list_at(queue, &["status", "flavorsUsage"]) } else { reserved };
    for flavor in usage {
        let flavor_name = str_at(flavor, &["name"]).unwrap_or_default();
        for entry in list_at(flavor, &["resources"]) {
            let resource = str_at(entry, &["name"]).unwrap_or_default();
            let used = at(entry, &["total"]).and_then(|total| amount(resource, total)).unwrap_or(0);
            if let Some(quota) = quotas.get_mut(&(flavor_name, resource)) {
                quota.used = used;
            }
        }
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cluster_queue(name: &str, nominal: u64, used: u64, borrowing: Option<u64>) -> Value {
        json!({"metadata": {"name": name}, "spec": {"cohort": "all", "resourceGroups": [{"flavors": [
                {"name": "h100", "resources": [{"name": "nvidia.com/gpu", "nominalQuota": nominal,
                                                "borrowingLimit": borrowing}]}]}]},
            "status": {"flavorsReservation": [{"name": "h100", "resources": [
                {"name": "nvidia.com/gpu", "total": used.to_string()}]}]}})
    }

    fn local(queue: &str) -> Value {
        json!({"metadata": {"name": "q", "namespace": "ml"}, "spec": {"clusterQueue": queue}})
    }

    fn gpus(queues: &[Value], queue: &str) -> Option<u64> {
        admitted(queues, [&local(queue)]).get("ml/q").and_then(|free| free.get("nvidia.com/gpu")).copied()
    }

    #[test]
    fn own_quota_and_what_the_cohort_lends() {
        let mut queues = vec![cluster_queue("a", 4, 3, Some(2)), cluster_queue("b", 4, 1, None)];
        assert_eq!(gpus(&queues, "a"), Some(3), "one of its own, two borrowed");
        assert_eq!(gpus(&queues, "b"), Some(4), "three of its own, one of the other's");
        queues[1]["spec"]["cohort"] = json!("other");
        assert_eq!(gpus(&queues, "a"), Some(1));
        queues[0]["spec"]["stopPolicy"] = json!("Hold");
        assert_eq!(gpus(&queues, "a"), Some(0));
        assert_eq!(gpus(&queues, "missing"), None);
    }

    #[test]
    fn what_others_borrowed_is_not_lent_again() {
        let queues =
            [cluster_queue("a", 2, 2, None), cluster_queue("b", 4, 1, None), cluster_queue("c", 1, 3, None)];
        assert_eq!(gpus(&queues, "a"), Some(1));
    }
}
