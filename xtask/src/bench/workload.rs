//! The repository and the Applications that are measured.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{Context, Result};
use crate::git_server::{GitServer, run_git};
use crate::operator::NAMESPACE;

/// A working copy with one overlay per Application.
#[derive(Debug)]
pub(super) struct Workload {
    folder: PathBuf,
    url: String,
    pub(super) apps: u32,
}

const BASE: &[(&str, &str)] = &[
    (
        "deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 0\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      serviceAccountName: web\n      containers:\n        - name: web\n          image: registry.example.com/web:1.0\n          ports:\n            - name: http\n              containerPort: 8080\n          resources:\n            requests:\n              cpu: 100m\n              memory: 64Mi\n",
    ),
    ("serviceaccount.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n"),
    (
        "service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector:\n    app: web\n  ports:\n    - name: http\n      port: 80\n      targetPort: http\n",
    ),
    (
        "ingress.yaml",
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\nspec:\n  rules:\n    - host: web.example.com\n      http:\n        paths:\n          - path: /\n            pathType: Prefix\n            backend:\n              service:\n                name: web\n                port:\n                  name: http\n",
    ),
    (
        "kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [deployment.yaml, serviceaccount.yaml, service.yaml, ingress.yaml]\n",
    ),
];

impl Workload {
    /// Writes and pushes the repository.
    pub(super) fn create(folder: &Path, server: &GitServer, apps: u32) -> Result<Self> {
        let url = server.create("bench.git")?;
        let workload = Self { folder: folder.to_path_buf(), url, apps };
        fs::create_dir_all(folder.join("base")).context("making the repository")?;
        for (name, content) in BASE {
            fs::write(folder.join("base").join(name), content).context(name)?;
        }
        for app in 0..apps {
            workload.write_overlay(app, "0")?;
        }
        workload.git(&["init", "--quiet", "--initial-branch=main"])?;
        workload.git(&["remote", "add", "origin", &workload.url])?;
        workload.push()?;
        Ok(workload)
    }

    /// Sets the annotation `bench` of every object of these Applications to `value`, and pushes.
    pub(super) fn commit(&self, apps: std::ops::Range<u32>, value: &str) -> Result<String> {
        for app in apps {
            self.write_overlay(app, value)?;
        }
        self.push()?;
        self.git(&["rev-parse", "HEAD"])
    }

    /// Name of an Application, and prefix of its objects.
    pub(super) fn name(app: u32) -> String {
        format!("app-{app:04}")
    }

    /// The Application object.
    pub(super) fn application(&self, app: u32) -> Value {
        let name = Self::name(app);
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "project": "default",
                "source": {"repoURL": self.url, "targetRevision": "main", "path": format!("apps/{name}")},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "bench"},
                "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
            },
        })
    }

    fn write_overlay(&self, app: u32, value: &str) -> Result<()> {
        let name = Self::name(app);
        let folder = self.folder.join("apps").join(&name);
        fs::create_dir_all(&folder).context(folder.display())?;
        let text = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: bench\nnamePrefix: {name}-\n\
             resources: [../../base]\nlabels:\n  - pairs: {{instance: {name}}}\n    includeSelectors: true\n\
             commonAnnotations:\n  bench: \"{value}\"\n"
        );
        fs::write(folder.join("kustomization.yaml"), text).context(folder.display())
    }

    fn push(&self) -> Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", "Change"])?;
        self.git(&["push", "--quiet", "origin", "main"]).map(drop)
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        let folder = self.folder.display().to_string();
        run_git(&[&["-C", folder.as_str()], arguments].concat())
    }
}
