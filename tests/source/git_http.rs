//! Git over HTTP and HTTPS against the real `git http-backend`.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tiphys::flow::GitRequest;
use tiphys::source::{Auth, SecretText, SourceError};

use super::fixture::{World, access, text};
use super::http_server::{HttpServer, Reply, git_backend, git_backend_with};

#[tokio::test]
async fn commits_are_fetched_without_their_history() {
    for version_2 in [true, false] {
        let world = World::new();
        let repo = world.repo("app");
        let first = repo.write("a.yaml", "a: 1\n").commit("first");
        repo.git(&["tag", "-a", "v1", "-m", "annotated"]);
        repo.write("a.yaml", "a: 2\n").commit("second");
        let server = HttpServer::start(git_backend_with(&world.repos(), version_2));
        let access = access(&server.url("/app/.git"));
        assert_eq!(text(&world.tree(&access, "").await.unwrap(), "a.yaml"), "a: 2\n");
        assert_eq!(world.resolve(&access, "v1").await.unwrap().id, first);
        assert_eq!(text(&world.tree(&access, "v1").await.unwrap(), "a.yaml"), "a: 1\n");
        // What comes later builds on what is there.
        let third = repo.write("b.yaml", "b: 1\n").commit("third");
        let tree = world.tree(&access, "main").await.unwrap();
        assert_eq!((text(&tree, "a.yaml"), text(&tree, "b.yaml")), ("a: 2\n".into(), "b: 1\n".into()));
        assert_eq!(world.counter.count(GitRequest::Fetch), 3);
        // A new process finds it in the cache.
        let world = world.restarted();
        assert_eq!(text(&world.tree(&access, &third).await.unwrap(), "b.yaml"), "b: 1\n");
        assert_eq!(
            (world.counter.count(GitRequest::Fetch), world.counter.count(GitRequest::LsRemote)),
            (0, 0)
        );
    }
}

#[tokio::test]
async fn short_commit_ids_are_found_in_the_history() {
    for version_2 in [true, false] {
        let world = World::new();
        let repo = world.repo("app");
        let first = repo.write("a.yaml", "a: 1\n").commit("first");
        repo.write("a.yaml", "a: 2\n").commit("second");
        let server = HttpServer::start(git_backend_with(&world.repos(), version_2));
        let access = access(&server.url("/app/.git"));
        assert_eq!(world.resolve(&access, &first[..7]).await.unwrap().id, first);
        assert_eq!(text(&world.tree(&access, &first[..7]).await.unwrap(), "a.yaml"), "a: 1\n");
        assert!(matches!(world.resolve(&access, "fedcba9").await, Err(SourceError::UnknownRevision { .. })));
    }
}

#[tokio::test]
async fn commits_that_no_branch_names_are_fetched_with_their_history_if_need_be() {
    // Over version 0 git refuses objects that it does not advertise.
    let world = World::new();
    let repo = world.repo("app");
    let first = repo.write("a.yaml", "a: 1\n").commit("first");
    repo.write("a.yaml", "a: 2\n").commit("second");
    let server = HttpServer::start(git_backend_with(&world.repos(), false));
    let access = access(&server.url("/app/.git"));
    assert_eq!(text(&world.tree(&access, &first).await.unwrap(), "a.yaml"), "a: 1\n");
    let error = world.tree(&access, &"12".repeat(20)).await.unwrap_err();
    assert!(matches!(error, SourceError::UnknownRevision { .. }), "{error}");
    // A mirror that was filled in this way still takes newer commits.
    repo.write("a.yaml", "a: 3\n").commit("third");
    assert_eq!(text(&world.tree(&access, "main").await.unwrap(), "a.yaml"), "a: 3\n");
}

#[tokio::test]
async fn pull_requests_are_asked_for_by_name() {
    let world = World::new();
    let repo = world.repo("app");
    let commit = repo.write("a.yaml", "a: 1\n").commit("first");
    repo.git(&["update-ref", "refs/pull/7/head", &commit]);
    let server = HttpServer::start(git_backend(&world.repos()));
    let access = access(&server.url("/app/.git"));
    assert_eq!(world.resolve(&access, "refs/pull/7/head").await.unwrap().id, commit);
    assert!(world.resolve(&access, "refs/pull/8/head").await.is_err());
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let world = World::new();
    world.repo("app").write("a.yaml", "a: 1\n").commit("first");
    let backend = git_backend(&world.repos());
    let server = HttpServer::start(move |request| match request.header("authorization") {
        // "user:hunter22" and a bearer token.
        Some("Basic dXNlcjpodW50ZXIyMg==" | "Bearer t0ken") => backend(request),
        _ => Reply::Answer(401, vec![], b"wrong password hunter22".to_vec()),
    });
    let anonymous = access(&server.url("/app/.git"));
    let error = world.resolve(&anonymous, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::Unauthenticated { .. }), "{error}");
    let in_url = access(&format!("http://user:hunter22@127.0.0.1:{}/app/.git", server.port));
    world.tree(&in_url, "main").await.unwrap();
    let mut named = anonymous.clone();
    named.auth = Auth::Basic { username: "user".into(), password: SecretText::new("hunter22") };
    world.tree(&named, "main").await.unwrap();
    named.auth = Auth::Bearer(SecretText::new("t0ken"));
    let revision = world.resolve(&named, "main").await.unwrap();
    world.sources.tree(&named, &revision).await.unwrap();
    // Who has no credentials does not read what others have fetched.
    let error = world.sources.tree(&anonymous, &revision).await.unwrap_err();
    assert!(matches!(error, SourceError::Unauthenticated { .. }), "{error}");
    let wrong = access(&format!("http://user:hunter23@127.0.0.1:{}/app/.git", server.port));
    let error = format!("{0} {0:?}", world.resolve(&wrong, "main").await.unwrap_err());
    assert!(!error.contains("hunter"), "{error}");
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_server() {
    let world = World::new();
    world.repo("app").write("a.yaml", "a: 1\n").commit("first");
    let real = HttpServer::start(git_backend(&world.repos()));
    let there = real.url("/app/.git/info/refs?service=git-upload-pack");
    let first = HttpServer::start(move |_| Reply::redirect(&there));
    let access = access(&format!("http://user:hunter22@127.0.0.1:{}/x", first.port));
    world.tree(&access, "main").await.unwrap();
    assert!(first.asked().iter().all(|request| request.header("authorization").is_some()));
    assert!(!real.asked().is_empty());
    assert!(real.asked().iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn redirects_to_forbidden_places_are_refused() {
    let world = World::new();
    for location in [
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://u:p@127.0.0.1/",
    ] {
        let server = HttpServer::start(move |_| Reply::redirect(location));
        let error = world.resolve(&access(&server.url("/x")), "main").await.unwrap_err();
        assert!(matches!(error, SourceError::RedirectRefused { .. }), "{error}");
    }
    let server = HttpServer::start(|request| Reply::redirect(&request.target.clone()));
    let error = world.resolve(&access(&server.url("/x")), "main").await.unwrap_err();
    assert!(error.to_string().contains("more than 5 redirects"), "{error}");
    let error = world.resolve(&access("http://169.254.169.254/x"), "main").await.unwrap_err();
    assert!(error.to_string().contains("link-local"), "{error}");
}

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

fn server_config(
    certificate: &rcgen::Certificate,
    key: &KeyPair,
    clients: Option<&Authority>,
) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(authority.issuer.der().clone()).unwrap();
            let verifier =
                rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()
}

#[tokio::test]
async fn each_repository_has_its_own_trust() {
    let world = World::new();
    world.repo("app").write("a.yaml", "a: 1\n").commit("first");
    let authority = Authority::new();
    let (certificate, key) = authority.issue("127.0.0.1");
    let server = HttpServer::start_tls(server_config(&certificate, &key, None), git_backend(&world.repos()));
    let plain = access(&format!("https://127.0.0.1:{}/app/.git", server.port));
    let error = world.resolve(&plain, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::Untrusted { .. }), "{error}");

    let mut trusting = plain.clone();
    trusting.tls.ca_pem = Some(authority.issuer.pem().into());
    assert_eq!(text(&world.tree(&trusting, "main").await.unwrap(), "a.yaml"), "a: 1\n");
    // Another authority, or a name that the certificate does not have, is refused.
    trusting.tls.ca_pem = Some(Authority::new().issuer.pem().into());
    let within = tiphys::source::Freshness::Now;
    assert!(matches!(untrusted(&world, &trusting, within).await, SourceError::Untrusted { .. }));
    let mut insecure = plain.clone();
    insecure.insecure = true;
    insecure.url =
        tiphys::source::RepoUrl::parse(&format!("https://localhost:{}/app/.git", server.port)).unwrap();
    world.tree(&insecure, "main").await.unwrap();
}

async fn untrusted(
    world: &World,
    access: &tiphys::source::Access,
    freshness: tiphys::source::Freshness,
) -> SourceError {
    let mut access = access.clone();
    // Another identity, so that the answer does not come from the cache.
    access.auth = Auth::Bearer(SecretText::new("other"));
    world.sources.resolve(&access, "main", freshness).await.unwrap_err()
}

#[tokio::test]
async fn a_servers_own_certificate_can_be_trusted_by_itself() {
    let world = World::new();
    world.repo("app").write("a.yaml", "a: 1\n").commit("first");
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let server = HttpServer::start_tls(server_config(&certificate, &key, None), git_backend(&world.repos()));
    let mut access = access(&format!("https://127.0.0.1:{}/app/.git", server.port));
    access.tls.ca_pem = Some(certificate.pem().into());
    world.tree(&access, "main").await.unwrap();
    access.url =
        tiphys::source::RepoUrl::parse(&format!("https://localhost:{}/app/.git", server.port)).unwrap();
    let error = world.resolve(&access, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::Untrusted { .. }), "{error}");
}

#[tokio::test]
async fn client_certificates_are_shown_to_servers_that_ask() {
    let world = World::new();
    world.repo("app").write("a.yaml", "a: 1\n").commit("first");
    let authority = Authority::new();
    let (certificate, key) = authority.issue("127.0.0.1");
    let config = server_config(&certificate, &key, Some(&authority));
    let server = HttpServer::start_tls(config, git_backend(&world.repos()));
    let mut access = access(&format!("https://127.0.0.1:{}/app/.git", server.port));
    access.tls.ca_pem = Some(authority.issuer.pem().into());
    let error = world.resolve(&access, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
    let (client, client_key) = authority.issue("client");
    access.tls.client_cert_pem = Some(client.pem().into());
    let error = world.resolve(&access, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::InvalidAccess { .. }), "{error}");
    access.tls.client_key_pem = Some(SecretText::new(client_key.serialize_pem()));
    access.auth = Auth::Bearer(SecretText::new("another identity, so that no earlier failure is told"));
    world.tree(&access, "main").await.unwrap();
}

#[tokio::test]
async fn a_proxy_is_used_unless_the_host_is_exempt() {
    let world = World::new();
    world.repo("app").write("a.yaml", "a: 1\n").commit("first");
    let backend = git_backend(&world.repos());
    // A proxy for plain HTTP sees whole URLs; this one answers by itself.
    let proxy = HttpServer::start(move |request| {
        let mut request = request.clone();
        match request.target.strip_prefix("http://git.invalid") {
            Some(rest) => request.target = rest.to_owned(),
            None => return Reply::status(400),
        }
        backend(&request)
    });
    let mut access = access("http://git.invalid/app/.git");
    let url = format!("http://pu:ppppp@127.0.0.1:{}", proxy.port);
    let url = tiphys::source::RepoUrl::parse(&url).unwrap();
    access.proxy = Some(tiphys::source::Proxy { url, no_proxy: String::new() });
    world.tree(&access, "main").await.unwrap();
    let asked = proxy.asked();
    assert!(asked.iter().all(|request| request.header("proxy-authorization") == Some("Basic cHU6cHBwcHA=")));
    access.proxy.as_mut().unwrap().no_proxy = "git.invalid".into();
    let error = world.resolve(&access, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
}
