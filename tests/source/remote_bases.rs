//! Remote bases of kustomizations: over ssh, with submodules, and with what stands behind the `?`.

use std::time::Duration;

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};
use serde_json::{Value, json};
use tiphys::controller::Repositories;
use tiphys::flow::{Cause, Problem};
use tiphys::source::{Access, Auth, RepoUrl, SecretText};

use super::fixture::{Repo, World};
use super::http_server::{HttpServer, Reply, git_backend};
use super::renders::{Allowed, config_map, rendered, source};
use super::ssh_server::{SshServer, new_key};

/// A user with a key, who knows the server.
struct WithKey {
    key: SecretText,
    known_hosts: String,
}

impl WithKey {
    fn new(key: &PrivateKey, server: &SshServer) -> Self {
        let key = SecretText::new(key.to_openssh(LineEnding::LF).unwrap().as_str());
        Self { key, known_hosts: server.known_host(0) }
    }
}

impl Repositories for WithKey {
    fn access(&self, url: &str) -> Result<Access, Problem> {
        let mut access = Access::anonymous(RepoUrl::parse(url)?);
        access.auth = Auth::SshKey(self.key.clone());
        access.known_hosts = self.known_hosts.as_str().into();
        Ok(access)
    }

    fn permit(&self, _: &str) -> Result<(), Problem> {
        Ok(())
    }

    fn named(&self, _: &str) -> Option<String> {
        None
    }
}

/// A base whose objects are its own and those of a submodule, with a tag on what it was before.
fn base_with_submodule(world: &World) -> Repo {
    let library = world.repo("org/library");
    library.write("kustomization.yaml", "resources: [b.yaml]\n").write("b.yaml", &config_map("b", "library"));
    library.commit("library");
    let base = world.repo("org/base");
    base.write("app/kustomization.yaml", "resources: [a.yaml]\n")
        .write("app/a.yaml", &config_map("a", "old"));
    base.commit("old");
    base.git(&["tag", "v1"]);
    base.git(&["submodule", "add", "-q", "../library", "vendor"]);
    base.write("app/kustomization.yaml", "resources: [a.yaml, ../vendor]\n");
    base.write("app/a.yaml", &config_map("a", "new"));
    base.commit("with a submodule");
    base
}

/// The values of what an overlay over this base renders to.
async fn values(world: &World, repositories: &impl Repositories, base: &str) -> Result<Vec<String>, Problem> {
    let overlay = world.repo("overlay");
    overlay.write("kustomization.yaml", &format!("resources: ['{base}']\n")).commit("overlay");
    let own = source(json!({"repoURL": overlay.path.to_str().unwrap(), "path": "."}));
    let objects = rendered(world, repositories, &[own], |_| {}).await?;
    let value = |object: &Value| object["data"]["value"].as_str().unwrap().to_owned();
    Ok(objects.iter().map(value).collect())
}

#[tokio::test]
async fn a_base_is_fetched_over_ssh_in_every_form_of_its_url() {
    let world = World::new();
    let base = base_with_submodule(&world);
    let key = new_key(Algorithm::Ed25519);
    let server = SshServer::start(vec![key.public_key().clone()]).await;
    let user = WithKey::new(&key, &server);
    let url = format!("ssh://git@127.0.0.1:{}{}/.git", server.port, base.path.display());
    assert_eq!(values(&world, &user, &format!("{url}//app?ref=v1")).await.unwrap(), ["old"]);
    assert_eq!(
        values(&world, &user, &format!("{url}//app?version=v1&submodules=false")).await.unwrap(),
        ["old"]
    );
    assert_eq!(values(&world, &user, &format!("git::{url}//app?ref=v1")).await.unwrap(), ["old"]);
    assert!(!server.commands.lock().unwrap().is_empty());

    let stranger = new_key(Algorithm::Ed25519);
    let stranger = WithKey::new(&stranger, &server);
    let other = World::new();
    let problem = values(&other, &stranger, &format!("{url}//app?ref=v1")).await.unwrap_err();
    assert!(problem.message.contains("does not accept the SSH key"), "{problem}");
}

#[tokio::test]
async fn submodules_of_a_base_are_there_unless_it_says_otherwise() {
    let world = World::new();
    base_with_submodule(&world);
    // Work trees are served, so that the submodule's relative URL leads to its neighbour.
    let server = HttpServer::start(git_backend(&world.repos()));
    let url = |query: &str| format!("git::{}//app{query}", server.url("/org/base"));
    let allowed = Allowed::all();
    assert_eq!(values(&world, &allowed, &url("?ref=main")).await.unwrap(), ["new", "library"]);
    assert_eq!(values(&world, &allowed, &url("?submodules=1")).await.unwrap(), ["new", "library"]);
    let problem = values(&world, &allowed, &url("?submodules=0")).await.unwrap_err();
    assert!(problem.message.contains("vendor"), "{problem}");
    assert_eq!(values(&world, &allowed, &url("?submodules=0&ref=v1")).await.unwrap(), ["old"]);
}

#[tokio::test]
async fn a_base_on_a_server_that_hangs_costs_the_time_that_it_may_take() {
    let world = World::with_timeout(Duration::from_secs(3600));
    let server = HttpServer::start(|_| Reply::Hang(Vec::new()));
    let base = format!("{}//app?timeout=200ms", server.url("/org/base.git"));
    let problem = values(&world, &Allowed::all(), &base).await.unwrap_err();
    assert_eq!(problem.cause, Cause::RepositoryUnreachable, "{problem}");
    assert!(problem.message.contains("was not fetched within 0.2 s"), "{problem}");
}
