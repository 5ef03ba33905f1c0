package main

import (
	"time"

	"github.com/robfig/cron/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
)

type policy struct {
	Schedule    string                          `json:"schedule"`
	After       int64                           `json:"after"`
	Windows     v1alpha1.SyncWindows            `json:"windows"`
	Application string                          `json:"application"`
	Destination v1alpha1.ApplicationDestination `json:"destination"`
	Manual      bool                            `json:"manual"`
	Project     v1alpha1.AppProjectSpec         `json:"project"`
	RepoURL     string                          `json:"repoURL"`
	Group       string                          `json:"group"`
	Kind        string                          `json:"kind"`
	Namespaced  bool                            `json:"namespaced"`
}

// nextTime reads the five fields that Argo CD reads.
func nextTime(req *request) (any, error) {
	schedule, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(req.Schedule)
	if err != nil {
		return nil, err
	}
	next := schedule.Next(time.Unix(req.After, 0).UTC())
	if next.IsZero() {
		return 0, nil
	}
	return next.Unix(), nil
}

func windows(req *request) (any, error) {
	app := &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: req.Application},
		Spec:       v1alpha1.ApplicationSpec{Destination: req.Destination},
	}
	now := time.Now().Unix()
	canSync, err := req.Windows.Matches(app).CanSync(req.Manual)
	return map[string]any{"canSync": canSync, "now": now}, err
}

func permitted(req *request) (any, error) {
	project := v1alpha1.AppProject{Spec: req.Project}
	cluster := &v1alpha1.Cluster{Server: req.Destination.Server, Name: req.Destination.Name}
	destination, err := project.IsDestinationPermitted(cluster, req.Destination.Namespace, nil)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"source":      project.IsSourcePermitted(v1alpha1.ApplicationSource{RepoURL: req.RepoURL}),
		"destination": destination,
		"kind":        project.IsGroupKindPermitted(schema.GroupKind{Group: req.Group, Kind: req.Kind}, req.Namespaced),
	}, nil
}
