//! Lists that Kubernetes merges by keys since the version whose document kustomize carries.

use std::path::Path;
use std::sync::Arc;

use kustomize::{Build, MergeKeys, Outcome, Table};

use crate::disk::Disk;

fn built(merge_keys: MergeKeys) -> String {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/newer_than_its_schema");
    let mut build = Build::new(Arc::new(Disk));
    build.options.merge_keys = merge_keys;
    let Outcome::Done(output) = build.run(&case.to_string_lossy()).unwrap() else { panic!("not remote") };
    output.text
}

/// The names in a list, in their order.
fn names(text: &str, list: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| line.trim() != format!("{list}:")).skip(1);
    let items = lines.take_while(|line| line.starts_with("  - ") || line.starts_with("    "));
    items.filter_map(|line| line.split("name: ").nth(1)).map(str::to_owned).collect()
}

#[test]
fn kustomize_replaces_lists_that_are_newer_than_its_schema() {
    let text = built(MergeKeys::Kustomize);
    assert_eq!(names(&text, "schedulingGates"), ["data"]);
    assert_eq!(names(&text, "matchConditions"), ["not-mine"]);
    assert_eq!(
        text.matches("namespace: gpu").count(),
        2,
        "the Pod, and the DeviceClass that it does not know"
    );
}

#[test]
fn the_api_servers_document_merges_them_by_their_keys_and_knows_the_scope() {
    let text = built(MergeKeys::Kubernetes);
    assert_eq!(names(&text, "schedulingGates"), ["data", "quota"]);
    assert_eq!(names(&text, "resourceClaims"), ["nics", "gpus"]);
    assert_eq!(names(&text, "matchConditions"), ["not-mine", "not-system"]);
    assert_eq!(names(&text, "variables"), ["image"]);
    assert_eq!(text.matches("namespace: gpu").count(), 1, "only the Pod");
}

#[test]
fn the_committed_table_is_read_and_written_without_loss() {
    let text = include_str!("../data/openapi.txt");
    let head = text.lines().take_while(|line| line.starts_with('#')).map(|line| line.len() + 1).sum();
    assert_eq!(Table::from_text(text).to_text(), text[head..]);
}
