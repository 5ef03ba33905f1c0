//! Remote references: a build names what it needs, and is run again when that is there.

use std::sync::Arc;

use kustomize::{Build, Error, Outcome};

use crate::disk::Memory;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: remote}\n";
const URL: &str = "https://example.org/map.yaml";
const REPO: &str = "https://git.example.org/team/repo//base?ref=v1";

fn overlay() -> Memory {
    let text = format!("namePrefix: p-\nresources:\n- {URL}\n- {REPO}\n- local.yaml\n");
    let local = MAP.replace("remote", "local");
    Memory::new([("/o/kustomization.yaml", text), ("/o/local.yaml", local)])
}

fn run(files: Memory) -> Result<Outcome, Error> {
    Build::new(Arc::new(files)).run("/o")
}

#[test]
fn all_references_of_one_kustomization_are_named_at_once() {
    let Outcome::Needs(needs) = run(overlay()).unwrap() else { panic!("nothing is fetched yet") };
    assert_eq!(needs, [URL, REPO]);
}

#[test]
fn fetched_references_are_used() {
    let repository = Memory::new([
        ("/base/kustomization.yaml", "resources: [map.yaml]".to_owned()),
        ("/base/map.yaml", MAP.replace("remote", "in-repo")),
    ]);
    let files = overlay().with_file(URL, MAP).with_tree("https://git.example.org/team/repo", repository);
    let Outcome::Done(output) = run(files).unwrap() else { panic!("everything is there") };
    let names: Vec<&str> = output.text.lines().filter_map(|line| line.strip_prefix("  name: ")).collect();
    assert_eq!(names, ["p-in-repo", "p-local", "p-remote"]);
}

#[test]
fn a_base_in_a_repository_cannot_leave_it() {
    let repository = Memory::new([
        ("/base/kustomization.yaml", "resources: [../../secret]"),
        ("/secret/kustomization.yaml", "resources: []"),
    ]);
    let files = Memory::new([("/o/kustomization.yaml", format!("resources: [{REPO}]"))])
        .with_tree("https://git.example.org/team/repo", repository);
    assert!(Build::new(Arc::new(files)).run("/o").is_err());
}

#[test]
fn an_unchanged_base_is_not_parsed_again() {
    let base = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n";
    let build = |text: &str| {
        Memory::new([
            ("/o/kustomization.yaml", text.to_owned()),
            ("/b/kustomization.yaml", "resources: [s.yaml]".to_owned()),
            ("/b/s.yaml", base.to_owned()),
        ])
    };
    let first = Build::new(Arc::new(build("resources: [../b]\nnamePrefix: a-")));
    first.run("/o").unwrap();
    assert_eq!(first.cache.parsed(), 1);
    let second = Build {
        cache: Arc::clone(&first.cache),
        ..Build::new(Arc::new(build("resources: [../b]\nnamePrefix: b-")))
    };
    let Outcome::Done(output) = second.run("/o").unwrap() else { panic!("nothing is remote") };
    assert!(output.text.contains("name: b-web"));
    assert_eq!(second.cache.parsed(), 1);
}
