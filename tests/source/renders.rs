//! Renders that need more than one place: several sources, remote bases, files of the web, charts that depend on others.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tiphys::api::ApplicationSource;
use tiphys::controller::{Fetching, Repositories};
use tiphys::flow::{Cause, Problem, Stage};
use tiphys::render::{Given, RenderContext};
use tiphys::source::{Access, Auth, Freshness, RepoUrl, SecretText};

use super::fixture::{Repo, World};
use super::http_server::{HttpServer, Reply, Request, git_backend};

/// Credentials for everything, permission for what starts with one of these.
pub(super) struct Allowed(Vec<String>);

impl Allowed {
    pub(super) fn all() -> Self {
        Self(vec![String::new()])
    }
}

impl Repositories for Allowed {
    fn access(&self, url: &str) -> Result<Access, Problem> {
        let mut access = Access::anonymous(RepoUrl::parse(url)?);
        access.auth = Auth::Basic { username: "user".into(), password: SecretText::new("hunter22") };
        Ok(access)
    }

    fn permit(&self, url: &str) -> Result<(), Problem> {
        if self.0.iter().any(|start| url.starts_with(start)) {
            return Ok(());
        }
        Err(Problem::stalled(Stage::Source, Cause::NotPermitted, format!("{url} is not permitted")))
    }

    fn named(&self, _: &str) -> Option<String> {
        None
    }
}

pub(super) fn source(value: Value) -> ApplicationSource {
    serde_json::from_value(value).unwrap()
}

/// Renders the first source of several.
pub(super) async fn rendered(
    world: &World,
    allowed: &impl Repositories,
    sources: &[ApplicationSource],
    change: impl FnOnce(&mut RenderContext),
) -> Result<Vec<Value>, Problem> {
    let revisions: Vec<String> = sources.iter().map(|source| source.target_revision.clone()).collect();
    let fetching = Fetching::new(&world.sources, allowed, sources, &revisions, Freshness::Now).await?;
    let references = sources.iter().filter(|source| !source.reference.is_empty());
    let mut context = RenderContext {
        application: "app".into(),
        instance: "app".into(),
        namespace: "team".into(),
        values_file_schemes: vec!["http".into()],
        revision: fetching.resolved()[0].revision.id.clone(),
        refs: (sources.len() > 1).then(|| references.map(|source| source.reference.clone()).collect()),
        ..RenderContext::default()
    };
    change(&mut context);
    let tree = fetching.tree(0).await?;
    let (rendered, _) = fetching.render(&tree, &sources[0], &context, Given::new()).await?;
    Ok(rendered.objects.iter().map(|object| object.body().clone()).collect())
}

pub(super) fn config_map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{value: \"{value}\"}}\n")
}

fn chart(repo: &Repo, folder: &str) {
    repo.write(&format!("{folder}/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 0.1.0\n")
        .write(&format!("{folder}/values.yaml"), "value: default\n")
        .write(
            &format!("{folder}/templates/a.yaml"),
            &config_map("{{ .Release.Name }}", "{{ .Values.value }}"),
        );
}

#[tokio::test]
async fn values_of_another_source_reach_a_chart() {
    let world = World::new();
    let charts = world.repo("charts");
    chart(&charts, "web");
    charts.commit("chart");
    let values = world.repo("values");
    values
        .write("prod/app.yaml", "value: first\n")
        .write("prod/more.yaml", "value: second\n")
        .commit("values");
    let own = charts.path.to_str().unwrap();
    let other = values.path.to_str().unwrap();
    let sources = |helm: Value| {
        [
            source(json!({"repoURL": own, "path": "web", "helm": helm})),
            source(json!({"repoURL": other, "ref": "values", "targetRevision": "main"})),
        ]
    };
    let allowed = Allowed::all();
    let value = async |helm: Value| {
        let objects =
            rendered(&world, &allowed, &sources(helm), |_| {}).await.map_err(|problem| problem.message)?;
        Ok::<Value, String>(objects[0]["data"]["value"].clone())
    };
    let files = |list: &[&str]| json!({"valueFiles": list});
    assert_eq!(value(json!({})).await.unwrap(), "default");
    assert_eq!(value(files(&["$values/prod/app.yaml"])).await.unwrap(), "first");
    assert_eq!(value(files(&["$values/prod/$ARGOCD_APP_NAME.yaml"])).await.unwrap(), "first");
    assert_eq!(
        value(files(&["$values/prod/*.yaml"])).await.unwrap(),
        "second",
        "in the order of their names"
    );
    let parameter = json!({"fileParameters": [{"name": "value", "path": "$values/prod/app.yaml"}]});
    assert!(value(parameter).await.unwrap().as_str().unwrap().contains("first"));
    let missing = json!({"valueFiles": ["$values/none.yaml"], "ignoreMissingValueFiles": true});
    assert_eq!(value(missing).await.unwrap(), "default");
    for (file, expected) in [
        ("$values/none.yaml", "does not exist"),
        ("$values/../../../etc/passwd", "leads out of the repository"),
        ("$others/a.yaml", "which is not one of the available sources ($values)"),
        ("ftp://host/a.yaml", "scheme 'ftp' is not allowed"),
    ] {
        let message = value(files(&[file])).await.unwrap_err();
        assert!(message.contains(expected), "{file}: {message}");
        assert!(message.starts_with("failed to generate") || !message.contains("/etc/passwd:"), "{message}");
    }
}

/// A server of Git repositories whose other paths are files.
fn git_and_files(world: &World, files: &'static [(&'static str, &'static str)]) -> HttpServer {
    let git = git_backend(&world.repos());
    HttpServer::start(move |request: &Request| {
        let path = request.target.split('?').next().unwrap_or_default();
        match files.iter().find(|(known, _)| *known == path) {
            Some((_, content)) => Reply::Answer(200, vec![], content.as_bytes().to_vec()),
            None if path.contains("/info/refs") || path.contains("/git-upload-pack") => git(request),
            None => Reply::status(404),
        }
    })
}

#[tokio::test]
async fn remote_bases_and_files_are_built() {
    let world = World::new();
    let base = world.repo("org/base");
    base.write("app/kustomization.yaml", "resources: [a.yaml, ../other]\n")
        .write("app/a.yaml", &config_map("a", "v1"))
        .write("other/kustomization.yaml", "resources: [b.yaml]\n")
        .write("other/b.yaml", &config_map("b", "v1"))
        .commit("one");
    base.git(&["tag", "v1"]);
    base.write("app/a.yaml", &config_map("a", "v2")).commit("two");
    let server = git_and_files(
        &world,
        &[("/raw/c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {value: raw}\n")],
    );
    let overlay = world.repo("overlay");
    let url = |reference: &str| format!("{}//app{reference}", server.url("/org/base/.git"));
    let kustomization = |bases: &[String]| format!("namePrefix: x-\nresources: {}\n", json!(bases));
    let own = overlay.path.to_str().unwrap().to_owned();
    let sources = [source(json!({"repoURL": own, "path": "app"}))];
    let values = |objects: &[Value]| -> Vec<String> {
        let one = |object: &Value| format!("{}={}", object["metadata"]["name"], object["data"]["value"]);
        objects.iter().map(|object| one(object).replace('"', "")).collect()
    };

    overlay.write("app/kustomization.yaml", &kustomization(&[url("?ref=v1"), server.url("/raw/c.yaml")]));
    overlay.commit("pinned");
    let objects = rendered(&world, &Allowed::all(), &sources, |_| {}).await.unwrap();
    assert_eq!(values(&objects), ["x-a=v1", "x-b=v1", "x-c=raw"]);
    let with_login = server
        .asked()
        .iter()
        .filter(|one| one.target.contains("/raw/") && one.header("authorization").is_some())
        .count();
    assert_eq!(with_login, 0, "credentials of repositories do not go with plain files");

    overlay.write("app/kustomization.yaml", &kustomization(&[url("")]));
    overlay.commit("floating");
    let objects = rendered(&world, &Allowed::all(), &sources, |_| {}).await.unwrap();
    assert_eq!(values(&objects), ["x-a=v2", "x-b=v1"]);
    base.write("app/a.yaml", &config_map("a", "v3")).commit("three");
    let objects = rendered(&world, &Allowed::all(), &sources, |_| {}).await.unwrap();
    assert_eq!(values(&objects), ["x-a=v3", "x-b=v1"], "the branch moved");

    // A project that does not allow the base, and bases that are not there.
    let only_own = Allowed(vec![own.clone()]);
    let problem = rendered(&world, &only_own, &sources, |_| {}).await.unwrap_err();
    assert_eq!((problem.cause, problem.stage), (Cause::NotPermitted, Stage::Source), "{problem}");
    for (base, expected) in [
        (url("?ref=v9"), "v9"),
        (server.url("/org/none.git"), "not found"),
        (server.url("/raw/none.yaml"), "404"),
    ] {
        overlay.write("app/kustomization.yaml", &kustomization(std::slice::from_ref(&base)));
        overlay.commit("wrong");
        let problem = rendered(&world, &Allowed::all(), &sources, |_| {}).await.unwrap_err();
        assert!(problem.message.contains(expected), "{base}: {problem}");
    }
}

#[tokio::test]
async fn a_remote_base_that_leads_to_itself_or_out_of_its_repository_ends() {
    let world = World::new();
    let server = git_and_files(&world, &[]);
    let base = world.repo("org/base");
    let url = |reference: &str| format!("{}//{reference}", server.url("/org/base/.git"));
    base.write("loop/kustomization.yaml", &format!("resources: ['{}']\n", url("loop")));
    base.write("out/kustomization.yaml", "resources: [../../other]\n");
    base.write("local/kustomization.yaml", "resources: ['file:///etc//x']\n");
    base.commit("bad");
    let overlay = world.repo("overlay");
    for (name, expected) in
        [("loop", "cycle detected"), ("out", "'/other' doesn't exist"), ("local", "may not name a local one")]
    {
        overlay.write("kustomization.yaml", &format!("resources: ['{}']\n", url(name))).commit(name);
        // From a server's repository, so that local repositories are out of reach.
        let own = source(json!({"repoURL": server.url("/overlay/.git"), "path": "."}));
        let problem = rendered(&world, &Allowed::all(), &[own], |_| {}).await.unwrap_err();
        assert!(problem.message.contains(expected), "{name}: {problem}");
    }
}

fn pack(name: &str, version: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in [
        (format!("{name}/Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: {version}\n")),
        (
            format!("{name}/templates/a.yaml"),
            config_map(&format!("{name}-{{{{ .Values.x | default \"x\" }}}}"), version),
        ),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    let mut out = archive.into_inner().unwrap();
    out.flush().unwrap();
    out.finish().unwrap()
}

fn chart_repository(request: &Request) -> Reply {
    match request.target.as_str() {
        "/charts/index.yaml" => Reply::Answer(
            200,
            vec![],
            b"apiVersion: v1
entries:
  db:
  - {version: 1.3.0, urls: [db-1.3.0.tgz]}
  - {version: 1.2.0, urls: [db-1.2.0.tgz]}
"
            .to_vec(),
        ),
        "/charts/db-1.3.0.tgz" => Reply::Answer(200, vec![], pack("db", "1.3.0")),
        "/charts/db-1.2.0.tgz" => Reply::Answer(200, vec![], pack("db", "1.2.0")),
        _ => Reply::status(404),
    }
}

#[tokio::test]
async fn charts_that_a_chart_depends_on_are_fetched() {
    let world = World::new();
    let server = HttpServer::start(chart_repository);
    let repo = world.repo("umbrella");
    let depends = |repository: &str, version: &str| {
        format!(
            "apiVersion: v2\nname: umbrella\nversion: 0.1.0\ndependencies:\n- {{name: db, version: '{version}', \
             repository: '{repository}'}}\n- {{name: near, version: 0.x, repository: 'file://../near'}}\n"
        )
    };
    repo.write("near/Chart.yaml", "apiVersion: v2\nname: near\nversion: 0.5.0\n");
    repo.write("near/templates/a.yaml", &config_map("near", "here"));
    repo.write("app/Chart.yaml", &depends(&server.url("/charts"), "1.x"))
        .write("app/values.yaml", "db: {x: z}\n");
    repo.commit("no lock");
    let sources = [source(json!({"repoURL": repo.path.to_str().unwrap(), "path": "app"}))];
    let names = async |allowed: &Allowed| -> Result<Vec<String>, String> {
        let objects = rendered(&world, allowed, &sources, |_| {}).await.map_err(|problem| problem.message)?;
        let one = |object: &Value| format!("{}={}", object["metadata"]["name"], object["data"]["value"]);
        Ok(objects.iter().map(|object| one(object).replace('"', "")).collect())
    };
    assert_eq!(names(&Allowed::all()).await.unwrap(), ["db-z=1.3.0", "near=here"]);

    repo.write(
        "app/Chart.lock",
        "dependencies:\n- {name: db, version: 1.2.0}\n- {name: near, version: 0.5.0}\n",
    )
    .commit("lock");
    assert_eq!(names(&Allowed::all()).await.unwrap(), ["db-z=1.2.0", "near=here"], "the lock decides");

    repo.write("app/Chart.yaml", &depends(&server.url("/charts"), "^2")).commit("out of sync");
    let message = names(&Allowed::all()).await.unwrap_err();
    assert!(message.contains("(Chart.lock) is out of sync"), "{message}");

    let own = Allowed(vec![repo.path.to_str().unwrap().to_owned()]);
    repo.write("app/Chart.yaml", &depends(&server.url("/charts"), "1.x")).commit("in sync");
    let message = names(&own).await.unwrap_err();
    assert!(message.contains("/charts is not permitted"), "{message}");

    repo.write("app/Chart.yaml", &depends("@mine", "1.x")).commit("named");
    let message = names(&Allowed::all()).await.unwrap_err();
    assert!(message.contains("db: no repository definition for @mine"), "{message}");
}

#[tokio::test]
async fn value_files_come_from_the_web_where_that_is_allowed() {
    let world = World::new();
    let server = git_and_files(&world, &[("/values/prod.yaml", "value: web\n")]);
    let repo = world.repo("charts");
    chart(&repo, "web");
    repo.commit("chart");
    let own = repo.path.to_str().unwrap();
    let value = async |file: &str, schemes: &[&str]| {
        let sources = [source(json!({"repoURL": own, "path": "web", "helm": {"valueFiles": [file]}}))];
        let schemes: Vec<String> = schemes.iter().map(|scheme| (*scheme).to_owned()).collect();
        let set = |context: &mut RenderContext| context.values_file_schemes = schemes;
        let objects =
            rendered(&world, &Allowed::all(), &sources, set).await.map_err(|problem| problem.message)?;
        Ok::<Value, String>(objects[0]["data"]["value"].clone())
    };
    assert_eq!(value(&server.url("/values/prod.yaml"), &["https", "http"]).await.unwrap(), "web");
    let message = value(&server.url("/values/prod.yaml"), &["https"]).await.unwrap_err();
    assert!(message.contains("the URL scheme 'http' is not allowed"), "{message}");
    let message = value(&server.url("/values/none.yaml"), &["http"]).await.unwrap_err();
    assert!(message.contains("status code 404"), "{message}");
}

#[tokio::test]
async fn one_chart_is_parsed_once_for_many_values() {
    let world = World::new();
    let repo = world.repo("charts");
    chart(&repo, "web");
    repo.write("README.md", "one").commit("chart");
    let caches = std::sync::Arc::new(tiphys::render::RenderCaches::default());
    let value = async |text: &str| {
        let helm = json!({"values": format!("value: {text}")});
        let sources = [source(json!({"repoURL": repo.path.to_str().unwrap(), "path": "web", "helm": helm}))];
        let set = |context: &mut RenderContext| context.caches = caches.clone();
        let objects = rendered(&world, &Allowed::all(), &sources, set).await.unwrap();
        objects[0]["data"]["value"].clone()
    };
    for round in 0..20 {
        assert_eq!(value(&format!("v{round}")).await, format!("v{round}"));
    }
    assert_eq!(caches.charts_parsed(), 1);
    repo.write("README.md", "two").commit("elsewhere");
    value("x").await;
    assert_eq!(caches.charts_parsed(), 1, "the chart's folder is the same");
    repo.write("web/templates/a.yaml", &config_map("{{ .Release.Name }}", "{{ .Values.value }}!"))
        .commit("chart");
    assert_eq!(value("x").await, "x!");
    assert_eq!(caches.charts_parsed(), 2);
}
