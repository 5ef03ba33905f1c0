//! Servers and repositories that mean harm, and caches that others changed.

use std::time::Duration;

use tiphys::flow::{TreeError, TreePath};
use tiphys::source::SourceError;

use super::fixture::{World, access, git_with_input, path, text};
use super::http_server::{HttpServer, Reply, git_backend};

const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";

fn advertise(body: &[u8]) -> Reply {
    Reply::Answer(200, vec![("Content-Type".into(), ADVERTISEMENT.into())], body.to_vec())
}

#[tokio::test]
async fn what_is_no_git_server_is_named_as_such() {
    let world = World::new();
    let cases: [(Reply, &str); 9] = [
        (
            Reply::Answer(200, vec![("Content-Type".into(), "text/html".into())], b"<html>".to_vec()),
            "login page",
        ),
        (advertise(b"<html>garbage"), "does not speak Git's protocol"),
        (advertise(b""), "ended too early"),
        (advertise(b"0010version 3\n"), "ended too early"),
        (advertise(b"001e# service=git-upload-pack\n0000000eversion 2\n"), "ended too early"),
        (advertise(b"0031ERR access denied or repository not exported: /x"), "not exported"),
        (Reply::status(404), "not found"),
        (Reply::status(500), "server error"),
        (Reply::Raw(b"\x00\x01\x02\x03".to_vec()), "cannot connect"),
    ];
    for (reply, expected) in cases {
        let reply = std::sync::Mutex::new(Some(reply));
        let server = HttpServer::start(move |_| reply.lock().unwrap().take().unwrap_or(Reply::status(500)));
        let error = world.resolve(&access(&server.url("/x")), "main").await.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_costs_the_deadline_and_no_more() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {ADVERTISEMENT}\r\nContent-Length: 9999\r\n\r\n00");
    for start in [String::new(), "HTTP/1.1 200 OK\r\n".to_owned(), head] {
        let world = World::with_timeout(Duration::from_millis(300));
        let server = HttpServer::start(move |_| Reply::Hang(start.clone().into_bytes()));
        let error = world.resolve(&access(&server.url("/x")), "main").await.unwrap_err();
        assert!(matches!(error, SourceError::TimedOut { .. }), "{error}");
    }
    // Nobody answers at all: the TCP connection stays in the backlog of a listener that accepts nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let world = World::with_timeout(Duration::from_millis(300));
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let error = world.resolve(&access(&url), "main").await.unwrap_err();
    assert!(matches!(error, SourceError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn a_caller_who_goes_away_ends_the_work() {
    let world = World::new();
    let server = HttpServer::start(|_| Reply::Hang(vec![]));
    let access = access(&server.url("/x"));
    let one = tokio::time::timeout(Duration::from_millis(200), world.resolve(&access, "main"));
    assert!(one.await.is_err());
    // The thread of the first caller must have let go, or dropping the runtime would wait for it for a minute.
}

#[tokio::test]
async fn a_pack_that_is_cut_or_damaged_is_refused() {
    let world = World::new();
    let repo = world.repo("app");
    repo.write("a.yaml", &"a: 1\n".repeat(1000)).commit("first");
    for damage in [0_usize, 1] {
        let backend = git_backend(&world.repos());
        let server = HttpServer::start(move |request| {
            let Reply::Answer(status, headers, mut body) = backend(request) else { unreachable!() };
            if let Some(at) = body.windows(4).position(|window| window == b"PACK") {
                if damage == 0 {
                    body.truncate(at + 20);
                } else {
                    body[at + 30] ^= 0xff;
                }
            }
            Reply::Answer(status, headers, body)
        });
        let access = access(&server.url("/app/.git"));
        let error = world.tree(&access, "main").await.unwrap_err();
        assert!(matches!(error, SourceError::BadAnswer { .. }), "{error}");
    }
    // The mirror takes the true pack afterwards.
    let server = HttpServer::start(git_backend(&world.repos()));
    world.tree(&access(&server.url("/app/.git")), "main").await.unwrap();
}

#[tokio::test]
async fn trees_with_forbidden_names_are_refused_where_they_are_read() {
    let world = World::new();
    let repo = world.repo("app");
    let commit = repo.write("good/a.yaml", "a: 1\n").commit("first");
    let blob = git_with_input(&repo.path, &["hash-object", "-w", "--stdin"], "evil");
    let good = repo.git(&["rev-parse", &format!("{commit}:good")]);
    for name in ["..", ".git", "."] {
        let bad = git_with_input(&repo.path, &["mktree"], &format!("100644 blob {blob}\t{name}\n"));
        let root = format!("040000 tree {bad}\tbad\n040000 tree {good}\tgood\n");
        let root = git_with_input(&repo.path, &["mktree"], &root);
        let commit = repo.git(&["commit-tree", "-m", "hostile", &root]);
        repo.git(&["update-ref", "refs/heads/hostile", &commit]);
        let access = access(&format!("file://{}", repo.path.display()));
        let tree = world.tree(&access, "hostile").await.unwrap();
        let error = tree.list(&path("bad")).unwrap_err();
        assert!(matches!(error, TreeError::HostileName { .. }), "{name}: {error}");
        assert!(tree.walk(&TreePath::root(), 100).is_err());
        assert_eq!(text(&tree, "good/a.yaml"), "a: 1\n");
    }
}

#[tokio::test]
async fn names_that_differ_by_case_are_different_files() {
    let world = World::new();
    let repo = world.repo("app");
    repo.write("A.yaml", "upper").write("a.yaml", "lower").commit("first");
    let tree = world.tree(&access(&format!("file://{}", repo.path.display())), "main").await.unwrap();
    assert_eq!((text(&tree, "A.yaml"), text(&tree, "a.yaml")), ("upper".into(), "lower".into()));
}

#[tokio::test]
async fn a_cache_that_others_changed_is_made_anew() {
    type Damage = fn(&std::path::Path);
    let damages: [(&str, Damage); 6] = [
        ("mirror deleted", |mirror| std::fs::remove_dir_all(mirror).unwrap()),
        ("repository deleted", |mirror| std::fs::remove_dir_all(mirror.join("repository.git")).unwrap()),
        ("packs deleted", |mirror| {
            std::fs::remove_dir_all(mirror.join("repository.git/objects/pack")).unwrap()
        }),
        ("packs overwritten", |mirror| {
            for file in std::fs::read_dir(mirror.join("repository.git/objects/pack")).unwrap() {
                let file = file.unwrap().path();
                std::fs::remove_file(&file).unwrap();
                std::fs::write(file, b"garbage").unwrap();
            }
        }),
        ("HEAD deleted", |mirror| std::fs::remove_file(mirror.join("repository.git/HEAD")).unwrap()),
        ("a file in its place", |mirror| {
            std::fs::remove_dir_all(mirror.join("repository.git")).unwrap();
            std::fs::write(mirror.join("repository.git"), b"x").unwrap();
        }),
    ];
    for (what, damage) in damages {
        let mut world = World::new();
        let repo = world.repo("app");
        let commit = repo.write("a.yaml", "a: 1\n").commit("first");
        let server = HttpServer::start(git_backend(&world.repos()));
        let access = access(&server.url("/app/.git"));
        world.tree(&access, "main").await.unwrap();
        let mirrors = world.mirrors();
        assert_eq!(mirrors.len(), 1);
        world = world.restarted();
        damage(&mirrors[0]);
        let tree = world.tree(&access, &commit).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(text(&tree, "a.yaml"), "a: 1\n", "{what}");
    }
}

#[tokio::test]
async fn a_cache_that_breaks_under_a_tree_heals_with_the_next_one() {
    let world = World::new();
    let repo = world.repo("app");
    let commit = repo.write("a.yaml", "a: 1\n").write("d/b.yaml", "b").commit("first");
    let server = HttpServer::start(git_backend(&world.repos()));
    let access = access(&server.url("/app/.git"));
    world.tree(&access, "main").await.unwrap();
    let world = world.restarted();
    let tree = world.tree(&access, &commit).await.unwrap();
    for mirror in world.mirrors() {
        std::fs::remove_dir_all(mirror).unwrap();
    }
    let first = tree.read(&path("d/b.yaml"));
    let again = world.tree(&access, &commit).await.unwrap();
    assert!(first.is_ok() || matches!(first, Err(TreeError::Unreadable { .. })), "{first:?}");
    assert_eq!(text(&again, "d/b.yaml"), "b");
}

#[tokio::test]
async fn two_processes_share_a_cache() {
    let world = World::new();
    let repo = world.repo("app");
    repo.write("a.yaml", "a: 1\n").commit("first");
    let server = HttpServer::start(git_backend(&world.repos()));
    let access = access(&server.url("/app/.git"));
    let options = tiphys::source::SourcesOptions::new(world.root.path().join("cache"));
    let other = tiphys::source::Sources::new(options, std::sync::Arc::new(tiphys::flow::NoMeter));
    for round in 0..5 {
        let id = repo.write("a.yaml", &format!("a: {round}\n")).commit("next");
        let revision = world.resolve(&access, &id).await.unwrap();
        let (left, right) =
            tokio::join!(world.sources.tree(&access, &revision), other.tree(&access, &revision));
        assert_eq!(text(&left.unwrap(), "a.yaml"), format!("a: {round}\n"));
        assert_eq!(text(&right.unwrap(), "a.yaml"), format!("a: {round}\n"));
    }
}

#[tokio::test]
async fn one_dead_server_does_not_cost_each_application_its_own_deadline() {
    let world = World::with_timeout(Duration::from_millis(300));
    let server = HttpServer::start(|_| Reply::Hang(vec![]));
    let access = access(&server.url("/x"));
    let commit = "12".repeat(20);
    let revision = world.resolve(&access, &commit).await.unwrap();
    let many = (0..20).map(|_| world.sources.tree(&access, &revision));
    for result in futures::future::join_all(many).await {
        assert!(matches!(result, Err(SourceError::TimedOut { .. })));
    }
    let many = (0..20).map(|_| world.resolve(&access, "main"));
    for result in futures::future::join_all(many).await {
        assert!(matches!(result, Err(SourceError::TimedOut { .. })));
    }
    assert!(server.asked().len() <= 4, "{} requests", server.asked().len());
}
