//! A controller process, a Git server, and waiting for what should happen.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::cluster::Api;
use xtask::git_server::{GitServer, Options, run_git};

use super::proxy::Proxy;

/// How long anything may take: generous, since nothing here measures time.
const PATIENCE: Duration = Duration::from_secs(120);

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// One test's world.
pub(super) struct World {
    pub(super) api: Api,
    /// Namespace of the controller and its Applications.
    pub(super) namespace: String,
    kubeconfig: PathBuf,
    /// What the controller reaches the cluster by.
    controllers_kubeconfig: PathBuf,
    folder: TempDir,
    git: GitServer,
    controller: Option<Child>,
}

impl World {
    /// A namespace, a Git server and a running controller.
    pub(super) fn new(name: &str) -> Self {
        let mut world = Self::without_controller(name);
        world.start_controller();
        world
    }

    /// The same with something between the controller and the API server.
    pub(super) fn behind(name: &str, proxy: impl FnOnce(&Path) -> Proxy) -> (Self, Proxy) {
        let mut world = Self::without_controller(name);
        let proxy = proxy(&world.kubeconfig);
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "users": [{"name": "nobody", "user": {}}],
            "clusters": [{"name": "proxy", "cluster": {"server": proxy.url}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "nobody"}}],
        });
        world.controllers_kubeconfig = world.folder.path().join("proxy.kubeconfig");
        std::fs::write(&world.controllers_kubeconfig, kubeconfig.to_string()).unwrap();
        world.start_controller();
        (world, proxy)
    }

    /// The same where the controller has only these rights, the rules of a ClusterRole.
    pub(super) fn with_rights(name: &str, rules: &Value) -> Self {
        let mut world = Self::without_controller(name);
        let (name, namespace) = (world.namespace.clone(), world.namespace.clone());
        let rbac = "/apis/rbac.authorization.k8s.io/v1";
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "few"}});
        world.api.create(&accounts, &account).unwrap();
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name}, "rules": rules});
        world.api.create(&format!("{rbac}/clusterroles"), &role).unwrap();
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": name}, "subjects": [{"kind": "ServiceAccount", "name": "few", "namespace": namespace}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}});
        world.api.create(&format!("{rbac}/clusterrolebindings"), &binding).unwrap();
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let token = world.api.create(&format!("{accounts}/few/token"), &request).unwrap();
        let text = std::fs::read_to_string(&world.kubeconfig).unwrap();
        let mut kubeconfig =
            goyaml::yaml_to_json(text.as_bytes(), &goyaml::DecodeOptions::default()).unwrap();
        for user in kubeconfig["users"].as_array_mut().unwrap() {
            user["user"] = json!({"token": token["status"]["token"]});
        }
        world.controllers_kubeconfig = world.folder.path().join("few.kubeconfig");
        std::fs::write(&world.controllers_kubeconfig, kubeconfig.to_string()).unwrap();
        world.start_controller();
        world
    }

    /// The kubeconfig of the cluster itself.
    pub(super) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    fn without_controller(name: &str) -> Self {
        let kubeconfig = std::env::var_os("TIPHYS_TEST_KUBECONFIG").map(PathBuf::from).expect(
            "TIPHYS_TEST_KUBECONFIG is not set: run these tests with `cargo xtask test --only cluster`",
        );
        let api = Api::from_kubeconfig(&kubeconfig).unwrap();
        // The suite has put Argo CD's own CRDs there where it says so.
        let ours = std::env::var_os("TIPHYS_TEST_FOREIGN_CRDS").is_none();
        let crds = [tiphys::api::application_crd(), tiphys::api::project_crd()];
        for crd in crds.into_iter().filter(|_| ours) {
            let name = crd["metadata"]["name"].as_str().unwrap();
            api.apply(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"), &crd)
                .unwrap();
        }
        let unique = format!("{name}-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let folder = TempDir::new().unwrap();
        let git = GitServer::start(folder.path(), &Options::default()).unwrap();
        let controllers_kubeconfig = kubeconfig.clone();
        let world = Self {
            api,
            namespace: unique,
            kubeconfig,
            controllers_kubeconfig,
            folder,
            git,
            controller: None,
        };
        world.namespace_object(&world.namespace.clone());
        // The CRDs are served a moment after they were accepted.
        world.eventually("Applications are served", |world| {
            world.api.request("GET", &world.apps_path(), "", None).is_ok_and(|(status, _)| status == 200)
        });
        // Several controllers share the cluster: each knows its own objects by its installation.
        let settings = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": world.namespace},
            "data": {"installationID": world.namespace},
        });
        world
            .api
            .apply(&format!("/api/v1/namespaces/{}/configmaps/argocd-cm", world.namespace), &settings)
            .unwrap();
        world
    }

    pub(super) fn namespace_object(&self, name: &str) {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.api.apply(&format!("/api/v1/namespaces/{name}"), &object).unwrap();
    }

    pub(super) fn start_controller(&mut self) {
        self.controller = Some(self.spawn_controller("controller"));
    }

    /// Starts a controller process under a name of its own; whoever asks ends it.
    pub(super) fn spawn_controller(&self, identity: &str) -> Child {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("controller.log"))
            .unwrap();
        Command::new(env!("CARGO_BIN_EXE_tiphys"))
            .args([
                "controller",
                "--namespace",
                &self.namespace,
                "--metrics-port",
                "0",
                "--metrics-bind",
                "127.0.0.1",
                "--identity",
                identity,
            ])
            .args(["--log-format", "text", "--log-level", "debug"])
            .arg("--kubeconfig")
            .arg(&self.controllers_kubeconfig)
            .arg("--cache")
            .arg(self.folder.path().join("cache"))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap()
    }

    /// Asks a process to end, and waits until it has.
    fn stop(mut child: Child) {
        run_kill(&["-TERM", &child.id().to_string()]);
        child.wait().unwrap();
    }

    /// Asks the controller to end, and waits until it has.
    pub(super) fn stop_controller(&mut self) {
        if let Some(child) = self.controller.take() {
            Self::stop(child);
        }
    }

    /// Waits until the controller has ended by itself.
    pub(super) fn wait_for_controller(&mut self) -> std::process::ExitStatus {
        self.controller.take().unwrap().wait().unwrap()
    }

    /// Ends the controller without a chance to clean up.
    pub(super) fn kill_controller(&mut self) {
        if let Some(mut child) = self.controller.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Runs the command line against the cluster, and gives whether it succeeded, and all that it printed.
    pub(super) fn cli(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_tiphys"))
            .args(arguments)
            .args(["--app-namespace", &self.namespace, "--kubeconfig"])
            .arg(&self.kubeconfig)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Takes a repository away, and everything that the controller remembers of it.
    pub(super) fn lose_repository(&mut self, name: &str) {
        self.kill_controller();
        let at = |name: &str| self.folder.path().join(name);
        std::fs::rename(at(&format!("{name}.git")), at("lost")).unwrap();
        let _ = std::fs::remove_dir_all(at("cache"));
        self.start_controller();
    }

    /// Makes a repository with these files, and gives its URL.
    pub(super) fn repository(&self, name: &str, files: &[(&str, &str)]) -> String {
        let url = self.git.create(&format!("{name}.git")).unwrap();
        let checkout = self.checkout(name);
        run_git(&["init", "-q", "-b", "main", &checkout]).unwrap();
        run_git(&["-C", &checkout, "remote", "add", "origin", &url]).unwrap();
        self.commit(name, files);
        url
    }

    fn checkout(&self, name: &str) -> String {
        self.folder.path().join(format!("{name}-checkout")).to_string_lossy().into_owned()
    }

    /// Commits these files, all there are, and pushes them.
    pub(super) fn commit(&self, name: &str, files: &[(&str, &str)]) -> String {
        let checkout = self.checkout(name);
        let git = |arguments: &[&str]| {
            let mut all = vec!["-C", &checkout, "-c", "user.name=Test", "-c", "user.email=test@example.com"];
            all.extend(arguments);
            run_git(&all).unwrap()
        };
        git(&["rm", "-rq", "--ignore-unmatch", "."]);
        for (path, text) in files {
            let path = PathBuf::from(&checkout).join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        git(&["add", "-A"]);
        git(&["commit", "-q", "--allow-empty", "-m", "change"]);
        git(&["push", "-q", "origin", "main"]);
        git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn apps_path(&self) -> String {
        format!("/apis/argoproj.io/v1alpha1/namespaces/{}/applications", self.namespace)
    }

    pub(super) fn app_path(&self, name: &str) -> String {
        format!("{}/{name}", self.apps_path())
    }

    /// Changes entries of `argocd-cm`; null takes one away.
    pub(super) fn settings(&self, data: Value) {
        let path = format!("/api/v1/namespaces/{}/configmaps/argocd-cm", self.namespace);
        self.api.merge(&path, &json!({"data": data})).unwrap();
    }

    /// The namespace into which an Application of this name is deployed, made before the Application.
    pub(super) fn target(&self, name: &str) -> String {
        let target = format!("{}-{name}", self.namespace);
        self.namespace_object(&target);
        target
    }

    /// Applies a manifest as `kubectl apply` does: by an update of a manager, with the last applied state beside it.
    pub(super) fn kubectl_apply(&self, namespace: &str, manifest: &str, manager: &str) {
        // The one that came with the cluster, or else the machine's.
        let beside = self.kubeconfig.with_file_name("kubectl");
        let kubectl = if beside.exists() { beside } else { PathBuf::from("kubectl") };
        let mut child = Command::new(kubectl)
            .args([
                "apply",
                "--server-side=false",
                "--namespace",
                namespace,
                "--field-manager",
                manager,
                "-f",
                "-",
            ])
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), manifest.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "kubectl apply failed");
    }

    /// Creates an Application that syncs by itself into a namespace of its own; `change` may change it before.
    pub(super) fn application(&self, name: &str, url: &str, change: impl FnOnce(&mut Value)) -> String {
        let target = format!("{}-{name}", self.namespace);
        let mut app = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": self.namespace,
                         "finalizers": ["resources-finalizer.argocd.argoproj.io/background"]},
            "spec": {
                "project": "default",
                "source": {"repoURL": url, "path": ".", "targetRevision": "main"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": target},
                "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"]},
            },
        });
        change(&mut app);
        self.api.create(&self.apps_path(), &app).unwrap();
        target
    }

    pub(super) fn app(&self, name: &str) -> Value {
        self.api.get(&self.app_path(name)).unwrap().unwrap_or(Value::Null)
    }

    /// What a command of `tiphys` prints about this world; its exit code does not matter.
    pub(super) fn tiphys(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_tiphys"))
            .args(arguments)
            .args(["-N", &self.namespace, "--kubeconfig"])
            .arg(&self.kubeconfig)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        if !error.is_empty() {
            eprintln!("{arguments:?}: {error}");
        }
        String::from_utf8(output.stdout).unwrap()
    }

    /// Exit code of a command of `tiphys` that the user `tester` runs, and all that it prints.
    pub(super) fn command(&self, arguments: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_tiphys"))
            .args(arguments)
            .args(["-N", &self.namespace, "--kubeconfig"])
            .arg(&self.kubeconfig)
            .env("USER", "tester")
            .output()
            .unwrap();
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap_or(-1), format!("{out}{error}"))
    }

    /// What the controller has logged so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("controller.log")).unwrap_or_default()
    }

    /// `tiphys explain` as JSON.
    pub(super) fn explain(&self, name: &str) -> Value {
        let text = self.tiphys(&["explain", name, "-o", "json", "--cache", &self.cache()]);
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// A folder for mirrors of commands that ask Git themselves.
    pub(super) fn cache(&self) -> String {
        self.folder.path().join("command-cache").to_string_lossy().into_owned()
    }

    /// Confirms deletions of an application, from a second on that no operation has begun after.
    pub(super) fn approve(&self, name: &str) {
        let later = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1);
        let patch =
            json!({"metadata": {"annotations": {"argocd.argoproj.io/deletion-approved": later.to_string()}}});
        self.api.merge(&self.app_path(name), &patch).unwrap();
    }

    pub(super) fn refresh(&self, name: &str) {
        let patch = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
        self.api.merge(&self.app_path(name), &patch).unwrap();
    }

    /// Has everything asked anew, and waits until that was heard.
    pub(super) fn hard_refresh(&self, name: &str) {
        let refresh = "argocd.argoproj.io/refresh";
        self.api
            .merge(&self.app_path(name), &json!({"metadata": {"annotations": {refresh: "hard"}}}))
            .unwrap();
        self.eventually("the hard refresh is heard", |world| {
            world.app(name)["metadata"]["annotations"].get(refresh).is_none()
        });
    }

    /// Waits until an Application is synced to a revision (any where empty), healthy, and idle.
    pub(super) fn converged(&self, name: &str, revision: &str) {
        self.eventually(&format!("{name} converges to {revision}"), |world| {
            let status = world.app(name)["status"].take();
            status["sync"]["status"] == "Synced"
                && status["health"]["status"] == "Healthy"
                && status["operationState"]["phase"] == "Succeeded"
                && (revision.is_empty() || status["sync"]["revision"] == revision)
        });
    }

    /// Waits until a condition holds; what was seen last is in the message where it never does.
    pub(super) fn eventually(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            if started.elapsed() > PATIENCE {
                let log =
                    std::fs::read_to_string(self.folder.path().join("controller.log")).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(40).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                let apps = self.api.list(&self.apps_path()).unwrap_or_default();
                let states: Vec<String> = apps.iter().map(|app| app["status"].to_string()).collect();
                panic!("did not happen: {what}\n{}\n{}", states.join("\n"), tail.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill_controller();
        // Namespaces stay behind: the cluster is disposable, and deleting them would take longer than the test.
    }
}

fn run_kill(arguments: &[&str]) {
    assert!(Command::new("kill").args(arguments).status().unwrap().success());
}

/// A ConfigMap with one value, in a wave.
pub(super) fn config_map(name: &str, value: &str, wave: i64) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    \
         argocd.argoproj.io/sync-wave: \"{wave}\"\ndata:\n  value: \"{value}\"\n"
    )
}

/// A Job that runs as a hook; `more` are further annotations, a line each. `behaviour` is what its pod does: `slow` takes
/// two seconds, `fail` fails, `hang` never ends.
pub(super) fn job(name: &str, hook: &str, more: &str, behaviour: &str) -> String {
    let (pod, tries) = match behaviour {
        "slow" => ("{tiphys.dev/kwok-delay: 2s}", 6),
        "fail" => ("{tiphys.dev/kwok: fail}", 0),
        "hang" => ("{tiphys.dev/kwok: hang}", 6),
        _ => ("{}", 6),
    };
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\n  annotations:\n    argocd.argoproj.io/hook: {hook}\n{more}\
         spec:\n  backoffLimit: {tries}\n  template:\n    metadata:\n      annotations: {pod}\n    spec:\n      restartPolicy: \
         Never\n      containers:\n      - name: main\n        image: registry.example.com/{name}:1\n"
    )
}

/// A Deployment in a wave; `resources` are its container's limits, as YAML in flow form.
pub(super) fn deployment(name: &str, replicas: u32, wave: i64, resources: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  annotations:\n    \
         argocd.argoproj.io/sync-wave: \"{wave}\"\nspec:\n  replicas: {replicas}\n  selector:\n    matchLabels: {{app: \
         {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n      containers:\n      - name: \
         main\n        image: registry.example.com/{name}:1\n        resources: {{limits: {resources}}}\n"
    )
}

/// A Job as a hook; the simulated node lets it complete.
pub(super) fn hook(name: &str, phase: &str, policy: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  {name}\n  annotations:\n    argocd.argoproj.io/hook: {phase}\n    \
         argocd.argoproj.io/hook-delete-policy: {policy}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      \
         containers:\n      - name: main\n        image: registry.example.com/hook:1\n"
    )
}
