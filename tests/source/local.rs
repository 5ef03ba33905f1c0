//! Repositories of this machine, and what holds for all of them: revisions, trees, read-sets, the cache.

use tiphys::flow::{EntryKind, GitRequest, TreeError};
use tiphys::source::{Freshness, SourceError};

use super::fixture::{Repo, World, access, path, text};

fn sample(world: &World) -> (Repo, tiphys::source::Access) {
    let repo = world.repo("app");
    repo.write("base/a.yaml", "a: 1\n").write("overlay/b.yaml", "b: 1\n");
    let access = access(&format!("file://{}", repo.path.display()));
    (repo, access)
}

#[tokio::test]
async fn revisions_of_every_form_are_resolved() {
    let world = World::new();
    let (repo, access) = sample(&world);
    let first = repo.commit("first");
    repo.git(&["tag", "v1.0.0"]);
    repo.git(&["tag", "-a", "v1.1.0", "-m", "annotated"]);
    let second = repo.write("base/a.yaml", "a: 2\n").commit("second");
    repo.git(&["branch", "release/1"]);
    for (revision, commit) in [
        ("", &second),
        ("HEAD", &second),
        ("main", &second),
        ("refs/heads/main", &second),
        ("release/1", &second),
        ("v1.0.0", &first),
        ("v1.1.0", &first),
        ("refs/tags/v1.1.0", &first),
        (first.as_str(), &first),
        (&first[..8], &first),
        (&second.to_uppercase(), &second),
    ] {
        assert_eq!(&world.resolve(&access, revision).await.unwrap().id, commit, "{revision}");
    }
    let revision = world.resolve(&access, "").await.unwrap();
    assert_eq!(revision.reference.as_deref(), Some("refs/heads/main"));
    let info = world.sources.commit_info(&access, &revision).await.unwrap();
    assert_eq!(info.author, "Tiphys <tiphys@example.com>");
    assert_eq!((info.subject(), info.date, info.signed), ("second", 1_767_323_045, false));
    let error = world.resolve(&access, "mian").await.unwrap_err();
    assert!(error.to_string().ends_with("revision \"mian\" not found; did you mean: main"), "{error}");
    assert!(matches!(world.resolve(&access, "0123456").await, Err(SourceError::UnknownRevision { .. })));
}

#[tokio::test]
async fn files_are_read_without_a_checkout() {
    let world = World::new();
    let (repo, access) = sample(&world);
    repo.write("odd/new\nline.yaml", "x").write("odd/-x;y", "z");
    std::os::unix::fs::symlink("../base", repo.path.join("overlay/base")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repo.path.join("overlay/passwd")).unwrap();
    std::os::unix::fs::symlink("../../../cache", repo.path.join("overlay/cache")).unwrap();
    std::os::unix::fs::symlink("../.git/config", repo.path.join("overlay/config")).unwrap();
    repo.commit("first");
    let tree = world.tree(&access, "main").await.unwrap();
    assert_eq!(text(&tree, "base/a.yaml"), "a: 1\n");
    assert_eq!(text(&tree, "overlay/base/a.yaml"), "a: 1\n");
    assert_eq!(text(&tree, "odd/new\nline.yaml"), "x");
    let names: Vec<_> = tree.list(&path("odd")).unwrap().iter().map(|e| e.name.clone()).collect();
    assert_eq!(names, ["-x;y", "new\nline.yaml"]);
    for link in ["overlay/passwd", "overlay/cache"] {
        assert!(matches!(tree.read(&path(link)), Err(TreeError::LinkOutOfBounds { .. })), "{link}");
    }
    assert!(matches!(tree.read(&path("overlay/config")), Err(TreeError::Missing { .. })));
    assert!(matches!(tree.read(&path(".git/config")), Err(TreeError::Missing { .. })));
    assert!(matches!(tree.read_limited(&path("base/a.yaml"), 2), Err(TreeError::TooLarge { .. })));
    assert_eq!(tree.find(&path("base")).unwrap().unwrap().kind, EntryKind::Directory);
    assert_eq!(tree.walk(&path("base"), 10).unwrap().len(), 1);
}

#[tokio::test]
async fn a_read_set_tells_which_commits_matter() {
    let world = World::new();
    let (repo, access) = sample(&world);
    repo.commit("first");
    let tree = world.tree(&access, "main").await.unwrap().recording();
    text(&tree, "base/a.yaml");
    let set = tree.read_set();
    repo.write("overlay/b.yaml", "b: 2\n").commit("elsewhere");
    assert_eq!(set.first_change(&world.tree(&access, "main").await.unwrap()).unwrap(), None);
    repo.write("base/a.yaml", "a: 3\n").commit("here");
    let change = set.first_change(&world.tree(&access, "main").await.unwrap()).unwrap();
    assert_eq!(change, Some(path("base/a.yaml")));
}

#[tokio::test]
async fn a_rewritten_history_is_followed() {
    let world = World::new();
    let (repo, access) = sample(&world);
    let first = repo.commit("first");
    repo.git(&["tag", "moving"]);
    let second = repo.write("base/a.yaml", "a: 2\n").commit("second");
    assert_eq!(world.resolve(&access, "main").await.unwrap().id, second);
    assert_eq!(text(&world.tree(&access, "main").await.unwrap(), "base/a.yaml"), "a: 2\n");
    repo.git(&["tag", "-f", "moving"]);
    repo.git(&["reset", "-q", "--hard", &first]);
    assert_eq!(text(&world.tree(&access, "main").await.unwrap(), "base/a.yaml"), "a: 1\n");
    assert_eq!(text(&world.tree(&access, "moving").await.unwrap(), "base/a.yaml"), "a: 2\n");
    repo.git(&["checkout", "-q", "-b", "other"]);
    repo.git(&["branch", "-D", "main"]);
    let error = world.resolve(&access, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::UnknownRevision { .. }), "{error}");
}

#[tokio::test]
async fn empty_and_missing_repositories_say_so() {
    let world = World::new();
    let repo = world.repo("empty");
    let empty = access(&format!("file://{}", repo.path.display()));
    assert!(matches!(world.resolve(&empty, "").await, Err(SourceError::EmptyRepository { .. })));
    let missing = access("file:///nonexistent/repository");
    let error = world.resolve(&missing, "").await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error}");
    assert_eq!(world.counter.failures(), 1);
}

#[tokio::test]
async fn one_listing_serves_everyone() {
    let world = World::new();
    let (repo, access) = sample(&world);
    repo.commit("first");
    let within = Freshness::Within(std::time::Duration::from_secs(60));
    let many = (0..20).map(|_| world.sources.resolve(&access, "main", within));
    for revision in futures::future::join_all(many).await {
        let revision = revision.unwrap();
        world.sources.tree(&access, &revision).await.unwrap();
    }
    assert_eq!(world.counter.count(GitRequest::LsRemote), 1);
    assert_eq!(world.counter.count(GitRequest::Fetch), 1);
    world.resolve(&access, "main").await.unwrap();
    assert_eq!(world.counter.count(GitRequest::LsRemote), 2);
}

#[test]
fn a_local_directory_is_a_tree_too() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("app");
    std::fs::create_dir_all(dir.join("base")).unwrap();
    std::fs::create_dir_all(dir.join(".git")).unwrap();
    std::fs::write(dir.join("base/a.yaml"), "a: 1\n").unwrap();
    std::fs::write(root.path().join("secret"), "s3cret").unwrap();
    std::os::unix::fs::symlink("base", dir.join("link")).unwrap();
    std::os::unix::fs::symlink("../secret", dir.join("out")).unwrap();
    let tree = tiphys::source::DirTree::open(&dir).unwrap();
    assert_eq!(text(&tree, "base/a.yaml"), "a: 1\n");
    assert_eq!(text(&tree, "link/a.yaml"), "a: 1\n");
    let names: Vec<_> = tree.list(&path("")).unwrap().iter().map(|entry| entry.name.clone()).collect();
    assert_eq!(names, ["base", "link", "out"]);
    assert!(matches!(tree.read(&path("out")), Err(TreeError::LinkOutOfBounds { .. })));
    assert!(matches!(tree.read(&path("none")), Err(TreeError::Missing { .. })));
    assert!(matches!(tree.read_limited(&path("base/a.yaml"), 2), Err(TreeError::TooLarge { .. })));
    assert!(tiphys::source::DirTree::open(&dir.join("none")).is_err());
}
