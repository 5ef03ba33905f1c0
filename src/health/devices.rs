//! Free devices by DeviceClass: what drivers offer in ResourceSlices, less what ResourceClaims have been given.
//!
//! A class chooses devices by CEL expressions. Those that name nothing but a driver are understood; a class that asks
//! for more is left out, since nobody can say here how many devices it has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::flow::Resources;
use crate::object::{i64_at, list_at, str_at};

/// Free devices of each class that is understood.
pub fn free_devices<'a>(
    classes: impl IntoIterator<Item = &'a Value>,
    slices: impl IntoIterator<Item = &'a Value>,
    claims: impl IntoIterator<Item = &'a Value>,
) -> Resources {
    let offered = offered(slices);
    let taken: BTreeSet<Device<'_>> = claims.into_iter().flat_map(allocated).collect();
    let mut free = Resources::new();
    for class in classes {
        let name = str_at(class, &["metadata", "name"]).unwrap_or_default();
        let Some(driver) = driver_of(class) else { continue };
        let count = offered.iter().filter(|device| device.0 == driver && !taken.contains(*device)).count();
        free.insert(name.to_owned(), count as u64);
    }
    free
}

/// Driver, pool and name.
type Device<'a> = (&'a str, &'a str, &'a str);

/// The devices of the newest generation of each pool.
fn offered<'a>(slices: impl IntoIterator<Item = &'a Value>) -> BTreeSet<Device<'a>> {
    let mut pools: BTreeMap<(&str, &str), (i64, BTreeSet<Device<'_>>)> = BTreeMap::new();
    for slice in slices {
        let text = |path: &[&str]| str_at(slice, path).unwrap_or_default();
        let (driver, pool) = (text(&["spec", "driver"]), text(&["spec", "pool", "name"]));
        let generation = i64_at(slice, &["spec", "pool", "generation"]).unwrap_or(0);
        let devices = list_at(slice, &["spec", "devices"])
            .iter()
            .map(|device| (driver, pool, str_at(device, &["name"]).unwrap_or_default()));
        let known = pools.entry((driver, pool)).or_insert_with(|| (generation, BTreeSet::new()));
        if generation > known.0 {
            *known = (generation, BTreeSet::new());
        }
        if generation == known.0 {
            known.1.extend(devices);
        }
    }
    pools.into_values().flat_map(|(_, devices)| devices).collect()
}

fn allocated(claim: &Value) -> impl Iterator<Item = Device<'_>> {
    list_at(claim, &["status", "allocation", "devices", "results"]).iter().map(|result| {
        let text = |field: &str| str_at(result, &[field]).unwrap_or_default();
        (text("driver"), text("pool"), text("device"))
    })
}

/// The driver whose devices the class stands for, all of them: its only selector is `device.driver == "…"`.
fn driver_of(class: &Value) -> Option<&str> {
    let [selector] = list_at(class, &["spec", "selectors"]) else { return None };
    let expression = str_at(selector, &["cel", "expression"])?;
    let (left, right) = expression.split_once("==")?;
    let driver = right.trim();
    let quoted = |quote: char| driver.strip_prefix(quote)?.strip_suffix(quote);
    let name = quoted('"').or_else(|| quoted('\''))?;
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    (left.trim() == "device.driver" && plain).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn devices_of_the_newest_generation_less_the_allocated() {
        let class = |name: &str, expression: &str| {
            json!({"metadata": {"name": name},
            "spec": {"selectors": [{"cel": {"expression": expression}}]}})
        };
        let classes = [
            class("gpu.nvidia.com", "device.driver == \"gpu.nvidia.com\""),
            class("big", "device.driver == 'gpu.nvidia.com' && device.attributes['x'].memory > 1"),
        ];
        let slice = |pool: &str, generation: u64, devices: &[&str]| {
            let devices: Vec<Value> = devices.iter().map(|name| json!({"name": name})).collect();
            json!({"spec": {"driver": "gpu.nvidia.com", "pool": {"name": pool, "generation": generation},
                            "devices": devices}})
        };
        let slices = [slice("a", 1, &["old"]), slice("a", 2, &["gpu-0", "gpu-1"]), slice("b", 1, &["gpu-0"])];
        let claims = [json!({"status": {"allocation": {"devices": {"results": [
            {"driver": "gpu.nvidia.com", "pool": "a", "device": "gpu-1"}]}}}})];
        let free = free_devices(&classes, &slices, &claims);
        assert_eq!(free, Resources::from([("gpu.nvidia.com".to_owned(), 2)]));
    }
}
