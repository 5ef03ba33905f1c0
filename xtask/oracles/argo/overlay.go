package main

import (
	"os"
	"path/filepath"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/git"
	"github.com/argoproj/argo-cd/v3/util/kustomize"
)

type overlay struct {
	Files        map[string]string                   `json:"files"`
	Path         string                              `json:"path"`
	Kustomize    v1alpha1.ApplicationSourceKustomize `json:"kustomize"`
	Env          map[string]string                   `json:"env"`
	BuildOptions string                              `json:"buildOptions"`
}

// buildOverlay writes the files, lets Argo CD edit the kustomization, and builds it with the kustomize that
// TIPHYS_ORACLE_KUSTOMIZE names.
func buildOverlay(req *request) (any, error) {
	root, err := os.MkdirTemp("", "overlay-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	for path, text := range req.Files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	var env v1alpha1.Env
	for name, value := range req.Env {
		env = append(env, &v1alpha1.EnvEntry{Name: name, Value: value})
	}
	binary := os.Getenv("TIPHYS_ORACLE_KUSTOMIZE")
	app := kustomize.NewKustomizeApp(root, filepath.Join(root, req.Path), git.NopCreds{}, "", binary, "", "")
	options := &v1alpha1.KustomizeOptions{BuildOptions: req.BuildOptions}
	objects, _, _, err := app.Build(&req.Kustomize, options, &env, &kustomize.BuildOpts{})
	if err != nil {
		// The text names the folder and the program: that it fails is what counts.
		return map[string]any{"fails": true}, nil
	}
	return objects, nil
}
