//! Charts from Helm repositories and OCI registries, served from here.

use std::collections::HashMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tiphys::source::{Access, Auth, Freshness, RepoUrl, SecretText, SourceError};

use super::fixture::{World, access, text};
use super::http_server::{HttpServer, Reply, Request};

fn pack(version: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in [
        ("web/Chart.yaml", format!("name: web\nversion: {version}\n")),
        ("web/templates/a.yaml", "a: {{ .Values.a }}\n".to_owned()),
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

fn ok(body: impl Into<Vec<u8>>) -> Reply {
    Reply::Answer(200, vec![], body.into())
}

fn basic(request: &Request) -> bool {
    // "user:hunter22"
    request.header("authorization") == Some("Basic dXNlcjpodW50ZXIyMg==")
}

fn repository(request: &Request) -> Reply {
    if !basic(request) {
        return Reply::status(401);
    }
    match request.target.as_str() {
        "/charts/index.yaml" => ok("apiVersion: v1
entries:
  web:
  - {version: 1.10.0, urls: [web-1.10.0.tgz]}
  - {version: 1.2.0, urls: ['/elsewhere/web-1.2.0.tgz']}
  - {version: 0.1.0, urls: ['file:///etc/passwd']}
  - {version: 0.2.0, urls: ['http://169.254.169.254/x.tgz']}
  - {version: 0.3.0, urls: [garbage.tgz]}
"),
        "/charts/web-1.10.0.tgz" => ok(pack("1.10.0")),
        "/elsewhere/web-1.2.0.tgz" => ok(pack("1.2.0")),
        "/charts/garbage.tgz" => ok("garbage"),
        _ => Reply::status(404),
    }
}

fn login(mut access: Access) -> Access {
    access.auth = Auth::Basic { username: "user".into(), password: SecretText::new("hunter22") };
    access
}

#[tokio::test]
async fn a_helm_repository_gives_its_charts() {
    let world = World::new();
    let server = HttpServer::start(repository);
    let access = login(access(&server.url("/charts/")));
    let sources = &world.sources;
    let within = Freshness::Within(std::time::Duration::from_secs(60));
    for (requested, version) in [("", "1.10.0"), ("1.*", "1.10.0"), ("~1.2.0", "1.2.0"), ("1.2.0", "1.2.0")] {
        let revision = sources.resolve_chart(&access, "web", requested, within).await.unwrap();
        assert_eq!(revision.id, version, "{requested}");
        let tree = sources.chart(&access, "web", &revision).await.unwrap();
        assert!(text(&tree, "Chart.yaml").contains(version));
        assert_eq!(text(&tree, "templates/a.yaml"), "a: {{ .Values.a }}\n");
    }
    let asked: Vec<String> = server.asked().into_iter().map(|request| request.target).collect();
    assert_eq!(asked, ["/charts/index.yaml", "/charts/web-1.10.0.tgz", "/elsewhere/web-1.2.0.tgz"]);
    // A new process finds them on disk.
    let world = world.restarted();
    let revision = world.sources.resolve_chart(&access, "web", "1.2.0", within).await.unwrap();
    world.sources.chart(&access, "web", &revision).await.unwrap();
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn charts_that_cannot_be_had_say_why() {
    let world = World::new();
    let server = HttpServer::start(repository);
    let named = login(access(&server.url("/charts")));
    let resolve = async |access: &Access, chart: &str, version: &str| {
        let revision = world.sources.resolve_chart(access, chart, version, Freshness::Now).await?;
        world.sources.chart(access, chart, &revision).await.map(|_| ())
    };
    for (chart, version, expected) in [
        ("wep", "1.*", "charts are: web"),
        ("web", "7.x", "newest are: 1.10.0"),
        ("web", "7.0.0", "newest are: 1.10.0"),
        ("web", "0.1.0", "not at an http or https URL"),
        ("web", "0.2.0", "link-local"),
        ("web", "0.3.0", "archive refused"),
    ] {
        let error = resolve(&named, chart, version).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let error = resolve(&access(&server.url("/charts")), "web", "*").await.unwrap_err();
    assert!(matches!(error, SourceError::Unauthenticated { .. }), "{error}");
    let error = resolve(&login(access(&server.url("/nothing"))), "web", "*").await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error}");
    let page = HttpServer::start(|_| ok("<html>log in</html>"));
    let error = resolve(&access(&page.url("/")), "web", "*").await.unwrap_err().to_string();
    assert!(error.contains("is it a Helm repository?"), "{error}");
}

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A registry that hands out tokens for basic credentials, pages its tags, and sends blobs from another path.
fn registry(damage: bool) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let archive = pack("1.2.3+build");
    let blob = digest(&archive);
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{}},"layers":[{{"mediaType":"application/vnd.cncf.helm.chart.provenance.v1.prov","digest":"sha256:0"}},{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"{blob}","size":{}}}]}}"#,
        archive.len()
    );
    let sent = if damage { pack("6.6.6") } else { archive };
    let mut pages: HashMap<String, Reply2> = HashMap::new();
    pages.insert("/v2/team/web/manifests/1.2.3_build".into(), (vec![], manifest.clone().into_bytes()));
    pages.insert(
        format!("/v2/team/web/manifests/{}", digest(manifest.as_bytes())),
        (vec![], manifest.into_bytes()),
    );
    pages.insert(format!("/v2/team/web/blobs/{blob}"), (vec![], sent));
    let next = ("Link".to_owned(), "</v2/team/web/tags/list?last=1.0.0>; rel=\"next\"".to_owned());
    pages.insert("/v2/team/web/tags/list".into(), (vec![next], br#"{"name":"x","tags":["1.0.0"]}"#.to_vec()));
    let rest = br#"{"name":"x","tags":["1.2.3_build","latest"]}"#.to_vec();
    pages.insert("/v2/team/web/tags/list?last=1.0.0".into(), (vec![], rest));
    move |request| {
        if request.target.starts_with("/token?") {
            let wanted = "/token?scope=repository:team/web:pull&service=registry";
            return if basic(request) && request.target == wanted {
                ok(r#"{"token":"t0ken"}"#)
            } else {
                Reply::status(401)
            };
        }
        if request.header("authorization") != Some("Bearer t0ken") {
            let host = request.header("host").unwrap();
            let challenge = format!(r#"Bearer realm="http://{host}/token",service="registry""#);
            return Reply::Answer(401, vec![("WWW-Authenticate".into(), challenge)], vec![]);
        }
        match pages.get(&request.target) {
            Some((headers, body)) => Reply::Answer(200, headers.clone(), body.clone()),
            None => Reply::status(404),
        }
    }
}

type Reply2 = (Vec<(String, String)>, Vec<u8>);

fn registry_access(server: &HttpServer) -> Access {
    let url = RepoUrl::parse_registry(&format!("127.0.0.1:{}/team", server.port)).unwrap();
    Access { plain_http: true, ..login(Access::anonymous(url)) }
}

#[tokio::test]
async fn a_registry_gives_its_charts() {
    let world = World::new();
    let server = HttpServer::start(registry(false));
    let access = registry_access(&server);
    let revision = world.sources.resolve_chart(&access, "web", "1.x", Freshness::Now).await.unwrap();
    assert_eq!(revision.id, "1.2.3+build");
    let tree = world.sources.chart(&access, "web", &revision).await.unwrap();
    assert!(text(&tree, "Chart.yaml").contains("1.2.3+build"));
    // The URL may name the chart itself.
    let url = RepoUrl::parse(&format!("oci://127.0.0.1:{}/team/web", server.port)).unwrap();
    let whole = Access { url, ..access.clone() };
    let revision = world.sources.resolve_chart(&whole, "", "1.2.3+build", Freshness::Now).await.unwrap();
    world.sources.chart(&whole, "", &revision).await.unwrap();
    let error = world.sources.resolve_chart(&access, "web", "9.x", Freshness::Now).await.unwrap_err();
    assert!(error.to_string().contains("some are: latest, 1.2.3+build, 1.0.0"), "{error}");
    let error = world.sources.resolve_chart(&access, "../x", "9.x", Freshness::Now).await.unwrap_err();
    assert!(matches!(error, SourceError::InvalidUrl { .. }), "{error}");
    let error = world.sources.resolve_chart(&access, "other", "9.x", Freshness::Now).await.unwrap_err();
    assert!(!error.to_string().contains("hunter22"), "{error}");
}

#[tokio::test]
async fn a_chart_with_another_digest_is_refused() {
    let world = World::new();
    let server = HttpServer::start(registry(true));
    let access = registry_access(&server);
    let revision = world.sources.resolve_chart(&access, "web", "1.2.3+build", Freshness::Now).await.unwrap();
    let error = world.sources.chart(&access, "web", &revision).await.unwrap_err();
    assert!(error.to_string().contains("its digest differs"), "{error}");
}
