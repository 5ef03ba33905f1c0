package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	enginediff "github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
)

type simulation struct {
	Targets       []map[string]any    `json:"targets"`
	Namespace     string              `json:"namespace"`
	Revision      string              `json:"revision"`
	Options       syncOptions         `json:"options"`
	Health        map[string][]string `json:"health"`
	Fail          []string            `json:"fail"`
	ClusterScoped []string            `json:"clusterScoped"`
	MaxSteps      int                 `json:"maxSteps"`
}

type syncOptions struct {
	Prune              bool     `json:"prune"`
	PruneLast          bool     `json:"pruneLast"`
	PruneConfirmed     bool     `json:"pruneConfirmed"`
	Replace            bool     `json:"replace"`
	Force              bool     `json:"force"`
	ServerSideApply    bool     `json:"serverSideApply"`
	ApplyOutOfSyncOnly bool     `json:"applyOutOfSyncOnly"`
	DryRun             bool     `json:"dryRun"`
	SkipHooks          bool     `json:"skipHooks"`
	OutOfSync          []string `json:"outOfSync"`
}

type step struct {
	Actions []string                    `json:"actions"`
	Phase   common.OperationPhase       `json:"phase"`
	Message string                      `json:"message"`
	Results []common.ResourceSyncResult `json:"results"`
}

// simulate runs Argo CD's sync context again and again, as its controller does, until it is done.
func simulate(req *request) (any, error) {
	targets, err := objects(req.Targets)
	if err != nil {
		return nil, err
	}
	var liveContents []map[string]any
	if len(req.Live) > 0 {
		if err := json.Unmarshal(req.Live, &liveContents); err != nil {
			return nil, fmt.Errorf("live must be a list: %w", err)
		}
	}
	live, err := objects(liveContents)
	if err != nil {
		return nil, err
	}
	if req.Namespace == "" {
		req.Namespace = "default"
	}
	if req.MaxSteps == 0 {
		req.MaxSteps = 50
	}
	world := newCluster(&req.simulation, targets, live)
	defer world.server.Close()

	var tasks []string
	var steps []step
	phase, message := common.OperationRunning, ""
	var results []common.ResourceSyncResult
	started := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	for len(steps) < req.MaxSteps && !phase.Completed() {
		sink := &taskLog{}
		context, cleanup, err := world.syncContext(req, targets, sink, sync.WithInitialState(phase, message, results, started))
		if err != nil {
			return nil, err
		}
		context.Sync()
		cleanup()
		phase, message, results = context.GetState()
		if tasks == nil {
			tasks = sink.tasks
		}
		steps = append(steps, step{Actions: world.takeActions(), Phase: phase, Message: message, Results: results})
		world.tick()
	}
	return map[string]any{"tasks": tasks, "steps": steps, "phase": phase, "message": message}, nil
}

func (w *cluster) syncContext(req *request, targets []*unstructured.Unstructured, sink *taskLog, initial sync.SyncOpt) (sync.SyncContext, func(), error) {
	o := req.Options
	reconciled := sync.Reconcile(targets, w.liveByKey(), req.Namespace, w)
	config := &rest.Config{Host: w.server.URL, QPS: -1}
	return sync.NewSyncContext(req.Revision, reconciled, config, config, w, req.Namespace, nil,
		initial,
		sync.WithLogr(logr.New(sink)),
		sync.WithHealthOverride(w),
		sync.WithOperationSettings(o.DryRun, o.Prune, o.Force, o.SkipHooks),
		sync.WithPruneLast(o.PruneLast),
		sync.WithPruneConfirmed(o.PruneConfirmed),
		sync.WithReplace(o.Replace),
		sync.WithServerSideApply(o.ServerSideApply),
		sync.WithServerSideApplyManager("argocd-controller"),
		sync.WithSkipDryRunOnMissingResource(true),
		sync.WithResourceModificationChecker(o.ApplyOutOfSyncOnly, outOfSync(o, reconciled)),
	)
}

// outOfSync is the diff result that says of each live object whether its options call it out of sync.
func outOfSync(o syncOptions, reconciled sync.ReconciliationResult) *enginediff.DiffResultList {
	list := &enginediff.DiffResultList{}
	for i, live := range reconciled.Live {
		if live == nil || reconciled.Target[i] == nil {
			continue
		}
		text, err := live.MarshalJSON()
		if err == nil {
			modified := slices.Contains(o.OutOfSync, nameOf(live))
			list.Diffs = append(list.Diffs, enginediff.DiffResult{Modified: modified, NormalizedLive: text, PredictedLive: text})
		}
	}
	return list
}

// GetResourceHealth gives each object the health that the request scripted for its age in steps.
func (w *cluster) GetResourceHealth(obj *unstructured.Unstructured) (*health.HealthStatus, error) {
	script, scripted := w.request.Health[nameOf(obj)]
	if !scripted {
		if health.GetHealthCheckFunc(obj.GroupVersionKind()) == nil {
			return nil, nil
		}
		return &health.HealthStatus{Status: health.HealthStatusHealthy}, nil
	}
	status := script[min(w.age[kube.GetResourceKey(obj)], len(script)-1)]
	return &health.HealthStatus{Status: health.HealthStatusCode(status)}, nil
}

func nameOf(obj *unstructured.Unstructured) string {
	return obj.GetKind() + "/" + obj.GetName()
}

// taskLog keeps the first list of tasks that the sync context logs: it is sorted as they will run,
// and is told nowhere else.
type taskLog struct {
	tasks  []string
	values []any
	parent *taskLog
}

func (l *taskLog) Init(logr.RuntimeInfo)        {}
func (l *taskLog) Enabled(int) bool             { return true }
func (l *taskLog) Error(error, string, ...any)  {}
func (l *taskLog) WithName(string) logr.LogSink { return l }

func (l *taskLog) WithValues(values ...any) logr.LogSink {
	root := l
	if l.parent != nil {
		root = l.parent
	}
	return &taskLog{values: append(slices.Clone(l.values), values...), parent: root}
}

func (l *taskLog) Info(_ int, message string, _ ...any) {
	if l.parent == nil || !(message == "Tasks" || strings.HasPrefix(message, "Tasks (dry-run)")) {
		return
	}
	for i := 0; i+1 < len(l.values); i += 2 {
		if l.values[i] == "tasks" && l.parent.tasks == nil {
			l.parent.tasks = strings.Split(strings.Trim(fmt.Sprint(l.values[i+1]), "[]"), ", ")
		}
	}
}
