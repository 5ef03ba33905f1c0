//! Submodules over HTTP, and hostile ones.

use tiphys::flow::TreeError;
use tiphys::source::SourceError;

use super::fixture::{World, access, git_with_input, path, text};
use super::http_server::{HttpServer, git_backend};

#[tokio::test]
async fn submodules_stand_at_their_recorded_commits() {
    let world = World::new();
    let inner = world.repo("inner");
    inner.write("c.yaml", "c: 1\n").commit("first");
    let lib = world.repo("lib");
    lib.write("b.yaml", "b: 1\n").commit("first");
    lib.git(&["submodule", "add", "-q", "../inner", "deep"]);
    lib.commit("with a submodule");
    let app = world.repo("app");
    app.write("a.yaml", "a: 1\n").commit("first");
    app.git(&["submodule", "add", "-q", "../lib", "vendor/lib"]);
    app.commit("with a submodule");
    lib.write("b.yaml", "b: 2\n").commit("later");
    std::os::unix::fs::symlink("vendor/lib/b.yaml", app.path.join("link.yaml")).unwrap();
    app.commit("with a link");
    // Work trees are served, so the relative URLs lead from `/app` to `/lib`.
    let server = HttpServer::start(git_backend(&world.repos()));
    let mut access = access(&server.url("/app"));
    let tree = world.tree(&access, "main").await.unwrap();
    assert_eq!(text(&tree, "vendor/lib/b.yaml"), "b: 1\n");
    assert_eq!(text(&tree, "link.yaml"), "b: 1\n");
    assert_eq!(text(&tree, "vendor/lib/deep/c.yaml"), "c: 1\n");
    assert_eq!(tree.walk(&path(""), 100).unwrap().len(), 6);
    access.submodules = false;
    access.auth = tiphys::source::Auth::Bearer(tiphys::source::SecretText::new("another cache"));
    let tree = world.tree(&access, "main").await.unwrap();
    assert!(matches!(tree.read(&path("vendor/lib/b.yaml")), Err(TreeError::Submodule { .. })));
}

#[tokio::test]
async fn hostile_submodules_are_errors_of_their_application() {
    let world = World::new();
    for (count, url) in
        ["ext::sh -c touch% /tmp/tiphys-was-here", "file:///etc", "/etc", "--upload-pack=x", "../../../../x"]
            .into_iter()
            .enumerate()
    {
        let repo = world.repo(&format!("app{count}"));
        let commit = repo.write("a.yaml", "a").commit("first");
        let modules = format!("[submodule \"x\"]\n\tpath = x\n\turl = {url}\n");
        let blob = git_with_input(&repo.path, &["hash-object", "-w", "--stdin"], &modules);
        let root = format!("100644 blob {blob}\t.gitmodules\n160000 commit {commit}\tx\n");
        let root = git_with_input(&repo.path, &["mktree"], &root);
        let commit = repo.git(&["commit-tree", "-m", "hostile", &root]);
        repo.git(&["update-ref", "refs/heads/main", &commit]);
        let server = HttpServer::start(git_backend(&world.repos()));
        let access = access(&server.url(&format!("/app{count}/.git")));
        let error = world.tree(&access, "main").await.unwrap_err();
        assert!(matches!(error, SourceError::Submodule { .. }), "{url}: {error}");
    }
    assert!(!std::path::Path::new("/tmp/tiphys-was-here").exists());
}
