//! The arrows and invariants of `src/lib.rs`, checked on the text of the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms, and the rooms that each may import. A path of two words is a file or folder inside of a room.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("object", &[]),
    ("api", &["object"]),
    ("settings", &["api", "object"]),
    ("flow", &["settings", "api", "object"]),
    ("project", &["flow", "settings", "api", "object"]),
    ("diff", &["flow", "settings", "api", "object"]),
    ("health", &["flow", "settings", "api", "object"]),
    ("actions", &["flow", "settings", "api", "object"]),
    ("explain", &["flow", "settings", "api", "object"]),
    ("status", &["flow", "settings", "api", "object"]),
    ("sync", &["flow", "settings", "api", "object"]),
    ("sync/apply", &["cluster", "diff", "flow", "settings", "api", "object"]),
    ("source", &["flow", "settings", "api", "object"]),
    ("render", &["flow", "settings", "api", "object"]),
    ("eval", &["health", "flow", "settings", "api", "object"]),
    ("cluster", &["health", "project", "diff", "flow", "settings", "api", "object"]),
    (
        "controller",
        &[
            "eval", "cluster", "render", "source", "sync", "status", "explain", "health", "diff", "project",
            "flow", "settings", "api", "object",
        ],
    ),
    ("metrics", &["controller", "status", "health", "diff", "project", "flow", "settings", "api", "object"]),
    (
        "cli",
        &[
            "controller",
            "metrics",
            "eval",
            "cluster",
            "render",
            "source",
            "sync",
            "status",
            "explain",
            "health",
            "actions",
            "diff",
            "project",
            "flow",
            "settings",
            "api",
            "object",
        ],
    ),
];

/// What pure rooms must not name.
const IMPURE: &[&str] =
    &["async fn", "tokio", "kube::", "std::fs", "std::env", "std::process", "Timestamp::now", "Instant::now"];

const PURE: &[&str] = &[
    "object", "api", "settings", "flow", "project", "diff", "health", "actions", "explain", "status", "sync",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The room of a file of `src/`; nothing for `lib.rs` and `main.rs`.
fn room_of(file: &Path) -> Option<String> {
    let below = file.strip_prefix(root().join("src")).ok()?;
    let room = below.iter().next()?.to_str()?;
    if below.starts_with("sync/apply.rs") || below.starts_with("sync/apply") {
        return Some("sync/apply".into());
    }
    (!room.ends_with(".rs")).then(|| room.to_owned())
}

/// Code without comments and without what follows the unit tests.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every room that a file names by a `crate::` path.
fn imports(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        if part.starts_with('{') {
            let inside = part.split('}').next().unwrap_or_default();
            rooms.extend(inside.trim_start_matches('{').split(',').map(|word| first_word(word.trim())));
        } else {
            rooms.insert(first_word(part));
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn every_arrow_is_allowed() {
    let mut wrong = Vec::new();
    for file in sources(&root().join("src")) {
        let Some(room) = room_of(&file) else { continue };
        let rule = MAY_IMPORT.iter().find(|(name, _)| *name == room);
        let Some((_, allowed)) = rule else {
            wrong.push(format!("{}: room {room} is in no layer of src/lib.rs", file.display()));
            continue;
        };
        let own = room.split('/').next().unwrap_or_default();
        for import in imports(&code_of(&file)) {
            let known = MAY_IMPORT.iter().any(|(name, _)| *name == import);
            if known && import != own && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{}: {room} → {import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "wrong arrows:\n{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_are_pure() {
    let mut wrong = Vec::new();
    for file in sources(&root().join("src")) {
        let Some(room) = room_of(&file) else { continue };
        // Tests may start an oracle.
        let is_test = file.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
        if !PURE.contains(&room.as_str()) || is_test {
            continue;
        }
        let code = code_of(&file);
        wrong.extend(
            IMPURE
                .iter()
                .filter(|word| code.contains(*word))
                .map(|word| format!("{}: {word}", file.display())),
        );
    }
    assert!(wrong.is_empty(), "impure:\n{}", wrong.join("\n"));
}

#[test]
fn crates_know_no_runtime_no_client_no_files() {
    let forbidden =
        ["tokio", "kube::", "std::fs", "std::process", "TcpStream", "UdpSocket", "ToSocketAddrs", "tiphys"];
    let mut wrong = Vec::new();
    for folder in fs::read_dir(root().join("crates")).unwrap() {
        for file in sources(&folder.unwrap().path().join("src")) {
            let code = code_of(&file);
            wrong.extend(
                forbidden
                    .iter()
                    .filter(|word| code.contains(*word))
                    .map(|word| format!("{}: {word}", file.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "crates reach outside:\n{}", wrong.join("\n"));
}

#[test]
fn no_room_is_a_drawer_for_everything() {
    let names = ["util", "utils", "common", "helpers", "core", "misc"];
    let all = ["src", "crates", "xtask/src"].into_iter().flat_map(|folder| sources(&root().join(folder)));
    let wrong: Vec<PathBuf> = all
        .filter(|file| {
            file.iter().any(|part| names.contains(&part.to_string_lossy().trim_end_matches(".rs")))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn files_stay_readable() {
    // Data tables and tests may be longer; code that outgrows this wants another shape.
    const LONGEST: usize = 700;
    let wrong: Vec<String> = sources(&root().join("src"))
        .into_iter()
        .filter(|file| !file.iter().any(|part| part == "tests"))
        .filter_map(|file| {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            (lines > LONGEST).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "too long:\n{}", wrong.join("\n"));
}
